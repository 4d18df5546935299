"""The embedded driver: one process that goes on where its journal stopped."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, builtin, parse
from schemas.config import Limits, SystemConfig
from schemas.errors import Mistake
from schemas.rows import Result
from schemas.times import DAY, END, HOUR, MINUTE, SECOND
from streams.embedded import Declared, Embedded
from streams.input import Chunk
from streams.journal import Journal
from tests.streams.trail import DELETED, NOON, call

SPREE = """\
title: spree
name: spree
level: high
correlation:
  type: event_count
  rules: [deleted]
  group-by: [userIdentity.arn]
  timespan: 10m
  condition: {gte: 2}
  generate: true
"""
NOTABLE = """\
id: notable
title: Something of weight
summary: Rules of level high.
join: principal
window: 1h
ttl: 2h
legs:
  first: {class: change, levels: [high]}
actions:
  - {text: look at it, removes: [first]}
"""
LOGS = Declared("logs", ("cloudtrail",))
SCANS = Declared("scans", ("trivy",))

Opened = Callable[..., Embedded]


def rules(*texts: str) -> Ruleset:
    ruleset = parse(Document(f"{n}.yml", text) for n, text in enumerate(texts))
    assert ruleset.problems == ()
    return ruleset


RULES = rules(DELETED, SPREE, NOTABLE)


@pytest.fixture
def journals(tmp_path: Path) -> Iterator[Callable[[], Journal]]:
    """Open the one journal anew, as a process that starts again."""
    opened: list[Journal] = []

    def again() -> Journal:
        if opened:
            opened.pop().close()
        opened.append(Journal(tmp_path / "journal.sqlite", clock=lambda: NOON))
        return opened[0]

    yield again
    opened[0].close()


def chunk(*documents: bytes, position: object = None, first: bool = False) -> Chunk:
    return Chunk("cloudtrail", "file:in.ndjson", documents, None, position, first=first)


def final(results: Iterable[Result]) -> set[tuple[str, str, str]]:
    return {
        (r.kind, r.id, r.body["body_sha256"])
        for r in results
        if r.kind in ("finding", "alert") and r.state == "final"
    }


def states(results: Iterable[Result]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for r in results:
        if r.kind in ("finding", "alert"):
            found.setdefault(f"{r.kind} {r.id[:4]}", []).append(r.state)
    return found


WORK = [
    [call(0), call(60, "DeleteGuardrail"), call(120, "DeleteGuardrail")],
    [call(180, "DeleteGuardrail"), call(1900), call(100, "DeleteGuardrail", uid="late")],
    [call(3600, "DeleteGuardrail"), call(3660, "DeleteGuardrail")],
    [call(30_000), call(31_000, "DeleteGuardrail")],
]


def played(engine: Embedded, work: Sequence[Sequence[bytes]] = WORK) -> list[Result]:
    return [result for part in work for result in engine.take("logs", chunk(*part))]


def test_a_run_says_signals_findings_and_alerts() -> None:
    engine = Embedded(RULES, [LOGS], Limits())
    results = [*played(engine), *engine.end(NOON + DAY)]
    kinds = {kind: sum(r.kind == kind for r in results) for kind in ("signal", "late")}
    assert kinds == {"signal": 7, "late": 1}
    assert len({id_ for kind, id_, _ in final(results) if kind == "finding"}) == 2
    assert len({id_ for kind, id_, _ in final(results) if kind == "alert"}) == 2
    assert engine.counts() == {"read": 10, "parsed": 10, "rejected": 0, "late": 1}
    assert engine.latest == NOON + 31_000 * SECOND


def test_it_goes_on_where_its_journal_stopped(journals: Callable[[], Journal]) -> None:
    calm = Embedded(RULES, [LOGS], Limits())
    want = final([*played(calm), *calm.end(NOON + DAY)])

    got: list[Result] = []
    for number, part in enumerate(WORK):
        engine = Embedded(RULES, [LOGS], Limits(), journals())
        assert engine.positions.get("logs") == (number - 1 if number else None)
        got += engine.take("logs", chunk(*part, position=number))
    engine = Embedded(RULES, [LOGS], Limits(), journals())
    got += engine.end(NOON + DAY)
    assert final(got) == want
    assert engine.counts() == calm.counts()
    assert engine.progress["logs"] == calm.progress["logs"]


def test_results_lie_in_the_outbox_with_what_made_them(journals: Callable[[], Journal]) -> None:
    journal = journals()
    journal.subscribe({"sink": ("finding", "alert")})
    engine = Embedded(RULES, [LOGS], Limits(), journal)
    results = played(engine)
    waiting = [result for _, result in journal.outbox(0, 1000)]
    assert [(r.kind, r.id, r.state) for r in waiting] == [(r.kind, r.id, r.state) for r in results]


HOT = [
    [call(20 * n + m % 7, "DeleteGuardrail", uid=f"{n}/{m}") for m in range(9)] for n in range(40)
]


def test_a_start_with_much_that_is_unsettled_says_what_no_start_says(
    journals: Callable[[], Journal],
) -> None:
    calm = Embedded(RULES, [LOGS], Limits())
    want = [calm.take("logs", chunk(*part)) for part in HOT]
    assert max(len(slot.tail) for slot in calm.keyed["assess/0"].slots.values()) > 200
    got: list[list[Result]] = []
    for number, part in enumerate(HOT):
        again = Embedded(RULES, [LOGS], Limits(), journals())
        got.append(again.take("logs", chunk(*part, position=number)))
    assert got == want
    last = Embedded(RULES, [LOGS], Limits(), journals())
    assert final(last.end(NOON + DAY)) == final(calm.end(NOON + DAY)) != set()


def test_a_batch_saves_what_it_brings(journals: Callable[[], Journal]) -> None:
    journal = journals()
    engine = Embedded(RULES, [LOGS], Limits(), journal)
    added: list[int] = []
    before: set[bytes] = set()
    for number, part in enumerate(HOT):
        engine.take("logs", chunk(*part, position=number))
        blocks = {one for of in journal.load().unsettled.values() for one in of}
        added.append(sum(map(len, blocks - before)))
        before = blocks
    assert max(added[20:]) < 2 * max(added[:3])


def test_what_could_not_be_saved_did_not_happen(journals: Callable[[], Journal]) -> None:
    journal = journals()
    engine = Embedded(RULES, [LOGS], Limits(), journal)
    played(engine, WORK[:1])
    before = engine.progress["logs"]
    clocks = {name: stage.clock for name, stage in engine.keyed.items()}
    journal.close()
    with pytest.raises(sqlite3.ProgrammingError):
        engine.take("logs", chunk(*WORK[1], position=1))
    assert engine.progress["logs"] == before
    assert {name: stage.clock for name, stage in engine.keyed.items()} == clocks

    again = Embedded(RULES, [LOGS], Limits(), journals())
    calm = Embedded(RULES, [LOGS], Limits())
    played(calm, WORK[:1])
    saved = [*played(again, WORK[1:]), *again.end(NOON + DAY)]
    assert final(saved) == final([*played(calm, WORK[1:]), *calm.end(NOON + DAY)])


def system(*members: str) -> SystemConfig:
    return SystemConfig.model_validate(
        {"name": "shop", "root": "application:shop", "members": members}
    )


def edges(journal: Journal) -> list[tuple[str, bool]]:
    """The edges that were settled so far: where to, and whether they still hold."""
    told = [result for _, result in journal.outbox(0, 1000) if result.kind == "edge"]
    final = [edge.body for edge in told if edge.state == "final"]
    return sorted((edge["to"], "valid_to" not in edge) for edge in final)


def test_declared_systems_open_and_close_with_the_configuration(
    journals: Callable[[], Journal],
) -> None:
    times = iter(range(10_000, 99_000, 10_000))

    def restarted(*systems: SystemConfig) -> list[tuple[str, bool]]:
        journal = journals()
        journal.trim()  # what was told before
        journal.subscribe({"sink": ("edge",)})
        engine = Embedded(RULES, [LOGS], Limits(), journal, systems)
        engine.take("logs", chunk(call(next(times))))
        told = edges(journal)
        journal.advance("sink", journal.newest())
        return told

    one, two = system("model:m1", "agent:a1"), system("model:m1", "datastore:d1")
    assert restarted(one) == [("agent:a1", True), ("model:m1", True)]
    assert restarted(one) == []
    assert restarted(two) == [("agent:a1", False), ("datastore:d1", True)]
    assert restarted() == [("datastore:d1", False), ("model:m1", False)]
    assert restarted(one) == [("agent:a1", True), ("model:m1", True)]


def test_an_input_added_later_holds_from_the_saved_time_on(
    journals: Callable[[], Journal],
) -> None:
    # The scans said nothing, so observe waits; the correlations, which no scan can feed, do not.
    engine = Embedded(RULES, [LOGS, SCANS], Limits(), journals())
    engine.take("logs", chunk(call(7200), position=0))
    assert engine.keyed["correlate-1/0"].clock.watermark == NOON + 105 * MINUTE
    assert engine.keyed["observe/0"].clock.watermark < NOON

    more = Declared("more", ("cloudtrail",))
    engine = Embedded(RULES, [LOGS, SCANS, more], Limits(), journals())
    assert engine.progress["more"].watermark == NOON + 105 * MINUTE
    early = chunk(call(6000, "DeleteGuardrail"), call(6299, "DeleteGuardrail"))
    assert states(engine.take("more", early)) == {}
    assert engine.counts()["late"] == 2  # that time is settled
    in_time = chunk(call(6300, "DeleteGuardrail"), call(6400, "DeleteGuardrail"))
    results = engine.take("more", in_time)
    assert [r.state for r in results if r.kind == "finding"] == ["provisional"]


def test_an_input_that_comes_back_was_not_waited_for(journals: Callable[[], Journal]) -> None:
    more = Declared("more", ("cloudtrail",))
    engine = Embedded(RULES, [LOGS, more], Limits(), journals())
    engine.take("more", chunk(call(0), position=7))
    engine.take("logs", chunk(call(0)))
    Embedded(RULES, [LOGS], Limits(), journals()).take("logs", chunk(call(7200)))
    engine = Embedded(RULES, [LOGS, more], Limits(), journals())
    assert engine.positions["more"] == 7
    engine.take("more", chunk(call(60, "DeleteGuardrail"), call(7200, "DeleteGuardrail")))
    assert engine.counts() == {"read": 5, "parsed": 5, "rejected": 0, "late": 1}


def test_the_end_settles_everything_and_lies_behind_all_records() -> None:
    engine = Embedded(RULES, [LOGS], Limits())
    played(engine)
    with pytest.raises(
        Mistake, match=r"--until 2026-03-02T12:00:00.000000Z lies before the latest record"
    ):
        engine.end(NOON)
    results = engine.end()  # by default up to the latest record: what is open then stays open
    latest = max((r for r in results if r.kind == "alert"), key=lambda r: r.time)
    assert (latest.state, latest.body["status"]) == ("final", "open")
    assert engine.progress["logs"].watermark == END


def test_time_passes_at_an_idle_input(journals: Callable[[], Journal]) -> None:
    engine = Embedded(RULES, [LOGS], Limits(), journals())
    early = played(engine, WORK[:1])
    assert {state for said in states(early).values() for state in said} == {"provisional"}
    settled = engine.tick("logs", NOON + HOUR)
    assert sorted(states(settled).values()) == [["final"], ["settled"]]
    engine = Embedded(RULES, [LOGS], Limits(), journals())
    assert engine.progress["logs"].watermark == NOON + HOUR


def test_nothing_waits_for_an_input_that_has_ended() -> None:
    engine = Embedded(RULES, [LOGS, SCANS], Limits())
    assert engine.exhausted("scans") == []
    played(engine, WORK[:2])
    assert engine.keyed["assess/0"].clock.watermark == NOON + 1000 * SECOND


def test_many_inputs_give_what_one_gives(journals: Callable[[], Journal]) -> None:
    inputs = [Declared(f"file:{n}", ("cloudtrail",)) for n in range(len(WORK))]
    finals: list[set[tuple[str, str, str]]] = []
    for journal in (None, journals()):
        engine = Embedded(RULES, inputs, Limits(), journal)
        got: list[Result] = []
        for declared, part in zip(inputs, WORK, strict=True):
            got += engine.take(declared.name, chunk(*part, first=True))
        for declared in inputs[1:]:
            got += engine.exhausted(declared.name)
        finals.append(final([*got, *engine.end(NOON + DAY)]))
    assert finals[0] == finals[1] != set()


def test_reading_goes_on_where_time_is_lowest() -> None:
    engine = Embedded(RULES, [LOGS, SCANS, Declared("more")], Limits())
    engine.take("logs", chunk(call(100)))
    engine.take("more", chunk(call(50)))
    assert sorted(["logs", "more", "scans"], key=engine.place) == ["scans", "more", "logs"]


def test_the_built_in_rules_start() -> None:
    engine = Embedded(parse(builtin()), [LOGS], Limits())
    assert engine.end() == []
