"""Unsettled: what a stage holds above its watermark, saved as it comes, in blocks.

Laws:
1. A slot is saved without its unsettled rows. A block holds what a step changed of them: so a batch
   costs what it brings, however much of a key is unsettled before it.
2. Blocks are read in the order in which they were written; rows that are settled are passed over.
3. A block whose latest row lies below the watermark says nothing any more, and is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from correlators.draft import Place
from correlators.keyed import Changes
from correlators.logic import RowKey, row_key
from correlators.slot import Slot
from schemas.rows import Row

SIZE = 1_000  # rows of a block where all are written anew: each is dropped for itself


class Unsettled(msgspec.Struct, array_like=True):
    """What changed of a key: rows that came and that were taken back, and those it published."""

    key: str
    came: list[Row] = []
    back: list[Place] = []
    said: list[Row] = []
    unsaid: list[RowKey] = []

    @property
    def times(self) -> Iterator[int]:
        """The times of all of them."""
        yield from (row.time for row in (*self.came, *self.said))
        yield from (time for time, _ in self.back)
        yield from (time for _, _, _, time, _ in self.unsaid)


class Block(NamedTuple):
    """What is saved of a stage at once, and the time of the latest row in it."""

    stage: str
    latest: int
    value: bytes


_decoder = msgspec.msgpack.Decoder(list[Unsettled])


def block(stage: str, before: Mapping[str, Slot], changes: Changes) -> list[Block]:
    """What a step changes of a stage whose slots were these: one block, or none."""
    watermark = changes.clock.watermark
    found: list[Unsettled] = []
    for key, slot in changes.slots.items():
        if slot is not None:
            one = _changed(key, slot, watermark)
        elif key in before:
            one = _forgotten(key, before[key], watermark)
        else:
            continue
        if one.came or one.back or one.said or one.unsaid:
            found.append(one)
    return [_block(stage, found)] if found else []


def blocks(stage: str, slots: Mapping[str, Slot]) -> Iterator[Block]:
    """All that the slots hold, in order of time: what lies early can soon be dropped."""
    held = [(row.time, key, row, True) for key, slot in slots.items() for row in slot.tail.values()]
    held += [
        (row.time, key, row, False) for key, slot in slots.items() for row in slot.rows.values()
    ]
    held.sort(key=lambda one: one[0])
    for start in range(0, len(held), SIZE):
        found: dict[str, Unsettled] = {}
        for _, key, row, came in held[start : start + SIZE]:
            one = found.setdefault(key, Unsettled(key, [], [], [], []))
            (one.came if came else one.said).append(row)
        yield _block(stage, found.values())


def join(slots: Mapping[str, Slot], values: Iterable[bytes], watermark: int) -> dict[str, Slot]:
    """The slots, saved without them, with the unsettled rows of the blocks."""
    tails: dict[str, dict[Place, Row]] = {key: {} for key in slots}
    said: dict[str, dict[RowKey, Row]] = {key: {} for key in slots}
    for value in values:
        for one in _decoder.decode(value):
            if one.key not in slots:
                continue  # it was forgotten since
            tail, rows = tails[one.key], said[one.key]
            tail.update({(r.time, r.id): r for r in one.came if r.time >= watermark})
            rows.update({row_key(r): r for r in one.said if r.time >= watermark})
            for place in one.back:
                tail.pop(place, None)
            for published in one.unsaid:
                rows.pop(published, None)
    return {
        key: Slot(slot.compact, tails[key].values(), said[key].values(), slot.results.values())
        for key, slot in slots.items()
    }


def _changed(key: str, slot: Slot, watermark: int) -> Unsettled:
    one = Unsettled(key, [], [], [], [])
    for place, row in slot.tail.changed.items():
        if place[0] >= watermark:
            one.back.append(place) if row is None else one.came.append(row)
    for said, row in slot.rows.changed.items():
        if said[3] >= watermark:
            one.unsaid.append(said) if row is None else one.said.append(row)
    return one


def _forgotten(key: str, slot: Slot, watermark: int) -> Unsettled:
    """All was taken back or is settled: should the key come again, nothing of it is there."""
    back = [place for place in slot.tail if place[0] >= watermark]
    return Unsettled(key, [], back, [], [said for said in slot.rows if said[3] >= watermark])


def _block(stage: str, found: Iterable[Unsettled]) -> Block:
    parts = list(found)
    latest = max(time for one in parts for time in one.times)
    return Block(stage, latest, msgspec.msgpack.encode(parts))
