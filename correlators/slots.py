"""Slots: the slots of one partition by key; where they are many, the quiet ones lie packed.

A quiet slot is no more than its compact state. As bytes that takes a fifth of the room, and the
collector of garbage need not walk it.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

import msgspec

from correlators.logic import Logic
from correlators.slot import Slot


class Slots(MutableMapping[str, Slot]):
    """A mapping of slots. Of one that was packed each look gives a new Slot: change a `draft`."""

    def __init__(self, logic: Logic) -> None:
        self._logic = logic
        self._held: dict[str, Slot | bytes] = {}
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
        return held.quiet if isinstance(held, Slot) else True

    def __getitem__(self, key: str) -> Slot:
        held = self._held[key]
        return held if isinstance(held, Slot) else self._unpacked(held)

    def __setitem__(self, key: str, slot: Slot) -> None:
        packed = self._logic.packed and slot.quiet
        self._held[key] = msgspec.msgpack.encode(slot.compact) if packed else slot

    def __delitem__(self, key: str) -> None:
        del self._held[key]

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def _unpacked(self, data: bytes) -> Slot:
        return Slot(self._decoder.decode(data))
