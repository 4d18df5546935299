"""Slots: what lies packed is what was put there."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.keyed import Keyed
from correlators.logic import Emit, Logic
from correlators.slot import Slot
from correlators.slots import Slots
from schemas.rows import Output, Result, Row, Tick


class Total(msgspec.Struct, array_like=True):
    """The sum of one key."""

    total: int = 0

    def copy(self) -> Total:
        return Total(self.total)


class Totals(Logic):
    """Tells the sum of a key each time; nothing is ever open."""

    name = "totals"
    state_type = Total

    def __init__(self, *, packed: bool) -> None:
        self.packed = packed

    def apply(self, key: str, state: Total, time: int, rows: Sequence[Row], emit: Emit, /) -> None:
        state.total += sum(row.body["n"] for row in rows)
        emit.row(Row("next", 0, key, time, f"{key}/{time}", "sum", {"total": state.total}))

    def idle(self, state: Total, /) -> bool:
        return state.total == 0


def row(key: str, time: int, n: int) -> Row:
    return Row("in", 0, key, time, f"{key}-{time}-{n}", "number", {"n": n})


def is_packed(slots: Slots, key: str) -> bool:
    return slots[key] is not slots[key]


@pytest.mark.parametrize("packed", [True, False])
def test_a_slot_at_rest_is_packed_with_what_is_open_of_it(*, packed: bool) -> None:
    said = Result("alert", "x", 5, "settled", {"stage": "watch", "why": [{"points": 7}]})
    slots = Slots(Totals(packed=packed))
    slots["a"] = Slot(Total(7), results=[said])
    assert is_packed(slots, "a") is packed
    assert slots["a"].compact.total == 7
    assert slots["a"].results == {("alert", "x"): said}
    assert not slots.quiet("a")


def test_a_slot_with_an_unsettled_row_is_not_packed() -> None:
    slots = Slots(Totals(packed=True))
    slots["a"] = Slot(Total(7), tail=[row("a", 1, 2)])
    assert not is_packed(slots, "a")


@pytest.mark.parametrize("packed", [True, False])
def test_a_quiet_slot_is_packed_where_keys_are_many(*, packed: bool) -> None:
    slots = Slots(Totals(packed=packed))
    slots["a"] = Slot(Total(7))
    assert is_packed(slots, "a") is packed
    assert slots["a"].compact.total == 7
    assert slots.quiet("a")
    assert (list(slots), len(slots), "a" in slots, "b" in slots) == (["a"], 1, True, False)
    del slots["a"]
    assert len(slots) == 0


def test_an_unsettled_slot_is_not() -> None:
    slots = Slots(Totals(packed=True))
    slots["a"] = Slot(Total(7), [row("a", 1, 1)])
    assert not is_packed(slots, "a")
    assert not slots.quiet("a")


def test_a_draft_changes_nothing() -> None:
    logic = Totals(packed=True)
    slots = Slots(logic)
    slots["a"] = Slot(Total(7))
    draft = slots.draft("a")
    assert not draft.changed
    draft.own(logic).total += 1
    assert draft.changed
    assert slots["a"].compact.total == 7
    assert slots.draft("b").compact.total == 0


@given(
    batches=st.lists(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.integers(-2, 2))),
        max_size=8,
    )
)
def test_nothing_else_differs(batches: list[list[tuple[str, int, int]]]) -> None:
    said: list[list[Output]] = []
    saved: list[dict[str, bytes]] = []
    for packed in (True, False):
        stage = Keyed(Totals(packed=packed), "totals/0", 0, ["in"])
        outputs: list[Output] = []
        for number, batch in enumerate(batches):
            rows = [row(key, 10 * number + time, n) for key, time, n in batch]
            watermark = 10 * number + 3
            changes, told = stage.step([*rows, Tick("in", 0, watermark, watermark)])
            stage.apply(changes)
            outputs += told
        said.append(outputs)
        saved.append({key: slot.dump(tail=True) for key, slot in stage.slots.items()})
    assert said[0] == said[1]
    assert saved[0] == saved[1]
