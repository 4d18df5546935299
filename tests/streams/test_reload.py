"""Rules change while the engine runs: a restart without the pause, for unchanged rules nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, builtin, parse
from schemas.config import Limits
from schemas.rows import Result
from schemas.times import DAY, HOUR, MINUTE, SECOND, rfc3339
from schemas.times import parse as time_of
from streams.embedded import Declared, Embedded
from streams.input import Chunk
from streams.journal import Journal, Saved
from tests.streams import demo
from tests.streams.demo import SOURCES
from tests.streams.trail import NOON, call

RUNS = int(os.environ.get("BAROGRAPH_DEMO_RUNS", "3"))
UNTIL = time_of("2026-03-04T00:00:00Z")
INPUTS = [Declared(name, (name,)) for name in SOURCES]
LOGS = Declared("logs", ("cloudtrail",))
DELETED = """\
title: deleted
name: deleted
level: high
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteGuardrail}, condition: s}
"""
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
"""
AGAIN = """\
title: again
name: again
correlation:
  type: event_count
  rules: [spree]
  group-by: [userIdentity.arn]
  timespan: 1d
  condition: {gte: 2}
"""
STORY = """\
id: story
title: A story
summary: Guardrails were deleted.
join: principal
window: 1h
ttl: 2h
legs:
  first: {class: change, of: [deleted]}
actions:
  - {text: look at it, removes: [first]}
"""
OTHER = STORY.replace("id: story", "id: other").replace("of: [deleted]", "of: [spree]")
# What a user adds to the built-in rules: over their detections, and of its own, two levels.
ADDED = (
    """\
title: Own reads
name: own_reads
level: low
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: Get*}, condition: s}
""",
    """\
title: Many reads
name: own_many
level: low
correlation:
  type: event_count
  rules: [own_reads]
  group-by: [userIdentity.arn]
  timespan: 5m
  condition: {gte: 2}
""",
    """\
title: Many reads again
name: own_again
level: low
correlation:
  type: temporal
  rules: [own_many]
  group-by: [userIdentity.arn]
  timespan: 1h
  condition: {gte: 1}
""",
)

Piece = tuple[str, Chunk]
Final = set[tuple[str, str, str]]


def rules(*texts: str) -> Ruleset:
    ruleset = parse(Document(f"{n}.yml", text) for n, text in enumerate(texts))
    assert ruleset.problems == ()
    return ruleset


def with_builtin(*texts: str) -> Ruleset:
    ruleset = parse([*builtin(), *(Document(f"{n}.yml", text) for n, text in enumerate(texts))])
    assert ruleset.problems == ()
    return ruleset


BUILTIN, EXTENDED = with_builtin(), with_builtin(*ADDED)


class Opened:
    """Engines over one journal, as processes that follow each other."""

    def __init__(self, path: Path, inputs: Sequence[Declared]) -> None:
        self.path, self.inputs = path, inputs
        self.journal: Journal | None = None

    def start(self, ruleset: Ruleset) -> Embedded:
        self.close()
        self.journal = Journal(self.path, clock=lambda: NOON)
        self.journal.subscribe({"sink": ("finding", "alert", "forecast", "signal")})
        return Embedded(ruleset, self.inputs, Limits(), self.journal)

    def told(self) -> list[Result]:
        assert self.journal is not None
        return [result for _, result in self.journal.outbox(0, 10**6)]

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made = Opened(tmp_path / "journal.sqlite", [LOGS])
    yield made
    made.close()


def reload(engine: Embedded, ruleset: Ruleset) -> None:
    engine.adopt(engine.assembled(ruleset))


def take(engine: Embedded, *times: int) -> list[Result]:
    documents = [call(at, "DeleteGuardrail") for at in times]
    return engine.take("logs", Chunk("cloudtrail", "file:in", documents, None, None))


def final(results: Iterable[Result]) -> Final:
    newest = {(r.kind, r.id): r for r in results if r.kind in ("finding", "alert")}
    return {
        (kind, id_, r.body["body_sha256"])
        for (kind, id_), r in newest.items()
        if r.state == "final"
    }


def ours(results: Iterable[Result], *, of: Ruleset) -> list[Result]:
    """What the rules of one set say."""
    known = {rule.id for rule in of.correlations} | {story.id for story in of.convergences}
    return [
        r
        for r in results
        if r.kind in ("finding", "alert") and (r.body.get("rule") or r.body["convergence"]) in known
    ]


class Played(NamedTuple):
    """Final results, and the signals, of a run over the demo."""

    final: Final
    results: list[Result]


def played(path: Path, pieces: Sequence[Piece], plan: dict[int, Ruleset]) -> Played:
    """Run over the pieces; `plan` says which rules are loaded before which of them."""
    opened = Opened(path, INPUTS)
    engine = opened.start(plan[0])
    for number, (name, chunk) in enumerate(pieces):
        if number in plan:
            reload(engine, plan[number])
        engine.take(name, chunk)
    engine.end(UNTIL)
    results = opened.told()
    opened.close()
    return Played(final(results), results)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str, bytes]]:
    found = demo.documents(tmp_path_factory.mktemp("demo"))
    return sorted((time, name, one) for name, pairs in found.items() for time, one in pairs)


