"""Trawl: one finite input read for its matches alone: no rows, no assets, no signals.

Lateness and rejects are those of ingest, by its own code. A vendor record is normalised only where
some rule looks at its normal form, or where the source cannot tell otherwise that it is sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from correlators.normal import PRODUCT
from correlators.sightings import Take
from correlators.sigma.matcher import Matcher
from correlators.sigma.rule import Rule
from correlators.tally import Tally
from schemas.event import Reject
from schemas.rows import Result
from schemas.times import BEGINNING, END
from streams.ingest import Ingest, Lateness, Progress, Run, Scanned
from streams.input import Chunk
from streams.reading import Reader
from streams.source import Json, Narrow, Parsed, Source, Unreadable
from streams.untrusted import decode, moment

FILE: Final = 2**40  # the record n of file f has the place f * FILE + n
_UNKNOWN: Final = "\0"  # stands for the hash of a record until somebody needs it


class Match(NamedTuple):
    """One match, told once for each event."""

    detection: str
    time: int
    event: str
    origin: str


class Net(NamedTuple):
    """What takes the matches of one detection: as vendor records, or as fields.

    `tell`: who wants to hear of each, if anybody.
    """

    tally: Tally
    raw: Sequence[Take]
    fields: Sequence[Take]
    tell: Callable[[Match], None] | None = None


class Span(NamedTuple):
    """Event times that count: from `since` on, before `until`."""

    since: int = BEGINNING
    until: int = END


class Trawler:
    """The nets of a run by the id of the detection, and which event times count.

    `taken` counts the hits that went to correlations.
    """

    def __init__(self, rules: Sequence[Rule], nets: Mapping[str, Net], span: Span) -> None:
        asked = (rule.detection.logsource for rule in rules)
        self._services = {one.service for one in asked if one.product == PRODUCT}
        self.nets, self.span, self.taken = nets, span, 0

    def take(
        self, stage: Ingest, progress: Progress, chunk: Chunk, file: int
    ) -> tuple[Progress, list[Result]]:
        """All records of a chunk of the file with this number; returns its rejects too."""
        run = _Trawl(stage, progress, chunk, self, file)
        if chunk.documents:
            run.documents(stage.source(chunk.source))
        if chunk.fault is not None:
            run.fault(chunk.fault)
        return run.progress(), [out for out in run.out if isinstance(out, Result)]

    def wants_events(self, source: Source) -> bool:
        """True if some rule looks at records of the source in normal form."""
        return not self._services.isdisjoint({None, source.NAME})


class _Trawl(Run):
    """One chunk."""

    def __init__(
        self, stage: Ingest, progress: Progress, chunk: Chunk, trawler: Trawler, file: int
    ) -> None:
        super().__init__(stage, progress, chunk)
        self._trawler, self._place = trawler, file * FILE

    def _narrow(self, reader: Reader, matcher: Matcher) -> None:
        narrow = reader.source.NARROW
        if narrow is None or narrow.check is None or self._trawler.wants_events(reader.source):
            super()._narrow(reader, matcher)
            return
        scanned = self._scanned(reader, matcher)
        late = self._judge(reader, scanned)
        since, until = self._trawler.span
        for place in sorted(scanned.candidates):
            raw, number = scanned.records[place], scanned.numbers[place]
            if isinstance(raw, Reject):  # as in `_candidate`
                continue
            try:
                record = decode(raw.data, self.stage.limits)
                rules = matcher.match(record, scanned.candidates[place])
                if rules or matcher.relevant(record):
                    narrow.check(record)
            except Unreadable as error:
                self._reject(reader.refused(raw.data, number, error))
                late.pop(place, None)
                continue
            if not rules:
                continue
            time = self._moment(reader, scanned, place)
            if not since <= time < until:
                continue
            uid = _uid(narrow, record, raw.data)
            for rule in rules:
                net = self._trawler.nets[rule.detection.id]
                takes = () if place in late else net.raw
                self._caught(rule.detection.id, takes, record, time, uid, number)
                net.tally.late += place in late
        self.late += len(late)

    def _moment(self, reader: Reader, scanned: Scanned, place: int) -> int:
        """The time of a record that was judged."""
        try:
            return moment(scanned.times[place])
        except Unreadable:
            time = self._time(reader, scanned, place)
            return time if isinstance(time, int) else BEGINNING

    def _event(
        self, parsed: Parsed, decoded: Json, vendor: Sequence[Rule], late: Lateness | None
    ) -> None:
        event, (since, until) = parsed.event, self._trawler.span
        if not since <= event.time < until:
            return
        number = int(event.evidence.origin.rpartition("#")[2])
        for rule, fields in self._matched(parsed, decoded, vendor):
            net = self._trawler.nets[rule.detection.id]
            takes = net.fields if late is None else ()
            self._caught(rule.detection.id, takes, fields, event.time, event.uid, number)
            net.tally.late += late is not None

    def _caught(
        self,
        detection: str,
        takes: Sequence[Take],
        record: Mapping[str, Any],
        time: int,
        uid: str,
        number: int,
    ) -> None:
        """A match of one record; its lateness is told by the takes, of which there are none."""
        tally, _, _, tell = self._trawler.nets[detection]
        place = self._place + number
        if tally.note(time, uid, place) and tell is not None:
            tell(Match(detection, time, uid, f"{self.chunk.origin}#{number}"))
        for take in takes:
            if take(record, time, uid, place):
                self._trawler.taken += 1
            else:
                tally.ungrouped += 1

    def _late(self, origin: str, judged: Lateness) -> None:  # noqa: ARG002 - only counted
        self.late += 1


def _uid(narrow: Narrow, record: Json, data: bytes) -> str:
    uid = narrow.uid(record, _UNKNOWN)
    return narrow.uid(record, sha256(data).hexdigest()) if _UNKNOWN in uid else uid
