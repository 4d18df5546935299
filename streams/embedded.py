"""Embedded driver: all stages in one process; a batch runs through every stage, then is saved.

Laws:
1. Outputs, state changes and input positions of a batch are saved together or not at all; memory
   follows the journal.
2. Rules change between two batches, in a transaction of its own: state, what ends, and the row that
   says so. A restart with other rules is the same change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from correlators.keyed import Keyed
from correlators.ruleset import Ruleset
from schemas.config import Limits, SystemConfig
from schemas.errors import Mistake
from schemas.rows import Output, Result, Tick
from schemas.times import BEGINNING, END, rfc3339
from streams import states
from streams.assembly import Assembly, Held, Raw
from streams.declared import DECLARED, edges, said
from streams.ingest import Progress
from streams.input import Chunk
from streams.journal import Journal, Saved
from streams.outdated import Outdated
from streams.succession import Known, Succession, succession
from streams.unsettled import blocks


class Declared(NamedTuple):
    """A raw input, declared at start.

    `sources`: what it can carry (None = any); `lateness`: instead of theirs.
    """

    name: str
    sources: tuple[str, ...] | None = None
    lateness: int | None = None


class Embedded:
    """The stages and their state.

    Without a journal nothing survives the process: a replay needs no more.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        inputs: Sequence[Declared],
        limits: Limits,
        journal: Journal | None = None,
        systems: Sequence[SystemConfig] = (),
        not_after: int | None = None,
    ) -> None:
        """Continue from the journal where there is something in it.

        What is new since then, an input or a rule, holds from the saved time on.
        """
        self.journal = journal
        self._inputs = {i.name: Raw(i.sources, i.lateness) for i in inputs}
        self._limits, self._not_after = limits, not_after
        self._assembly = self.assembled(ruleset)
        self.positions: dict[str, Any] = {}
        self.progress = {i.name: Progress() for i in inputs}
        self.succession: Succession | None = None
        if journal is not None:
            saved = journal.load()
            self._restore(saved)
            before = msgspec.convert(saved.meta, Known) if saved.meta is not None else Known()
            self._adopt(self._assembly, states.loaded(saved, self._assembly), before)
            self.succession = next(iter(journal.successions(1)), None)
        self._declare(systems)

    @property
    def keyed(self) -> Mapping[str, Keyed]:
        """The keyed stages by name."""
        return self._assembly.keyed

    @property
    def known(self) -> Known:
        """What is known of the rules that run."""
        return self._assembly.known

    def assembled(self, ruleset: Ruleset) -> Assembly:
        """The stages of these rules, for `adopt`; may be made in any thread."""
        saved = self.journal is not None
        return Assembly(ruleset, self._inputs, self._limits, self._not_after, saved=saved)

    def adopt(self, assembly: Assembly) -> Succession | None:
        """Run with these rules from now on; the row of the change, None if nothing differs.

        All or nothing: what raises (Unavailable: it cannot be saved) leaves the old rules. For a
        run with a journal.
        """
        if self.journal is None:
            raise AssertionError("a run that saves nothing has one rule set")
        if assembly.known == self.known:
            return None
        held = {name: Held(stage.clock, stage.slots) for name, stage in self.keyed.items()}
        self._adopt(assembly, held, self.known)
        return self.succession

    def take(self, name: str, chunk: Chunk, at: str | None = None) -> list[Result]:
        """Run a chunk of an input through all stages and save; returns what to tell sinks.

        `at`: the name under which the position is saved, where several inputs share one reader.
        """
        progress, outputs = self._assembly.ingest[name].step(self.progress[name], chunk)
        return self._save({name: progress}, {at or name: chunk.position}, outputs)

    def tick(self, name: str, watermark: int) -> list[Result]:
        """Time passed at an idle input; from now on older records of it are late."""
        tick = Tick(name, 0, watermark, watermark)
        progress, outputs = self._assembly.ingest[name].tick(self.progress[name], tick)
        return self._save({name: progress}, {}, outputs)

    def exhausted(self, name: str) -> list[Result]:
        """An input has ended while others go on: nothing waits for it any more."""
        progress, outputs = self._assembly.ingest[name].tick(
            self.progress[name], Tick(name, 0, END, BEGINNING)
        )
        return self._save({name: progress}, {}, outputs)

    def end(self, until: int | None = None) -> list[Result]:
        """The end of a finite run: all rows settle, as if time had passed up to `until`.

        By default that is the latest event; one that lies after `until` is a Mistake. Call it while
        at least one input is not exhausted.
        """
        clock = self.latest if until is None else until
        if clock < self.latest:
            raise Mistake(
                f"--until {rfc3339(clock)} lies before the latest record, {rfc3339(self.latest)};"
                " give a later time"
            )
        moved, outputs = dict[str, Progress](), list[Output]()
        for name, stage in self._assembly.ingest.items():
            moved[name], told = stage.tick(self.progress[name], Tick(name, 0, END, clock))
            outputs += told
        return self._save(moved, {}, outputs)

    @property
    def latest(self) -> int:
        """The greatest event time of all inputs."""
        return max((p.latest for p in self.progress.values()), default=BEGINNING)

    def place(self, name: str) -> tuple[int, str]:
        """An order of inputs: read on with the lowest, so that none runs ahead of the others."""
        return self.progress[name].latest, name

    def counts(self) -> dict[str, int]:
        """read, parsed, rejected and late over all inputs; read = parsed + rejected."""
        total = Counter[str]()
        for progress in self.progress.values():
            total.update(progress.counts())
        return {name: total[name] for name in ("read", "parsed", "rejected", "late")}

    def _save(
        self,
        progress: Mapping[str, Progress],
        positions: Mapping[str, Any],
        outputs: Iterable[Output],
    ) -> list[Result]:
        changes, results = self._assembly.run(outputs)
        if self.journal is not None:
            self.journal.commit(
                {
                    name: {
                        "at": positions.get(name, self.positions.get(name)),
                        "progress": msgspec.to_builtins(progress.get(name)),
                    }
                    for name in progress.keys() | positions.keys()
                },
                states.dumped(changes),
                [msgspec.msgpack.encode(result) for result in results],
                unsettled=states.unsettled(self._assembly, changes),
                settled=states.passed(self._assembly, changes),
            )
        self.progress.update(progress)
        self.positions.update(positions)
        for name, change in changes.items():
            self.keyed[name].apply(change)
        return results

    def _adopt(self, assembly: Assembly, held: Mapping[str, Held], before: Known) -> None:
        """Go on with the stages of these rules where those of others stopped."""
        outdated = Outdated(before.rules, assembly.known.rules)
        taken = assembly.take_over(held, outdated, self.progress)
        # What is new, or comes back, or feeds a rule only now, was not waited for.
        progress = {
            name: msgspec.structs.replace(one, watermark=max(one.watermark, assembly.passed(name)))
            for name, one in self.progress.items()
        }
        changes, results = assembly.run(taken.outputs)
        now, row = assembly.known, None
        if self.journal is not None:
            if now != before:
                read = {name: one.read for name, one in progress.items()}
                row = succession(before, now, assembly.watermark, read, self.journal.now())
            changed = {
                place: None if slot is None else states.saved(slot)
                for place, slot in taken.changed.items()
            }
            unsettled = list(states.unsettled(assembly, changes))
            settled = states.passed(assembly, changes)
            if row is not None:  # rows go over to others, or are gone: all are written anew
                stages = assembly.keyed.items()
                unsettled[:0] = [one for name, stage in stages for one in blocks(name, stage.slots)]
                settled = dict.fromkeys((*held, *assembly.keyed), states.ALL)
            self.journal.commit(
                {},
                {**changed, **states.dumped(changes)},
                [msgspec.msgpack.encode(result) for result in results],
                None if row is None else now,
                row,
                unsettled,
                settled,
            )
        for name, change in changes.items():
            assembly.keyed[name].apply(change)
        self._assembly, self.progress = assembly, progress
        self.succession = row or self.succession

    def _restore(self, saved: Saved) -> None:
        """Positions and progress; a time of its own for what was not there before."""
        self.positions = {name: position["at"] for name, position in saved.positions.items()}
        for name in self.progress:
            found: dict[str, Any] = saved.positions.get(name) or {"progress": None}
            progress = msgspec.convert(found["progress"], Progress | None)
            self.progress[name] = progress or Progress()

    def _declare(self, systems: Sequence[SystemConfig]) -> None:
        """Say what the configuration declares, and what it no longer does.

        It holds from the beginning, or from the saved time on.
        """
        time = max(0, self.keyed["observe/0"].clock.watermark)
        before = [tuple(edge) for edge in self.positions.get(DECLARED) or ()]
        now = edges(systems)
        self._save({DECLARED: Progress()}, {DECLARED: now}, said(before, now, time))
        del self.progress[DECLARED]
