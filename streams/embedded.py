"""Embedded driver: all stages in one process; a batch runs through every stage, then is saved.

Law: outputs, state changes and input positions of a batch are saved together or not at all; memory
follows the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from correlators.keyed import Changes, Clock
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from schemas.config import Limits, SystemConfig
from schemas.errors import Mistake
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import BEGINNING, END, rfc3339
from streams.bundle import bundled
from streams.declared import DECLARED, edges, said
from streams.ingest import Ingest, Progress
from streams.input import Chunk
from streams.journal import Journal, Saved
from streams.matchers import Matchers
from streams.outdated import fingerprints, orphaned, without
from streams.source import named
from streams.topology import build, partition_of, stage_of

CLOCK = ""  # the key of a stage's own clock: no entity and no group has an empty key


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
        routes, matchers = Routes(ruleset), Matchers(ruleset.rules)
        self.journal = journal
        carried = {i.name: i.sources for i in inputs}
        self._bundles = bundled(ruleset, carried) if journal is None else {}
        if self._bundles:
            carried = {b.name: b.carried for b in self._bundles.values()}
        self.keyed = build(ruleset, routes, {DECLARED: (), **carried}, partitions=1)
        self.positions: dict[str, Any] = {}
        self.progress = {i.name: Progress() for i in inputs}
        self._ingest = {
            i.name: Ingest(i.name, matchers, routes, named, i.lateness, limits, not_after)
            for i in inputs
        }
        self._readers: dict[str, list[str]] = {}
        for name, stage in self.keyed.items():
            for feeder in stage.clock.ticks:
                self._readers.setdefault(feeder, []).append(name)
        rules = fingerprints(ruleset)
        saved = journal.load() if journal else None
        if saved is not None and saved.meta is not None:
            self._restore(saved, rules)
        self._declare(systems, rules)

    def take(self, name: str, chunk: Chunk, at: str | None = None) -> list[Result]:
        """Run a chunk of an input through all stages and save; returns what to tell sinks.

        `at`: the name under which the position is saved, where several inputs share one reader.
        """
        progress, outputs = self._ingest[name].step(self.progress[name], chunk)
        return self._save({name: progress}, {at or name: chunk.position}, outputs)

    def tick(self, name: str, watermark: int) -> list[Result]:
        """Time passed at an idle input; from now on older records of it are late."""
        tick = Tick(name, 0, watermark, watermark)
        progress, outputs = self._ingest[name].tick(self.progress[name], tick)
        return self._save({name: progress}, {}, outputs)

    def exhausted(self, name: str) -> list[Result]:
        """An input has ended while others go on: nothing waits for it any more."""
        progress, outputs = self._ingest[name].tick(
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
        for name, stage in self._ingest.items():
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
        dropped: Mapping[tuple[str, str], bytes | None] | None = None,
        rules: Mapping[str, str] | None = None,
    ) -> list[Result]:
        changes, results = self._flow(self._told(outputs))
        if self.journal is not None:
            self.journal.commit(
                {
                    name: {
                        "at": positions.get(name, self.positions.get(name)),
                        "progress": msgspec.to_builtins(progress.get(name)),
                    }
                    for name in progress.keys() | positions.keys()
                },
                {**(dropped or {}), **_dumped(changes)},
                [msgspec.msgpack.encode(result) for result in results],
                rules,
            )
        self.progress.update(progress)
        self.positions.update(positions)
        for name, change in changes.items():
            self.keyed[name].apply(change)
        return results

    def _told(self, outputs: Iterable[Output]) -> Iterator[Output]:
        for output in outputs:
            if isinstance(output, Tick) and output.input in self._bundles:
                yield from self._bundles[output.input].heard(output)
            else:
                yield output

    def _flow(self, outputs: Iterable[Output]) -> tuple[dict[str, Changes], list[Result]]:
        """One batch through all stages, each stepped once: rows only flow downwards.

        Changes nothing.
        """
        inbox: dict[str, list[Row | Delete | Tick]] = {}
        results: list[Result] = []
        changes: dict[str, Changes] = {}

        def send(outputs: Iterable[Output]) -> None:
            for output in outputs:
                if isinstance(output, Result):
                    results.append(output)
                elif isinstance(output, Tick):
                    for reader in self._readers.get(output.input, ()):
                        inbox.setdefault(reader, []).append(output)
                else:
                    owner = f"{stage_of(output)}/{partition_of(output.key, 1)}"
                    inbox.setdefault(owner, []).append(output)

        send(outputs)
        for name, stage in self.keyed.items():
            batch = inbox.pop(name, None)
            if batch:
                changes[name], told = stage.step(batch)
                send(told)
        return changes, results

    def _restore(self, saved: Saved, rules: Mapping[str, str]) -> None:
        """Continue; the state of rules that are no longer what they were is dropped."""
        changed = {id_ for id_, rule in saved.meta.items() if rules.get(id_) != rule}
        dropped, outputs = dict[tuple[str, str], bytes | None](), list[Output]()
        for name, stage in self.keyed.items():
            state = dict(saved.state.get(name, {}))
            clock = state.pop(CLOCK, None)
            if clock is not None:
                kept = without(stage.logic, state, changed)
                stage.restore(msgspec.msgpack.decode(clock, type=Clock), kept.slots)
                dropped |= {(name, key): data for key, data in kept.changed.items()}
                outputs += kept.outputs
        for name in saved.state.keys() - self.keyed.keys():
            state = saved.state[name]
            dropped |= {(name, key): None for key in state}
            outputs += orphaned([data for key, data in state.items() if key != CLOCK], changed)
        self.positions = {name: position["at"] for name, position in saved.positions.items()}
        for name in self.progress:
            found: dict[str, Any] = saved.positions.get(name) or {"progress": None}
            progress = msgspec.convert(found["progress"], Progress | None) or Progress()
            # What is new, or comes back, or feeds a rule only now, was not waited for.
            passed = max(self.keyed[reader].clock.watermark for reader in self._readers[name])
            self.progress[name] = msgspec.structs.replace(
                progress, watermark=max(progress.watermark, passed)
            )
        self._save({}, {}, outputs, dropped, rules)

    def _declare(self, systems: Sequence[SystemConfig], rules: Mapping[str, str]) -> None:
        """Say what the configuration declares, and what it no longer does.

        It holds from the beginning, or from the saved time on.
        """
        time = max(0, self.keyed["observe/0"].clock.watermark)
        before = [tuple(edge) for edge in self.positions.get(DECLARED) or ()]
        now = edges(systems)
        self._save({DECLARED: Progress()}, {DECLARED: now}, said(before, now, time), rules=rules)
        del self.progress[DECLARED]


def _dumped(changes: Mapping[str, Changes]) -> dict[tuple[str, str], bytes | None]:
    out: dict[tuple[str, str], bytes | None] = {}
    for name, change in changes.items():
        out[name, CLOCK] = msgspec.msgpack.encode(change.clock)
        for key, slot in change.slots.items():
            out[name, key] = None if slot is None else slot.dump(tail=True)
    return out
