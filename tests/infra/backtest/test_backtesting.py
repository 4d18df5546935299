"""A backtest gives exactly the final findings of a replay, whatever the records do to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, builtin, parse
from infra.backtest import backtesting
from infra.backtest.backtesting import Backtest, File, Outcome
from infra.demo import scenario
from infra.replaying import Order, replay
from schemas.config import Config
from schemas.times import HOUR, MINUTE, SECOND
from schemas.times import parse as time_of
from streams.finite import FiniteFile
from streams.records.documents import files
from streams.trawl import Span
from tests.infra.every_type import RULES
from tests.streams.trail import NOON, call, envelope

NAMES = ("GetObject", "ListBuckets", "listbuckets", "PutObject", "DeleteBucket", "Describe")


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    ruleset = parse([Document("rules.yml", RULES)])
    assert not ruleset.problems
    return ruleset


@pytest.fixture(scope="module")
def vendor(rules: Ruleset) -> Ruleset:
    """Without the rules that look at the normal form: then no record is normalised on the way."""
    parts = [p for p in RULES.split("---") if "product: barograph" not in p and "chain" not in p]
    ruleset = parse([Document("rules.yml", "---".join(parts))])
    assert not ruleset.problems
    assert len(ruleset.correlations) == len(rules.correlations) - 2
    return ruleset


def backtest(
    ruleset: Ruleset, paths: Sequence[Path], config: Config | None = None, span: Span | None = None
) -> Outcome:
    limits = (config or Config()).limits
    opened = [File(name, FiniteFile(name, limits, None)) for name in files(map(str, paths))]
    return Backtest(ruleset, opened, config or Config(), span or Span()).run()


def final(ruleset: Ruleset, paths: Sequence[Path], out: Path) -> tuple[list[Any], dict[str, Any]]:
    """The final findings of a replay without `meta`, as a backtest lists them, and its summary."""
    summary = replay(Config(), ruleset, list(map(str, paths)), out, Order(final=True))
    found: dict[str, Any] = {}
    for line in (out / "findings.jsonl").read_text().splitlines():
        body = json.loads(line)
        del body["meta"]
        found[body["id"]] = body
    return sorted(found.values(), key=lambda body: (body["onset_time"], body["id"])), summary


def same(ruleset: Ruleset, paths: Sequence[Path], out: Path, fewest: int = 1) -> Outcome:
    """Both ways give the same; there is something to compare."""
    expected, summary = final(ruleset, paths, out)
    outcome = backtest(ruleset, paths)
    assert outcome.findings == expected
    assert len(expected) >= fewest
    assert outcome.counts == {name: summary[name] for name in outcome.counts}
    signals = [json.loads(line) for line in (out / "signals.jsonl").read_text().splitlines()]
    events = {(signal["detection"], signal["event"]) for signal in signals}
    habits = {one.id for one in ruleset.habits}  # these are for a replay
    for id_, tally in outcome.tallies.items():
        if id_ in habits:
            continue
        expected_ = sum(1 for detection, _ in events if detection == id_)
        assert tally.matches == expected_ if tally.distinct else tally.matches >= expected_
    return outcome


def records(seed: int, count: int = 600) -> list[bytes]:
    """Calls of a few people in no hurry, now and then in bursts; some alike, some broken."""
    random = Random(seed)
    at, made = 0, list[bytes]()
    for number in range(count):
        at += random.choice((0, 0, 0, 1, 1, 2, 5, 40))
        who = random.choice(("ann", "ann", "bob", "Bob", "cy"))
        more: dict[str, Any] = {
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/{who}"},
            "awsRegion": random.choice(("eu-west-1", "us-east-1", None)),
            "recipientAccountId": "111122223333",
            "bytes": {"in": random.choice((0, 7, 20.5, "50", 64, 98, "many", None, True))},
        }
        if random.random() < 0.7:
            more["bytes"]["out"] = random.randint(-10, 90)
        if random.random() < 0.2:
            more["errorCode"] = random.choice(("AccessDenied", "accessdenied", 404, 404.0))
        if random.random() < 0.03:
            more["userIdentity"] = random.choice((None, "root", [], {"arn": 7}))
        if random.random() < 0.02:
            more["eventSource"] = random.choice(("aws:s3", None, "bedrock.amazonaws.com"))
        made.append(call(at, random.choice(NAMES), f"{seed}-{number}", **more))
        chance = random.random()
        if chance < 0.02:  # a copy that differs: in what is counted, or in what is seen of it
            made.append(call(at, random.choice(NAMES), f"{seed}-{number}", **more, readOnly=True))
        elif chance < 0.03:  # and one that tells another time
            made.append(call(at + 3, "GetObject", f"{seed}-{number}", **more))
        elif chance < 0.035:
            made.append(random.choice((b"{", b'{"eventTime":1}', b"[]", b'{"eventName":"Get"}')))
    return made


def as_given(lines: list[bytes], _: Random) -> list[bytes]:
    return lines


def doubled(lines: list[bytes], _: Random) -> list[bytes]:
    return [line for line in lines for _ in range(2)]


def shuffled(lines: list[bytes], random: Random) -> list[bytes]:
    """By up to 300 s: none comes late."""
    return delayed(lines, lambda: random.randrange(5 * MINUTE))


def partly_late(lines: list[bytes], random: Random) -> list[bytes]:
    """One in twenty comes 10 to 30 minutes later, most of these too late."""
    delay = (10 * MINUTE, 30 * MINUTE)
    return delayed(lines, lambda: random.randint(*delay) if random.random() < 0.05 else 0)


def delayed(lines: list[bytes], delay: Callable[[], int]) -> list[bytes]:
    """Each comes so much later than it says; what says no time, with what stands before it."""
    time, arrivals = NOON, list[tuple[int, bytes]]()
    for line in lines:
        try:
            time = time_of(json.loads(line)["eventTime"])
        except (ValueError, KeyError, TypeError, AttributeError):
            arrivals.append((time, line))
        else:
            arrivals.append((time + delay(), line))
    return [line for _, line in sorted(arrivals, key=lambda arrival: arrival[0])]


Arrival = Callable[[list[bytes], Random], list[bytes]]


@pytest.mark.parametrize("arrival", [as_given, doubled, shuffled, partly_late])
@pytest.mark.parametrize("which", ["rules", "vendor"])
def test_a_backtest_is_a_replay(
    which: str, arrival: Arrival, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    ruleset: Ruleset = request.getfixturevalue(which)
    path = tmp_path / "trail.ndjson"
    path.write_bytes(b"\n".join(arrival(records(7), Random(7))))
    outcome = same(ruleset, [path], tmp_path / "out", fewest=100)
    assert {body["rule"] for body in outcome.findings} == {rule.id for rule in ruleset.correlations}
    assert (outcome.counts["late"] > 0) == (arrival is partly_late)


@pytest.mark.parametrize("seed", range(3))
def test_several_files_hold_copies_of_each_other(
    rules: Ruleset, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtesting, "WAITING", 100)  # folds now and then, not once at the end
    random = Random(seed)
    lines = [line for line in records(seed, 900) if line.endswith(b"}") and b"eventID" in line]
    some = [line for line in lines if random.random() < 0.6]
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.ndjson").write_bytes(b"\n".join(shuffled(some, random)))
    for n in range(3):
        (tmp_path / f"in/{n}.json").write_bytes(envelope(*lines[n * 300 : n * 300 + 300]))
    same(rules, [tmp_path / "in"], tmp_path / "out", fewest=100)


def test_where_chunks_are_cut_changes_nothing(rules: Ruleset, tmp_path: Path) -> None:
    path = tmp_path / "trail.ndjson"
    path.write_bytes(b"\n".join(partly_late(records(3, 400), Random(3))))
    small = Config.model_validate({"limits": {"batch_records": 7}})
    assert backtest(rules, [path], small).findings == backtest(rules, [path]).findings


def test_the_demo_by_the_built_in_rules(tmp_path: Path) -> None:
    scenario.write(tmp_path / "in")
    same(parse(builtin()), [tmp_path / "in"], tmp_path / "out", fewest=4)


def test_generated_cloudtrail(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "trail.ndjson"
    generator = [sys.executable, str(shared / "bench/gen_cloudtrail.py"), "--seed", "7"]
    late = ["--late-frac", "0.05", "--late-max", "1800", "--dup-frac", "0.05", "--rate", "1.5"]
    subprocess.run([*generator, "--n", "4000", "--out", str(path), *late], check=True)
    ruleset = parse([Document("rules.yml", RULES)])
    outcome = same(ruleset, [path], tmp_path / "out", fewest=20)
    assert outcome.counts["late"] > 10


def test_only_times_of_the_span_count(vendor: Ruleset, tmp_path: Path) -> None:
    path = tmp_path / "trail.ndjson"
    path.write_bytes(b"\n".join(call(at, "GetObject", at) for at in range(0, 100, 10)))
    span = Span(NOON + 20 * SECOND, NOON + 60 * SECOND)  # 20, 30, 40 and 50
    outcome = backtest(vendor, [path], span=span)
    look = outcome.tallies["look"]
    assert (look.matches, look.first, look.last) == (4, span.since, NOON + 50 * SECOND)
    assert look.hours == {NOON // HOUR: 4}
    (looks,) = [body for body in outcome.findings if body["rule"] == "looks"]
    assert (looks["count"], looks["onset_time"]) == (4, "2026-03-02T12:00:50.000000Z")


def test_a_record_that_only_looks_readable_stops_nothing(vendor: Ruleset, tmp_path: Path) -> None:
    """The one known difference: a number too large for a float, where nobody looks."""
    path = tmp_path / "trail.ndjson"
    lines = [call(at, "GetObject", at) for at in range(3)]
    path.write_bytes(b"\n".join([*lines, call(3, "GetObject", 3)[:-1] + b',"x":1e999}']))
    looks = next(b for b in backtest(vendor, [path]).findings if b["rule"] == "looks")
    assert (looks["count"], len(looks["signals"]), len(looks["evidence"])) == (4, 4, 3)


def test_a_record_that_is_too_deep_is_found_among_others(vendor: Ruleset, tmp_path: Path) -> None:
    """One that only has many brackets is not too deep."""
    path, deep = tmp_path / "trail.ndjson", dict[str, Any]()
    for _ in range(120):
        deep = {"in": deep}
    odd = {17: deep, 30: [{}] * 150}
    path.write_bytes(b"\n".join(call(n, "GetObject", n, extra=odd.get(n)) for n in range(40)))
    outcome = backtest(vendor, [path])
    assert [(one["origin"], one["reason"]) for one in outcome.rejects] == [
        (f"file:{path}#18", "too-deep")
    ]
    assert outcome.tallies["look"].matches == 39
