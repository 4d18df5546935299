"""Rules change while the engine runs: it is a restart without the pause, or nothing at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from schemas.config import Limits
from schemas.rows import Result
from schemas.times import DAY, HOUR, MINUTE, SECOND, rfc3339
from streams.embedded import Declared, Embedded
from streams.input import Chunk
from streams.journal import Journal, Saved
from tests.streams.changing import AGAIN, OTHER, SPREE, STORY, Opened, final, reload, rules
from tests.streams.trail import DELETED, NOON, call

LOGS = Declared("logs", ("cloudtrail",))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made = Opened(tmp_path / "journal.sqlite", [LOGS])
    yield made
    made.close()


def take(engine: Embedded, *times: int) -> list[Result]:
    documents = [call(at, "DeleteGuardrail") for at in times]
    return engine.take("logs", Chunk("cloudtrail", "file:in", documents, None, None))


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
