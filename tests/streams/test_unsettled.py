"""Unsettled rows: saved slots and blocks give what the stage holds, and a block what came."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from correlators.keyed import Changes, Keyed
from correlators.slot import Slot
from schemas.rows import Delete, Row, Tick
from schemas.times import END
from streams.unsettled import SIZE, Block, Unsettled, block, blocks, join
from tests.correlators.test_keyed import Adding, row, tick

Batch = list[Row | Delete | Tick]

rows = st.builds(
    row,
    st.integers(0, 60),
    st.integers(1, 3),
    key=st.sampled_from("abc"),
    id_=st.sampled_from("xy"),
)


@st.composite
def batches(draw: st.DrawFn) -> list[Batch]:
    found: list[Batch] = []
    watermark = 0
    for _ in range(draw(st.integers(1, 8))):
        batch: Batch = [one for one in draw(st.lists(rows, max_size=6)) if one.time >= watermark]
        taken = [one for earlier in (*found, batch) for one in earlier if isinstance(one, Row)]
        for one in draw(st.lists(st.sampled_from(taken), max_size=4)) if taken else ():
            if one.time >= watermark:
                batch.append(Delete(one.topic, one.level, one.key, one.time, one.id))
        if draw(st.booleans()):
            watermark = max(watermark, draw(st.integers(0, 50)))
            batch.append(tick(watermark))
        found.append(batch)
    return found


class Saved:
    """What a journal would hold of one stage."""

    def __init__(self) -> None:
        self.slots: dict[str, bytes] = {}
        self.blocks: list[Block] = []

    def save(self, keyed: Keyed, changes: Changes) -> None:
        for key, slot in changes.slots.items():
            if slot is None:
                self.slots.pop(key, None)
            elif slot.changed:
                self.slots[key] = slot.dump(tail=False, rows=False)
        kept = [one for one in self.blocks if one.latest >= changes.clock.watermark]
        self.blocks = [*kept, *block("s", keyed.slots, changes)]

    def load(self, keyed: Keyed) -> Mapping[str, Slot]:
        slots = {key: Slot.load(value, keyed.logic) for key, value in self.slots.items()}
        return join(slots, [one.value for one in self.blocks], keyed.clock.watermark)


def held(slots: Mapping[str, Slot]) -> dict[str, object]:
    return {
        key: (slot.compact, dict(slot.tail), dict(slot.rows), slot.results)
        for key, slot in slots.items()
    }


@given(given_=batches())
def test_what_is_saved_is_what_is_held(given_: list[Batch]) -> None:
    keyed, saved = Keyed(Adding(), "me", 0, ["in"]), Saved()
    end: Batch = [tick(END, clock=100)]
    for batch in (*given_, end):
        changes, _ = keyed.step(batch)
        saved.save(keyed, changes)
        keyed.apply(changes)
        assert held(saved.load(keyed)) == held(keyed.slots)
    assert saved.blocks == []


@given(given_=batches())
def test_all_written_anew_is_what_is_held(given_: list[Batch]) -> None:
    keyed, saved = Keyed(Adding(), "me", 0, ["in"]), Saved()
    for batch in given_:
        keyed.apply(keyed.step(batch)[0])
    saved.slots = {k: s.dump(tail=False, rows=False) for k, s in keyed.slots.items()}
    saved.blocks = list(blocks("s", keyed.slots))
    assert held(saved.load(keyed)) == held(keyed.slots)


def test_a_block_holds_what_came_however_much_was_there() -> None:
    keyed = Keyed(Adding(), "me", 0, ["in"])
    keyed.apply(keyed.step([row(time) for time in range(3_000)])[0])

    changes, _ = keyed.step([row(3_000), row(3_001), Delete("in", 0, "a", 2_999, "r2999")])

    (found,) = block("s", keyed.slots, changes)
    (one,) = msgspec.msgpack.decode(found.value, type=list[Unsettled])
    assert [row.time for row in one.came] == [3_000, 3_001]
    assert one.back == [(2_999, "r2999")]
    assert (found.stage, found.latest) == ("s", 3_001)
    assert len(one.said) < 100  # what was folded anew since the last mark
    assert [k[3] for k in one.unsaid] == [2_999]


def test_what_settles_at_once_is_in_no_block() -> None:
    keyed = Keyed(Adding(), "me", 0, ["in"])
    changes, _ = keyed.step([row(1), row(2), tick(3)])
    assert block("s", keyed.slots, changes) == []


def test_what_is_written_anew_lies_in_order_of_time() -> None:
    keyed = Keyed(Adding(), "me", 0, ["in"])
    keyed.apply(keyed.step([row(time, key="ab"[time % 2]) for time in range(SIZE)])[0])
    latest = [one.latest for one in blocks("s", keyed.slots)]  # each row, and the one it published
    assert latest == [SIZE // 2 - 1, SIZE - 1]
