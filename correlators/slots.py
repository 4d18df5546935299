"""Slots: the slots of one partition by key; where they are many, those at rest lie packed.

Of a slot at rest all rows are settled. What is left of it, the compact state and the results that
are open, takes a fifth of the room as bytes, and the collector of garbage need not walk it.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import NamedTuple

import msgspec

from correlators.logic import Logic
from correlators.slot import Slot


class _Open(NamedTuple):
    """A slot at rest that has open results; one without is no more than its compact state."""

    dumped: bytes


class Slots(MutableMapping[str, Slot]):
    """A mapping of slots. Of one that was packed each look gives a new Slot: change a `draft`."""

    def __init__(self, logic: Logic) -> None:
        self._logic = logic
        self._held: dict[str, Slot | _Open | bytes] = {}
        self._decoder = msgspec.msgpack.Decoder(logic.state_type)

    def draft(self, key: str) -> Slot:
        """The slot of a key, or an empty one, that can be changed while this stays as it is."""
        held = self._held.get(key)
        if held is None:
            return Slot(self._logic.empty(key))
        return (held if isinstance(held, Slot) else self._unpacked(held)).copy(self._logic)

    def quiet(self, key: str) -> bool:
        """Whether a slot is quiet."""
        held = self._held[key]
        return held.quiet if isinstance(held, Slot) else isinstance(held, bytes)

    def __getitem__(self, key: str) -> Slot:
        held = self._held[key]
        return held if isinstance(held, Slot) else self._unpacked(held)

    def __setitem__(self, key: str, slot: Slot) -> None:
        self._held[key] = _packed(slot) if self._logic.packed and slot.settled else slot

    def __delitem__(self, key: str) -> None:
        del self._held[key]

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def _unpacked(self, held: _Open | bytes) -> Slot:
        if isinstance(held, bytes):
            return Slot(self._decoder.decode(held))
        return Slot.load(held.dumped, self._logic)


def _packed(slot: Slot) -> _Open | bytes:
    if slot.quiet:
        return msgspec.msgpack.encode(slot.compact)
    return _Open(slot.dump(tail=False, rows=False))
