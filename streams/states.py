"""States: what a batch leaves to be saved of the stages, and what they held from what was saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from correlators.correlate import Correlate
from correlators.keyed import Changes, Clock
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.slot import Slot
from schemas.times import END
from streams.assembly import CLOCK, Assembly, Held
from streams.journal import Saved
from streams.unsettled import Block, block, join

ALL = END + 1  # above every time
_CORRELATE = Correlate((), Routes(Ruleset()))  # of no rules: to read what other rules left


def dumped(changes: Mapping[str, Changes]) -> dict[tuple[str, str], bytes | None]:
    """Clocks, and slots that are not what they were, by stage and key; None is gone."""
    out: dict[tuple[str, str], bytes | None] = {}
    for name, change in changes.items():
        out[name, CLOCK] = msgspec.msgpack.encode(change.clock)
        for key, slot in change.slots.items():
            if slot is None:
                out[name, key] = None
            elif slot.changed:
                out[name, key] = saved(slot)
    return out


def saved(slot: Slot) -> bytes:
    """A slot without its unsettled rows."""
    return slot.dump(tail=False, rows=False)


def unsettled(assembly: Assembly, changes: Mapping[str, Changes]) -> Iterator[Block]:
    """The blocks of a batch, before it is applied."""
    for name, change in changes.items():
        yield from block(name, assembly.keyed[name].slots, change)


def passed(assembly: Assembly, changes: Mapping[str, Changes]) -> dict[str, int]:
    """The stages whose watermark moves."""
    return {
        name: change.clock.watermark
        for name, change in changes.items()
        if change.clock.watermark > assembly.keyed[name].clock.watermark
    }


def loaded(left: Saved, assembly: Assembly) -> dict[str, Held]:
    """What the stages held by the last commit."""
    held: dict[str, Held] = {}
    for name, state in left.state.items():
        clock = msgspec.msgpack.decode(state[CLOCK], type=Clock)
        # What is no more is a level of correlations.
        logic = assembly.keyed[name].logic if name in assembly.keyed else _CORRELATE
        slots = {key: Slot.load(data, logic) for key, data in state.items() if key != CLOCK}
        rows = left.unsettled.get(name, ())
        held[name] = Held(clock, join(slots, rows, clock.watermark))
    return held
