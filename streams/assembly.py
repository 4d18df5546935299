"""Assembly: the stages of one rule set, joined; a batch runs through all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from correlators.keyed import Changes, Clock
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.slot import Slot
from schemas.config import Limits
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import BEGINNING, END
from streams.bundle import bundled
from streams.declared import DECLARED
from streams.ingest import Ingest, Progress
from streams.matchers import Matchers
from streams.outdated import Outdated, orphaned, without
from streams.source import named
from streams.succession import known
from streams.topology import build, partition_of, stage_of

CLOCK = ""  # the key of a stage's own clock: no entity and no group has an empty key


class Raw(NamedTuple):
    """A raw input: what it can carry (None = any), and the lateness instead of its sources'."""

    sources: tuple[str, ...] | None
    lateness: int | None


class Held(NamedTuple):
    """What a stage holds."""

    clock: Clock
    slots: Mapping[str, Slot]


class TakenOver(NamedTuple):
    """What has to be saved with a change of rules, by stage and key (None = gone), and be said."""

    changed: dict[tuple[str, str], Slot | None]
    outputs: list[Output]


class Assembly:
    """One partition of each stage, at first empty; its state is the driver's to change."""

    def __init__(
        self,
        ruleset: Ruleset,
        inputs: Mapping[str, Raw],
        limits: Limits,
        not_after: int | None,
        *,
        saved: bool,
    ) -> None:
        """`saved`: the run has a journal."""
        routes, matchers = Routes(ruleset), Matchers(ruleset.rules, ruleset.advisories)
        carried = {name: one.sources for name, one in inputs.items()}
        self._bundles = {} if saved else bundled(ruleset, carried)
        if self._bundles:
            carried = {b.name: b.carried for b in self._bundles.values()}
        self.known = known(ruleset)
        self.keyed = build(ruleset, routes, {DECLARED: (), **carried}, partitions=1)
        self.ingest = {
            name: Ingest(name, matchers, routes, named, one.lateness, limits, not_after)
            for name, one in inputs.items()
        }
        self._readers: dict[str, list[str]] = {}
        for name, stage in self.keyed.items():
            for feeder in stage.clock.ticks:
                self._readers.setdefault(feeder, []).append(name)
        self._matchers, self._inputs = matchers, inputs

    def prepare(self) -> None:
        """Make now what the first records would else wait for."""
        for name in {name for one in self._inputs.values() for name in one.sources or ()}:
            self._matchers.raw(named(name))

    def run(self, outputs: Iterable[Output]) -> tuple[dict[str, Changes], list[Result]]:
        """One batch through all stages, each stepped once: rows only flow downwards.

        Changes nothing.
        """
        inbox: dict[str, list[Row | Delete | Tick]] = {}
        results: list[Result] = []
        changes: dict[str, Changes] = {}

        def send(outputs: Iterable[Output]) -> None:
            for output in outputs:
                if type(output) is Result:
                    results.append(output)
                elif type(output) is Tick:
                    for reader in self._readers.get(output.input, ()):
                        inbox.setdefault(reader, []).append(output)
                else:
                    owner = f"{stage_of(output)}/{partition_of(output.key, 1)}"
                    inbox.setdefault(owner, []).append(output)

        send(self._told(outputs))
        for name, stage in self.keyed.items():
            batch = inbox.pop(name, None)
            if batch:
                changes[name], told = stage.step(batch)
                send(told)
        return changes, results

    def take_over(
        self, held: Mapping[str, Held], outdated: Outdated, progress: Mapping[str, Progress]
    ) -> TakenOver:
        """Go on with what stages of other rules hold, without what is outdated.

        A stage that is new, or hears an input only now, begins where that one is.
        """
        taken = TakenOver({}, [])
        unheard: dict[str, None] = {}
        for name, stage in self.keyed.items():
            before = held.get(name)
            heard = {} if before is None else before.clock.ticks
            unheard |= dict.fromkeys(f for f in stage.clock.ticks if f not in heard)
            if before is not None:
                kept = without(stage.logic, before.slots, outdated, before.clock.watermark)
                for slot in kept.slots.values():
                    slot.ahead = None  # others may want to know of it now
                stage.restore(before.clock, kept.slots)
                taken.changed.update({(name, key): kept.slots.get(key) for key in kept.changed})
                taken.outputs.extend(kept.outputs)
        for name in held.keys() - self.keyed.keys():
            taken.changed.update({(name, key): None for key in (CLOCK, *held[name].slots)})
            taken.outputs.extend(orphaned(held[name].slots, outdated))
        taken.outputs.extend(tick for f in unheard for tick in self._last(f, progress))
        return taken

    def passed(self, input_: str) -> int:
        """The time that a stage which reads the input has passed: older records of it are late."""
        return max(self.keyed[reader].clock.watermark for reader in self._readers[input_])

    @property
    def watermark(self) -> int:
        """The highest of any stage: behind it nothing is judged any more."""
        return max(stage.clock.watermark for stage in self.keyed.values())

    def _told(self, outputs: Iterable[Output]) -> Iterator[Output]:
        for output in outputs:
            if type(output) is Tick and output.input in self._bundles:
                yield from self._bundles[output.input].heard(output)
            else:
                yield output

    def _last(self, feeder: str, progress: Mapping[str, Progress]) -> Iterator[Tick]:
        """What a feeder has last told, if anything."""
        if feeder in progress:
            told = progress[feeder].told
            tick = Tick(feeder, 0, told, progress[feeder].clock if told == END else told)
        elif feeder in self.keyed:
            stage = self.keyed[feeder]
            tick = Tick(feeder, stage.level, stage.clock.watermark, stage.clock.clock)
        else:
            return  # what the configuration declares is said at each start
        if tick.watermark > BEGINNING:
            yield tick
