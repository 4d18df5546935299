"""Every kind of habit against its definition, over random streams however they arrive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from correlators.habits.stage import Habits
from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.slot import Slot
from schemas.detection import Detection, Logsource
from schemas.habit import FirstSeen, Habit, Missing, Silence, Volume
from schemas.rows import Result, Row, Tick
from schemas.times import DAY, END, HOUR, MINUTE, parse
from schemas.topics import HABITS
from tests.correlators.habits.brute import Said, Seen, signals

START = parse("2026-01-05T12:00:00Z")
LATENESS = 3 * HOUR
ABOUT = {"by": ("g",), "of": ("v",)}


def detection(habit: Habit) -> Detection:
    """A rule with this habit."""
    return Detection(
        id="rule", title="rule", family="rule", logsource=Logsource(product="x"), habit=habit
    )


def row(one: Seen) -> Row:
    """As ingest makes it."""
    body = {"value": one.value, "amount": one.amount, "marked": one.marked}
    rest = {"event": one.id, "sha256": "0" * 64, "entities": [], "fields": {}}
    return Row(HABITS, 0, '["rule","a"]', one.time, one.id, "observation", body | rest)


def final(habit: Habit, seen: Sequence[Seen], until: int, random: Random | None) -> list[Said]:
    """The signals of the stage; with `random` rows come late, twice, in chunks, across restarts."""
    logic = Habits([detection(habit)], Routes(Ruleset()))
    stage = Keyed(logic, "stage/0", 0, ["in"])
    found: list[Said] = []
    batch: list[Row | Tick] = []
    watermark = -END

    def step() -> None:
        nonlocal stage
        changes, outputs = stage.step(batch)
        stage.apply(changes)
        batch.clear()
        for output in outputs:
            assert not isinstance(output, Row)  # nobody waits for it
            if isinstance(output, Result):
                assert output.state == "final"
                found.append((output.time, output.id))
        if random is not None and random.random() < 0.1:
            slots = {
                key: Slot.load(slot.dump(tail=True), logic) for key, slot in stage.slots.items()
            }
            clock, stage = stage.clock, Keyed(logic, "stage/0", 0, ["in"])
            stage.restore(clock, slots)

    coming = [(one.time, one) for one in sorted(seen)]
    if random is not None:
        again = [one for one in seen if random.random() < 0.2]
        delayed = [(one.time + random.randrange(LATENESS), one) for one in (*seen, *again)]
        coming = sorted(delayed, key=lambda pair: pair[0])
    for _, one in coming:
        watermark = max(watermark, one.time - (0 if random is None else LATENESS))
        batch += [row(one), Tick("in", 0, watermark, watermark)]
        if random is not None and random.random() < 0.2:
            step()
    batch.append(Tick("in", 0, END, until))
    step()
    return sorted(found)


def _habits(random: Random) -> dict[str, Habit]:
    base: dict[str, Any] = {"by": ("g",)}
    return {
        "first_seen": FirstSeen(
            type="first_seen",
            of=("v",),
            learning=random.choice([0, DAY, 3 * DAY]),
            memory=random.choice([4 * DAY, 10 * DAY]),
            **base,
        ),
        "volume": Volume(
            type="volume",
            least=random.choice([0, 3]),
            times=random.choice([1, 2]),
            deviations=random.choice([0, 2]),
            learning=random.choice([DAY, 4 * DAY]),
            memory=random.choice([8 * DAY, 21 * DAY]),
            **base,
        ),
        "silence": Silence(
            type="silence",
            hours=random.choice([1, 3]),
            memory=random.choice([15 * DAY, 28 * DAY]),
            **base,
        ),
        "missing": Missing(
            type="missing",
            of=("m",),
            least=random.choice([1, 4]),
            times=random.choice([1, 2]),
            hours=random.choice([2, 6]),
            learning=random.choice([0, 2 * DAY]),
            memory=random.choice([4 * DAY, 15 * DAY]),
            **base,
        ),
    }


def stream(random: Random, days: int) -> list[Seen]:
    """Some hours of each day, most of them usual; pauses, floods, times at the full hour."""
    usual = sorted(random.sample(range(24), random.choice([1, 3, 6])))
    found: list[Seen] = []
    pause = random.sample(range(days), random.choice([0, 0, 2]))
    for day in range(days):
        if day in pause or (random.random() < 0.05):
            continue
        hours = [hour for hour in usual if random.random() < 0.9]
        hours += [random.randrange(24)] if random.random() < 0.1 else []
        for hour in hours:
            marked = random.random() < 0.9
            for _ in range(random.choice([1, 2, 2, 3, 3, 12])):
                minute = random.choice([0, 0, 30, 59]) * MINUTE
                found.append(
                    Seen(
                        START + day * DAY + hour * HOUR + minute,
                        f"{len(found):04}",
                        random.choice("aaaabbc" if random.random() < 0.9 else "defg"),
                        random.choice([1, 1, 5]) * 10**6,
                        marked and random.random() < 0.7,
                    )
                )
    return found


EVERY = pytest.mark.parametrize("kind", ["first_seen", "volume", "silence", "missing"])


@EVERY
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_signals_are_those_of_the_definition_however_rows_arrive(kind: str, seed: int) -> None:
    random = Random(seed)
    habit, seen = _habits(random)[kind], stream(random, random.choice([6, 25, 40]))
    latest = max((one.time for one in seen), default=START)
    until = latest + random.choice([0, HOUR, 5 * DAY, 40 * DAY])
    expected = signals(habit, seen, until)
    assert final(habit, seen, until, None) == expected
    assert final(habit, seen, until, random) == expected


@EVERY
def test_the_streams_have_something_to_say(kind: str) -> None:
    """Else the test above would hold of a stage that says nothing."""
    spoken = 0
    for seed in range(15):
        random = Random(seed)
        habit, seen = _habits(random)[kind], stream(random, 25)
        spoken += bool(signals(habit, seen, START + 60 * DAY))
    assert spoken >= 5


@given(seed=st.integers(0, 2**32), most=st.integers(1, 4))
def test_a_group_with_too_many_values_is_silent_rather_than_wrong(seed: int, most: int) -> None:
    random = Random(seed)
    seen = stream(random, 40)
    whole = FirstSeen(type="first_seen", by=("g",), of=("v",), learning=DAY, memory=4 * DAY)
    few = whole.model_copy(update={"most": most})
    until = START + 60 * DAY
    assert set(final(few, seen, until, random)) <= set(signals(whole, seen, until))


def test_values_are_bounded_and_so_is_the_state() -> None:
    habit = FirstSeen(type="first_seen", by=("g",), of=("v",), most=10)
    stage = Keyed(Habits([detection(habit)], Routes(Ruleset())), "stage/0", 0, ["in"])
    for n in range(1_000):
        one = Seen(START + n * MINUTE, f"{n}", f"value-{n}", 0, marked=False)
        changes, _ = stage.step([row(one), Tick("in", 0, one.time + 1, one.time + 1)])
        stage.apply(changes)
    (slot,) = stage.slots.values()
    assert len(slot.dump(tail=False)) < 400


def _forever(habit: Habit, of: Callable[[int], Seen]) -> int:
    """The bytes of the state of a group that has spoken each hour for two months."""
    stage = Keyed(Habits([detection(habit)], Routes(Ruleset())), "stage/0", 0, ["in"])
    for hour in range(24 * 60):
        one = of(hour)
        changes, _ = stage.step([row(one), Tick("in", 0, one.time + 1, one.time + 1)])
        stage.apply(changes)
    (slot,) = stage.slots.values()
    return len(slot.dump(tail=False))


@EVERY
def test_what_is_remembered_does_not_grow(kind: str) -> None:
    habit = _habits(Random(0))[kind].model_copy(update={"memory": 28 * DAY})
    size = _forever(
        habit, lambda n: Seen(START + n * HOUR, f"{n}", str(n % 50), 10**6, marked=bool(n % 9))
    )
    assert size < 14_000  # 672 hours of at most 18 bytes, and the last row


def test_a_group_of_which_nothing_is_heard_is_forgotten() -> None:
    for habit in _habits(Random(1)).values():
        stage = Keyed(Habits([detection(habit)], Routes(Ruleset())), "stage/0", 0, ["in"])
        one = Seen(START, "1", "a", 10**6, marked=True)
        for time in (START + 1, START + 70 * DAY):
            batch = [row(one)] if time == START + 1 else []
            changes, _ = stage.step([*batch, Tick("in", 0, time, time)])
            stage.apply(changes)
        assert stage.slots == {}