def cut(records: Sequence[tuple[int, str, bytes]], random: Random, most: int) -> list[Piece]:
    """The records in their order, in pieces of random sizes."""
    pieces: list[Piece] = []
    left = list(records)
    while left:
        some = left[: random.randint(1, most)]
        del left[: len(some)]
        for source in SOURCES:
            documents = [one for _, name, one in some if name == source]
            if documents:
                pieces.append((source, Chunk(source, f"file:{source}", documents, None, None)))
    return pieces


@pytest.fixture(scope="module")
def calm(records: list[tuple[int, str, bytes]]) -> Final:
    """What the built-in rules say in a run in which nothing changes."""
    engine = Embedded(BUILTIN, INPUTS, Limits())
    results = [r for name, chunk in cut(records, Random(0), 400) for r in engine.take(name, chunk)]
    return final([*results, *engine.end(UNTIL)])


@pytest.mark.parametrize("seed", range(RUNS))
def test_unchanged_rules_do_not_notice(
    records: list[tuple[int, str, bytes]], calm: Final, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    pieces = cut(records, random, random.choice([150, 600]))
    sets = [EXTENDED, BUILTIN, with_builtin(*ADDED[:1]), with_builtin(*ADDED[:2])]
    plan = {random.randrange(1, len(pieces)): random.choice(sets) for _ in range(5)}
    got = played(tmp_path / "journal.sqlite", pieces, {0: EXTENDED, **plan})
    assert {kind for kind, _, _ in calm} == {"finding", "alert"}
    assert final(ours(got.results, of=BUILTIN)) == calm
    others = {r.body["rule"] for r in got.results if r.kind == "finding"}
    assert {"own_many", "own_again"} <= others


def test_the_row_of_a_change_is_enough_to_play_it_again(
    records: list[tuple[int, str, bytes]], tmp_path: Path
) -> None:
    """Rows of rule sets, records before each: the same final results, whatever the batches."""
    random = Random(11)
    want = played(tmp_path / "once", cut(records, random, 400), {0: BUILTIN, 9: EXTENDED})
    journal = Journal(tmp_path / "once")
    changed, _ = journal.successions()
    journal.close()
    assert changed.added.first == [
        "correlation own_again",
        "correlation own_many",
        "detection own_reads",
    ]
    before: list[tuple[int, str, bytes]] = []
    after: list[tuple[int, str, bytes]] = []
    left = dict(changed.read)
    for time, name, one in records:
        (before if left[name] > 0 else after).append((time, name, one))
        left[name] -= 1
    first = cut(before, random, 150)
    again = played(
        tmp_path / "again", [*first, *cut(after, random, 600)], {0: BUILTIN, len(first): EXTENDED}
    )
    assert again.final == want.final


SETS = [
    (DELETED, SPREE, STORY),
    (DELETED, SPREE, AGAIN, STORY),
    (DELETED, SPREE, STORY, OTHER),
    (DELETED, STORY),
    (DELETED, SPREE.replace("gte: 2", "gte: 3"), AGAIN, STORY),
    (DELETED.replace("DeleteGuardrail", "Delete*"), SPREE, STORY.replace("1h", "30m")),
    (DELETED.replace("title: deleted", "title: words"), SPREE, AGAIN),
    (
        DELETED,
        SPREE.replace("name: spree", "name: renamed").replace("userIdentity.arn", "eventName"),
    ),
    (DELETED,),
]


def saved(path: Path) -> Saved:
    with Journal(path) as journal:
        return journal.load()


@pytest.mark.parametrize("seed", range(20))
def test_a_reload_is_a_restart(tmp_path: Path, seed: int) -> None:
    """Told at the change and afterwards is the same, and so is what is saved."""
    random = Random(seed)
    runs = [Opened(tmp_path / name, [LOGS]) for name in ("reloaded", "restarted")]
    start = rules(*random.choice(SETS))
    one, other = (run.start(start) for run in runs)
    time = 0
    for _ in range(random.randint(2, 8)):
        times = [time := time + random.choice([0, 30, 400, 1000, 4000]) for _ in range(3)]
        take(one, *times)
        take(other, *times)
        following = rules(*random.choice(SETS))
        reload(one, following)
        other = runs[1].start(following)
    one.end(NOON + DAY)
    other.end(NOON + DAY)
    reloaded, restarted = (run.told() for run in runs)
    assert reloaded == restarted
    for run in runs:
        run.close()
    assert saved(runs[0].path) == saved(runs[1].path)


def test_what_cannot_be_saved_changes_nothing(opened: Opened) -> None:
    engine = opened.start(rules(DELETED, SPREE, STORY))
    take(engine, 0, 60)
    take(engine, 1300)
    before, clocks = opened.told(), {n: s.clock for n, s in engine.keyed.items()}
    with sqlite3.connect(opened.path) as db:
        db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON succession"
            " BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    db.close()
    with pytest.raises(sqlite3.IntegrityError):
        reload(engine, rules(DELETED))
    assert opened.told() == before
    assert {n: s.clock for n, s in engine.keyed.items()} == clocks
    assert engine.known.sha256 == rules(DELETED, SPREE, STORY).sha256
    with sqlite3.connect(opened.path) as db:
        db.execute("DROP TRIGGER full")
    db.close()

    calm = Embedded(rules(DELETED, SPREE, STORY), [LOGS], Limits())
    want = final([*take(calm, 0, 60), *take(calm, 1300), *take(calm, 1360), *calm.end(NOON + DAY)])
    take(engine, 1360)
    engine.end(NOON + DAY)
    assert final(opened.told()) == want


def test_a_crash_before_the_change_is_saved_does_it_at_the_start(opened: Opened) -> None:
    engine = opened.start(rules(DELETED, SPREE))
    take(engine, 0, 60)
    take(engine, 1300)
    engine.assembled(rules(DELETED))  # and here it is killed
    engine = opened.start(rules(DELETED))
    (finding,) = (r for r in opened.told()[-1:] if r.kind == "finding")
    assert (finding.state, finding.body["count"]) == ("final", 2)
    assert engine.succession is not None
    assert engine.succession.removed.first == ["correlation spree"]
    told = len(opened.told())
    opened.start(rules(DELETED))
    assert len(opened.told()) == told


def test_the_row_says_what_holds_from_when(opened: Opened) -> None:
    engine = opened.start(rules(DELETED, SPREE))
    take(engine, 0, 7200)
    reload(engine, rules(DELETED, SPREE))  # the same: no row
    reload(engine, rules(DELETED.replace("DeleteGuardrail", "D*"), SPREE, STORY))
    assert opened.journal is not None
    row, first = opened.journal.successions()
    assert row == engine.succession
    assert (row.rules, row.watermark) == (3, rfc3339(NOON + 2 * HOUR - 15 * MINUTE))
    assert row.read == {"logs": 2}
    assert row.added.first == ["convergence story"]
    assert row.changed.first == ["correlation spree", "detection deleted"]
    assert (row.removed.count, row.removed.first) == (0, [])
    assert (first.watermark, first.added.count) == (None, 2)


def test_new_rules_hold_from_the_watermark_on(opened: Opened) -> None:
    engine = opened.start(rules(DELETED))
    take(engine, 0, 60, 7200, 7210)
    reload(engine, rules(DELETED, SPREE))
    # The calls at 7200 and 7210 were read before the rule was there; what comes now is counted,
    # also where it lies between the watermark and what was read.
    assert [r.kind for r in take(engine, 7000, 7100)].count("finding") == 1
    engine.end(NOON + DAY)
    (finding,) = {r.id: r for r in opened.told() if r.kind == "finding"}.values()
    assert (finding.body["count"], finding.body["onset_time"]) == (2, rfc3339(NOON + 7100 * SECOND))


def test_who_comes_later_hears_what_is_not_settled(opened: Opened) -> None:
    engine = opened.start(rules(DELETED, SPREE))
    take(engine, 0, 60)
    reload(engine, rules(DELETED, SPREE, OTHER))
    (alert,) = (r for r in take(engine, 90) if r.kind == "alert")
    assert alert.body["onset_time"] == rfc3339(NOON + 60 * SECOND)


def test_a_level_more_does_not_stop_time(tmp_path: Path) -> None:
    """A stage that is new hears what the others have told, not only what they tell next."""
    opened = Opened(tmp_path / "journal.sqlite", [LOGS, Declared("more", ("cloudtrail",))])
    engine = opened.start(rules(DELETED, SPREE, STORY))
    take(engine, 0, 7200)
    engine.tick("more", NOON + HOUR)
    assert engine.keyed["assess/0"].clock.watermark == NOON + HOUR
    reload(engine, rules(DELETED, SPREE, AGAIN, STORY))
    assert engine.keyed["correlate-2/0"].clock.watermark == NOON + HOUR
    engine.tick("more", NOON + HOUR + MINUTE)  # `logs` says nothing
    assert engine.keyed["assess/0"].clock.watermark == NOON + HOUR + MINUTE
    opened.close()


def held(engine: Embedded) -> dict[str, set[str]]:
    return {name: set(stage.slots) for name, stage in engine.keyed.items()}


def test_fifty_changes_in_a_row_leave_no_state_behind(opened: Opened) -> None:
    engine = opened.start(rules(DELETED, STORY))
    for n in range(50):
        take(engine, 30 * n)
        name = f"name: spree{n}"
        reload(
            engine,
            rules(
                DELETED,
                STORY,
                SPREE.replace("name: spree", name),
                AGAIN.replace("spree", f"spree{n}"),
            ),
        )
    reload(engine, rules(DELETED, STORY))
    take(engine, 90_000)
    engine.tick("logs", NOON + 5 * DAY)
    calm = Embedded(rules(DELETED, STORY), [LOGS], Limits())
    take(calm, *(30 * n for n in range(50)), 90_000)
    calm.tick("logs", NOON + 5 * DAY)
    assert held(engine) == held(calm)
    newest = {(r.kind, r.id): r.state for r in opened.told()}
    assert set(newest.values()) <= {"final", "withdrawn"}
