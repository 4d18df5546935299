"""`barograph correlate`: the vectors of window semantics, and what it says to wrong input."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from infra.cli import main
from schemas.times import SECOND, rfc3339
from schemas.times import parse as time_of

Vector = Mapping[str, Any]
Signal = dict[str, Any]

# A detection of each name, of which nothing is known but that the correlation means it.
DETECTION = """\
title: {name}
name: {name}
logsource: {{product: any}}
detection: {{s: {{field: value}}, condition: s}}
"""
RULE = """\
title: guessing
name: guessing
correlation:
  type: event_count
  rules: [failed]
  group-by: [user]
  timespan: 1m
  condition: {gte: 2}
"""
START = 1_760_000_000
SIGNALS: list[Signal] = [
    {"id": f"s{n}", "time": START + n, "detection": "failed", "fields": {"user": "ann"}}
    for n in range(3)
]

Correlated = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture(scope="session")
def vectors(shared: Path) -> list[Vector]:
    lines = (shared / "vectors" / "windows.jsonl").read_bytes().splitlines()
    found = [orjson.loads(line) for line in lines]
    assert len(found) == 200
    return found


@pytest.fixture
def correlated(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Correlated:
    """Run the command over a rule file and signals; exit code, findings and what it said."""

    def run(
        rules: str, signals: Sequence[Signal], *words: str
    ) -> tuple[int, list[dict[str, Any]], str]:
        (tmp_path / "rules.yml").write_text(rules)
        (tmp_path / "signals.jsonl").write_bytes(b"\n".join(map(orjson.dumps, signals)))
        code = main(
            ["correlate", "--rules", f"{tmp_path}/rules.yml", *words, f"{tmp_path}/signals.jsonl"]
        )
        out, err = capsysbinary.readouterr()
        return code, [orjson.loads(line) for line in out.splitlines()], err.decode()

    return run


def correlation(vector: Vector) -> str:
    stated = {key: value for key, value in vector["rule"].items() if key != "timespan"}
    stated["timespan"] = f"{vector['rule']['timespan']}s"
    return yaml.safe_dump({"title": "r", "name": "r", "correlation": stated})


def expected(vector: Vector) -> list[tuple[Any, ...]]:
    counted = vector["rule"]["type"] == "event_count"
    return sorted(
        (
            tuple(episode["group"]),
            *(rfc3339(episode[name] * SECOND) for name in ("onset", "last")),
            *((rfc3339(episode["first"] * SECOND), episode["count"]) if counted else ()),
        )
        for episode in vector["expect"]
    )


def got(vector: Vector, findings: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    counted = vector["rule"]["type"] == "event_count"
    return sorted(
        (
            tuple(finding["group"][name] for name in vector["rule"]["group-by"]),
            *(finding["onset_time"], finding["last_time"]),
            *((finding["first_time"], finding["count"]) if counted else ()),
        )
        for finding in findings
    )


def as_given(signals: Sequence[Signal]) -> list[Signal]:
    return list(signals)


def twice(signals: Sequence[Signal]) -> list[Signal]:
    return [signal for signal in signals for _ in range(2)]


def with_texts_for_times(signals: Sequence[Signal]) -> list[Signal]:
    return [signal | {"time": rfc3339(signal["time"] * SECOND)} for signal in signals]


@pytest.mark.parametrize(
    ("arranged", "words", "detections"),
    [
        (as_given, (), False),
        (as_given, ("--shuffle", "300", "--seed", "7"), True),
        (twice, ("--shuffle", "300", "--seed", "8"), False),
        (with_texts_for_times, (), True),
    ],
)
def test_the_vectors_of_window_semantics(
    vectors: Sequence[Vector],
    correlated: Correlated,
    arranged: Callable[[Sequence[Signal]], list[Signal]],
    words: tuple[str, ...],
    detections: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    wrong: list[int] = []
    for vector in vectors:
        rules = [correlation(vector)]
        if detections:
            rules += [DETECTION.format(name=name) for name in vector["rule"]["rules"]]
        signals = arranged(vector["signals"])
        code, findings, _ = correlated("---\n".join(rules), signals, "--final", *words)
        assert code == 0
        if got(vector, findings) != expected(vector):
            wrong.append(vector["case"])
    assert wrong == []


def test_every_revision_or_the_final_ones(correlated: Correlated) -> None:
    code, findings, said = correlated(RULE, SIGNALS)
    assert code == 0
    assert [(f["meta"]["state"], f["meta"]["revision"], f["count"]) for f in findings] == [
        ("provisional", 1, 3),
        ("final", 2, 3),
    ]
    assert findings[0]["body_sha256"] == findings[1]["body_sha256"]
    assert said == "3 signals, 0 late, 0 in no correlation\n"
    _, findings, _ = correlated(RULE, SIGNALS, "--final")
    assert [f["meta"]["state"] for f in findings] == ["final"]
    assert findings[0]["signals"] == ["s0", "s1", "s2"]


def test_signals_may_come_on_stdin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stdin:
        buffer = io.BytesIO(b"\n\n".join(map(orjson.dumps, SIGNALS)))

    (tmp_path / "rules.yml").write_text(RULE)
    monkeypatch.setattr("sys.stdin", Stdin)
    assert main(["correlate", "--rules", str(tmp_path / "rules.yml"), "--final", "-"]) == 0
    assert orjson.loads(capsys.readouterr().out)["count"] == 3


def test_why_signals_are_in_no_correlation_is_told(correlated: Correlated) -> None:
    others = [SIGNALS[0] | {"id": f"o{n}", "detection": name} for n, name in enumerate("xyx")]
    bare = SIGNALS[0] | {"id": "bare", "fields": {}}
    _, _, said = correlated(RULE, [*SIGNALS, *others, bare])
    assert said == (
        "7 signals, 0 late, 4 in no correlation, 3 of a detection that no rule refers to"
        " (x 2, y 1), 1 without the fields of the group\n"
    )


def test_no_signals_no_findings(correlated: Correlated) -> None:
    assert correlated(RULE, []) == (0, [], "0 signals, 0 late, 0 in no correlation\n")


LATE = """\
--shuffle 901 is more than the lateness of given signals (900 s): signals would be late; \
give at most that"""
NO_SECONDS = """\
argument --shuffle: 'x' is no number of seconds from 0 to a year; see barograph correlate --help"""
NO_TIME = """\
argument --until: not an RFC 3339 time: 'noon'; give one like 2026-03-04T00:00:00Z; \
see barograph correlate --help"""
BEFORE = """\
--until 2025-10-09T08:53:21.000000Z lies before the latest signal, 2025-10-09T08:53:22.000000Z; \
give a later time"""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--shuffle", "901"), LATE),
        (("--shuffle", "x"), NO_SECONDS),
        (("--until", "noon"), NO_TIME),
        (("--until", "2025-10-09T08:53:21Z"), BEFORE),
    ],
)
def test_a_wrong_option_is_one_sentence(
    correlated: Correlated, words: tuple[str, ...], sentence: str
) -> None:
    assert time_of("2025-10-09T08:53:20Z") == START * SECOND
    code, _, said = correlated(RULE, SIGNALS, "--final", *words)
    assert (code, said) == (2, f"barograph: {sentence}\n")


def test_signals_may_stand_behind_the_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules, more = tmp_path / "rules.yml", tmp_path / "more.yml"
    rules.write_text(RULE)
    more.write_text(RULE.replace("guessing", "more"))
    signals = tmp_path / "signals.jsonl"
    signals.write_bytes(b"\n".join(map(orjson.dumps, SIGNALS)))
    for words in (
        ["--rules", str(rules), str(more), str(signals)],
        ["--rules", str(rules), "--rules", str(more), str(signals)],
        ["--rules", str(rules), str(more), "--final", str(signals)],
        [str(signals), "--rules", str(rules), str(more)],
    ):
        assert main(["correlate", *words, "--final"]) == 0
        out = capsys.readouterr().out
        assert sorted(orjson.loads(line)["rule"] for line in out.splitlines()) == [
            "guessing",
            "more",
        ]
    assert main(["correlate", "--rules", str(rules)]) == 2
    assert capsys.readouterr().err == (
        f"barograph: there is --rules {rules}, and no file of signals; name both\n"
    )


def test_a_wrong_line_is_named(correlated: Correlated, tmp_path: Path) -> None:
    code, _, said = correlated(RULE, [*SIGNALS, {"id": "x", "time": 1}])
    assert (code, said) == (
        2,
        f"barograph: {tmp_path}/signals.jsonl:4: a signal needs `detection`; mend the line\n",
    )


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.yml").write_text(RULE)
    assert main(["correlate", "--rules", str(tmp_path / "r.yml"), str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == (
        f"barograph: {tmp_path}/none cannot be read: No such file or directory;"
        " name a file of signals, or - for stdin\n"
    )


def test_a_wrong_rule_is_one_sentence(correlated: Correlated, tmp_path: Path) -> None:
    code, _, said = correlated(RULE.replace("1m", "soon"), SIGNALS)
    assert code == 2
    assert said.startswith(f"barograph: {tmp_path}/rules.yml")
    assert said.count("\n") == 1
