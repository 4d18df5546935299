"""Backtesting: rules and their correlations over a finite history, final results only."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, Final, NamedTuple

from correlators.batch import Batch
from correlators.claims import brought
from correlators.resting import About, Match
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.tally import Tally
from schemas.config import Config
from schemas.event import Event
from schemas.times import BEGINNING, END
from streams import relook
from streams.finite import FiniteFile
from streams.ingest import Ingest, Progress
from streams.matchers import Matchers
from streams.source import named
from streams.trawl import FILE, Net, Span, Trawler
from streams.trawl import Match as Found

WAITING: Final = 1_000_000  # hits that wait in groups before the settled ones are folded
Watch = Callable[[int], None]  # is told how many records were read so far


class File(NamedTuple):
    """A file of the history, by the path that is opened."""

    path: str
    input: FiniteFile


class Outcome(NamedTuple):
    """What a run gave.

    `findings` are bodies without `meta`, by onset; `tallies` by the id of the detection; `counts`
    as in a replay, `sources` the records read of each; `latest`: the greatest event time, if any.
    """

    findings: list[dict[str, Any]]
    tallies: Mapping[str, Tally]
    rejects: list[dict[str, Any]]
    counts: Mapping[str, int]
    sources: Mapping[str, int]
    latest: int | None


class Backtest:
    """Rules over files, each an input of its own, read on where the event time is lowest."""

    def __init__(
        self,
        ruleset: Ruleset,
        files: Sequence[File],
        config: Config,
        span: Span = Span(),  # noqa: B008 - a constant
        tell: Callable[[Found], None] | None = None,
    ) -> None:
        """`tell` hears of each match of a detection that speaks for itself."""
        self._limits = config.limits
        self.places: dict[str, int] = {}  # of the events that findings show
        self._files = files
        self._details = {rule.detection.id: rule.detection for rule in ruleset.rules}
        self._batch = Batch(ruleset.correlations, self.look)
        silent = ruleset.silent
        nets = {
            id_: Net(
                id_,
                Tally(distinct=id_ not in silent),
                self._batch.takers(id_),
                None if id_ in silent else tell,
            )
            for id_ in self._details
        }
        self._trawler = Trawler(ruleset.rules, nets, span)
        self._tallies = {id_: net.tally for id_, net in nets.items()}
        stage = (Matchers(ruleset.rules), Routes(ruleset), named, None, config.limits)
        self._stages = [Ingest(file.input.name, *stage) for file in files]

    def run(self, watch: Watch = lambda _: None) -> Outcome:
        """Read all files to their end; call it once."""
        with _uncollected():
            return self._run(watch)

    def _run(self, watch: Watch) -> Outcome:
        progress = [Progress() for _ in self._files]
        rejects: list[dict[str, Any]] = []
        sources: Counter[str] = Counter()
        reading = set(range(len(self._files)))
        due = WAITING
        while reading:
            number = min(reading, key=lambda n: (progress[n].latest, n))
            chunk = self._files[number].input.read()
            if chunk is None:
                reading.discard(number)
                continue
            before = progress[number]
            progress[number], refused = self._trawler.take(
                self._stages[number], before, chunk, number
            )
            rejects += (result.body for result in refused)
            sources[chunk.source] += progress[number].read - before.read
            watch(sources.total())
            if self._trawler.taken >= due:
                self._batch.settle(min((progress[n].watermark for n in reading), default=END))
                # What still waits is looked at again: not before as much came anew.
                due = self._trawler.taken + max(WAITING, self._batch.waiting())
        latest = max((one.latest for one in progress), default=BEGINNING)
        self._batch.end(latest)
        findings = {body["id"]: body for body in self._batch.findings()}
        counts: Counter[str] = Counter()
        for one in progress:
            counts.update(one.counts())
        return Outcome(
            sorted(findings.values(), key=lambda body: (body["onset_time"], body["id"])),
            self._tallies,
            rejects,
            {name: counts[name] for name in ("read", "parsed", "rejected", "late")},
            sources,
            latest if latest > BEGINNING else None,
        )

    def look(self, matches: Iterable[Match]) -> About:
        """What these matches bring to correlations; every file is read again once."""
        wanted: dict[int, set[str]] = {}
        for place, detection in matches:
            wanted.setdefault(place, set()).add(detection)
        found: dict[Match, Mapping[str, Any]] = {}
        for start, file, numbers in self._stands(wanted):
            for number, cited in relook.citations(file, numbers):
                place = start + number
                self.places[cited.uid] = place
                for detection in wanted[place]:
                    found[place, detection] = brought(cited, self._details[detection])
        return found

    def events(self, places: Iterable[int]) -> Iterator[tuple[int, Event]]:
        """The events of the records at these places, in their order."""
        for start, file, numbers in self._stands(places):
            for number, event in relook.events(file, numbers):
                yield start + number, event

    def _stands(self, places: Iterable[int]) -> Iterator[tuple[int, relook.File, list[int]]]:
        """For each file where its places start, and the numbers of its records."""
        for number, together in groupby(sorted(places), key=lambda place: place // FILE):
            path, input_ = self._files[number]
            start, plain = number * FILE, number in self._trawler.plain
            file = relook.File(path, self._limits, input_.source, plain)
            yield start, file, [place - start for place in together]


@contextmanager
def _uncollected() -> Generator[None]:
    """Without Python's collector of cycles: it would walk each hit, and hits are in none."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
