"""Keyed: its laws one by one, with a stage that adds up numbers until nothing came for ten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators import keyed
from correlators.keyed import Keyed
from correlators.logic import Emit, Logic
from correlators.slot import Slot
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import BEGINNING, END

PAUSE = 10  # a sum is closed when nothing was added for longer than this


class Sum(msgspec.Struct, array_like=True):
    """The open sum of one key."""

    total: int = 0
    first: int = 0
    last: int | None = None

    def copy(self) -> Sum:
        return msgspec.structs.replace(self)


class Adding(Logic):
    """A finding for each sum, a row for each time; a key that begins with `x` can be undone."""

    name = "adding"
    state_type = Sum

    def __init__(self) -> None:
        self.fired: list[str] = []  # a probe of these tests: for which keys there was work

    def apply(self, key: str, state: Sum, time: int, rows: Sequence[Row], emit: Emit, /) -> None:
        if state.last is None:
            state.first = time
        state.total += sum(row.body["n"] for row in rows)
        state.last = time
        body = {"total": state.total}
        emit.row(Row("next", 0, key, time, f"{key}/{time}", "sum", body))

    def fire(self, key: str, state: Sum, until: int, emit: Emit, /) -> None:
        self.fired.append(key)
        if state.last is not None and state.last + PAUSE < until:
            self.report(key, state, emit)
            state.total, state.last = 0, None

    def due(self, _key: str, state: Sum, /) -> int | None:
        return None if state.last is None else state.last + PAUSE

    def report(self, key: str, state: Sum, emit: Emit, /) -> None:
        if state.last is not None:
            body = {"total": state.total}
            emit.result("finding", f"{key}@{state.first}", state.last, body)

    def idle(self, state: Sum, /) -> bool:
        return state.last is None

    def provisional(self, key: str, /) -> bool:
        return not key.startswith("x")


class Said(NamedTuple):
    """What a step said, in short."""

    results: list[tuple[str, str, int]]  # id, state, total
    rows: list[tuple[str, int]]  # id, total
    deleted: list[str]
    ticks: list[tuple[int, int]]  # watermark, clock


def said(outputs: Iterable[Output]) -> Said:
    found = Said([], [], [], [])
    for output in outputs:
        match output:
            case Result():
                found.results.append((output.id, output.state, output.body["total"]))
            case Row():
                found.rows.append((output.id, output.body["total"]))
            case Delete():
                found.deleted.append(output.id)
            case Tick():
                found.ticks.append((output.watermark, output.clock))
    return found


class Driver:
    """Steps a partition and takes over its changes."""

    def __init__(self, *inputs: str) -> None:
        self.stage = Keyed(Adding(), "adding/0", 0, inputs or ("in",))

    def __call__(self, *batch: Row | Delete | Tick) -> Said:
        changes, outputs = self.stage.step(batch)
        self.stage.apply(changes)
        return said(outputs)

    @property
    def saved(self) -> dict[str, bytes]:
        return {key: slot.dump(tail=True) for key, slot in self.stage.slots.items()}


def row(time: int, n: int = 1, key: str = "a", id_: str = "", kind: str = "hit") -> Row:
    return Row("in", 0, key, time, id_ or f"r{time}", kind, {"n": n})


def tick(watermark: int, name: str = "in", clock: int | None = None) -> Tick:
    return Tick(name, 0, watermark, watermark if clock is None else clock)


@pytest.fixture
def step() -> Driver:
    return Driver()


# Law 1: the watermark


def test_the_watermark_is_the_minimum_over_all_inputs() -> None:
    step = Driver("a", "b", "c")
    assert step(tick(50, "a"), tick(70, "b")).ticks == []
    assert step.stage.clock.watermark == BEGINNING  # nothing was heard of c
    assert step(tick(60, "c")).ticks == [(50, 50)]
    assert step(tick(90, "b")).ticks == []  # a is where it was
    assert step(tick(80, "a")).ticks == [(60, 60)]


def test_a_watermark_never_goes_back(step: Driver) -> None:
    step(tick(50))
    assert step(tick(40)).ticks == []
    assert step.stage.clock.watermark == 50


def test_a_tick_of_nobody_that_was_declared_is_a_bug(step: Driver) -> None:
    with pytest.raises(AssertionError, match="adding/0: Tick of the undeclared other"):
        step(tick(50, "other"))


# Law 2: compact and tail


def test_what_the_tail_says_is_provisional_then_settled_then_final(step: Driver) -> None:
    assert step(row(5)) == ([("a@5", "provisional", 1)], [("a/5", 1)], [], [])
    assert step(tick(6)) == ([("a@5", "settled", 1)], [], [], [(6, 6)])
    assert step(row(8, 2)) == ([("a@5", "settled", 3)], [("a/8", 3)], [], [])
    assert step(tick(18)) == ([], [], [], [(18, 18)])
    assert step(tick(19)) == ([("a@5", "final", 3)], [], [], [(19, 19)])


def test_nothing_is_said_twice(step: Driver) -> None:
    step(row(5))
    assert step(row(5)) == ([], [], [], [])
    assert step(tick(5)) == ([], [], [], [(5, 5)])


def test_a_row_between_others_changes_what_they_said(step: Driver) -> None:
    step(row(5), row(9))
    assert step(row(7, 5)) == (
        [("a@5", "provisional", 7)],
        [("a/7", 6), ("a/9", 7)],
        [],
        [],
    )


def test_what_is_taken_back_is_withdrawn(step: Driver) -> None:
    step(row(5))
    assert step(Delete("in", 0, "a", 5, "r5")) == ([("a@5", "withdrawn", 1)], [], ["a/5"], [])
    assert step(Delete("in", 0, "a", 5, "r5")) == ([], [], [], [])
    assert step.stage.slots == {}


def test_an_earlier_onset_takes_the_place_of_a_provisional_one(step: Driver) -> None:
    step(row(5))
    assert step(row(3)).results == [("a@5", "withdrawn", 1), ("a@3", "provisional", 2)]


def test_all_rows_of_one_time_are_folded_together(step: Driver) -> None:
    assert step(row(5, 1, id_="p"), row(5, 2, id_="q")).rows == [("a/5", 3)]


def test_what_more_rows_can_undo_is_not_said_before_it_is_settled(step: Driver) -> None:
    assert step(row(5, key="x")) == ([], [], [], [])
    assert step(tick(6)) == ([("x@5", "settled", 1)], [("x/5", 1)], [], [(6, 6)])


def test_a_row_that_settles_at_once_is_said_once(step: Driver) -> None:
    assert step(row(5), tick(30)) == ([("a@5", "final", 1)], [("a/5", 1)], [], [(30, 30)])
    assert step.stage.slots == {}


# Law 3: deadlines


def test_a_row_at_exactly_the_deadline_is_in_time(step: Driver) -> None:
    assert step(row(5), row(15), tick(30)).results == [("a@5", "final", 2)]


def test_a_row_after_the_deadline_begins_anew(step: Driver) -> None:
    assert step(row(5), row(16), tick(30)).results == [("a@5", "final", 1), ("a@16", "final", 1)]


def test_a_deadline_at_the_watermark_is_not_passed(step: Driver) -> None:
    step(row(5))
    assert [state for _, state, _ in step(tick(15)).results] == ["settled"]
    assert [state for _, state, _ in step(tick(16)).results] == ["final"]


@pytest.mark.parametrize(("clock", "fires"), [(15, False), (16, True)])
def test_at_the_end_deadlines_before_the_clock_fire_and_the_rest_stays_open(
    clock: int,
    fires: bool,  # noqa: FBT001 - a case
) -> None:
    step = Driver("a", "b")
    step(row(5), tick(END, "a", clock=7))
    outcome = step(tick(END, "b", clock=clock))
    assert outcome.results == [("a@5", "final", 1)]
    assert outcome.ticks == [(END, clock)]
    assert (step.stage.slots == {}) is fires


# Law 4


def test_a_row_behind_the_watermark_is_a_bug(step: Driver) -> None:
    step(tick(50))
    assert step(row(50)).rows == [("a/50", 1)]
    with pytest.raises(AssertionError, match="adding/0: row behind the watermark 50"):
        step(row(49))
    with pytest.raises(AssertionError, match="adding/0: row behind the watermark 50"):
        step(Delete("in", 0, "a", 49, "r49"))


# Law 5


@pytest.mark.parametrize("copies", [(1, 2), (2, 1), (2, 1, 2)])
def test_of_copies_the_smallest_normal_form_wins(step: Driver, copies: tuple[int, ...]) -> None:
    for n in copies:
        step(row(5, n))
    assert step(tick(30)).results == [("a@5", "final", 1)]


def test_of_an_upsert_the_newest_wins(step: Driver) -> None:
    step(row(5, 1, kind="episode"), row(5, 2, kind="episode"))
    assert step(tick(30)).results == [("a@5", "final", 2)]


# Law 6


def test_a_step_changes_nothing_until_it_is_applied(step: Driver) -> None:
    step(row(5), row(7))
    before, clock = step.saved, step.stage.clock
    batch: list[Row | Delete | Tick] = [row(6, 5), row(1, key="b"), tick(30)]
    changes, outputs = step.stage.step(batch)
    assert (step.saved, step.stage.clock) == (before, clock)
    again, same = step.stage.step(batch)
    assert outputs == same
    assert changes.clock == again.clock
    step.stage.apply(changes)
    assert step.saved == {}
    assert step.stage.clock.watermark == 30


# State


def test_a_saved_slot_is_loaded_as_it_was(step: Driver) -> None:
    step(row(3), tick(4), row(5))
    slot = step.stage.slots["a"]
    loaded = Slot.load(slot.dump(tail=True), step.stage.logic)
    assert loaded.compact == Sum(1, 3, 3)
    assert list(loaded.tail) == [(5, "r5")]
    assert loaded.dump(tail=True) == slot.dump(tail=True)
    assert list(Slot.load(slot.dump(tail=False), step.stage.logic).tail) == []


def test_a_restored_stage_goes_on_where_it_was(step: Driver) -> None:
    step(row(3), tick(4), row(5))
    restored = Driver()
    saved = {k: Slot.load(data, step.stage.logic) for k, data in step.saved.items()}
    restored.stage.restore(step.stage.clock, saved)
    assert restored(tick(16)) == step(tick(16)) == ([("a@3", "final", 2)], [], [], [(16, 16)])


def test_a_restored_stage_waits_for_inputs_that_are_new(step: Driver) -> None:
    step(tick(50))
    restored = Driver("in", "new")
    restored.stage.restore(step.stage.clock, {})
    assert restored(tick(60)).ticks == []
    assert restored(tick(55, "new")).ticks == [(55, 55)]


def test_a_key_about_which_nothing_is_left_is_forgotten(step: Driver) -> None:
    step(row(5), row(100, key="b"))
    step(tick(40))
    assert list(step.stage.slots) == ["b"]
    assert step(tick(200)).results == [("b@100", "final", 1)]
    assert list(step.stage.slots) == []


def test_a_tick_costs_only_the_keys_that_are_due(step: Driver) -> None:
    step(*(row(100 * n, key=f"k{n:03d}") for n in range(1, 100)))
    logic = step.stage.logic
    assert isinstance(logic, Adding)
    logic.fired.clear()
    step(tick(450))
    assert set(logic.fired) == {"k001", "k002", "k003", "k004"}
    logic.fired.clear()
    step(tick(460))
    assert logic.fired == []


ROWS = st.lists(
    st.builds(row, st.integers(0, 60), st.integers(1, 3), st.sampled_from("abx"), st.just("")),
    max_size=25,
)


def test_deadlines_that_moved_are_few(step: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyed, "STALE", 3)
    step(row(0, key="b"), tick(1))  # is due at 10, before all that follows
    for time in range(1, 9):
        step(row(time), tick(time + 1))
    assert len(step.stage._queue) <= 2 * 2 + 3  # noqa: SLF001 - nothing else shows it
    assert step(tick(30)).results == [("a@1", "final", 8), ("b@0", "final", 1)]


@given(rows=ROWS, data=st.data())
def test_final_results_do_not_depend_on_order_batches_or_copies(
    rows: list[Row], data: st.DataObject
) -> None:
    once = Driver()
    want = [one for one in once(*rows, tick(END, clock=61)).results if one[1] == "final"]
    step, got = Driver(), list[tuple[str, str, int]]()
    arriving = data.draw(st.permutations(rows + rows[::2]))
    watermark = BEGINNING
    while arriving:
        size = data.draw(st.integers(1, 5))
        batch, arriving = arriving[:size], arriving[size:]
        floor = min((r.time for r in arriving), default=watermark)
        watermark = max(watermark, data.draw(st.sampled_from([watermark, floor])))
        got += step(*batch, tick(watermark)).results
    got += step(tick(END, clock=61)).results
    assert sorted(one for one in got if one[1] == "final") == sorted(want)
    newest = {id_: state for id_, state, _ in got}
    assert set(newest.values()) <= {"final", "withdrawn"}
