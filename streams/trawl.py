"""Trawl: one finite input read for its matches alone: no rows, no assets, no signals.

Lateness and rejects are those of ingest, by its own code. A vendor record is normalised only where
some rule looks at its normal form, or where the source cannot tell otherwise that it is sound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import compress
from typing import Any, Final, NamedTuple

from correlators.normal import PRODUCT
from correlators.pool import Taker
from correlators.sightings import Caught
from correlators.sigma.matcher import Matcher
from correlators.sigma.narrow import Told
from correlators.sigma.rule import Rule
from correlators.sigma.values import MISSING
from correlators.tally import Tally
from schemas.event import Reject
from schemas.rows import Result
from schemas.times import BEGINNING, END
from streams.ingest import Ingest, Lateness, Progress, Run
from streams.input import Chunk
from streams.quick import Quick, possible
from streams.reading import Reader
from streams.records.lines import Lines
from streams.records.untrusted import brackets, decode
from streams.scanned import Scanned
from streams.source import Json, Narrow, Parsed, Raw, Source, Unreadable

FILE: Final = 2**40  # the record n of file f has the place f * FILE + n
_DOZEN: Final = 12  # records that have no more brackets together than one may have, mostly
_UNKNOWN: Final = "\0"  # stands for the hash of a record until somebody needs it


class Match(NamedTuple):
    """One match, told once for each event."""

    detection: str
    time: int
    event: str
    origin: str


class Net(NamedTuple):
    """What takes the matches of one detection; `tell`: who wants to hear of each, if anybody."""

    detection: str
    tally: Tally
    takers: Sequence[Taker]
    tell: Callable[[Match], None] | None


class Span(NamedTuple):
    """Event times that count: from `since` on, before `until`."""

    since: int = BEGINNING
    until: int = END


class Trawler:
    """The nets of a run by the id of the detection, and which event times count.

    `taken` counts the hits that went to correlations; `plain` are the files whose every document is
    one record.
    """

    def __init__(self, rules: Sequence[Rule], nets: Mapping[str, Net], span: Span) -> None:
        asked = (rule.detection.logsource for rule in rules)
        self._services = {one.service for one in asked if one.product == PRODUCT}
        self.nets, self.span, self.taken = nets, span, 0
        self.plain: set[int] = set()
        self._quick: dict[str, Quick[Net] | None] = {}

    def take(
        self, stage: Ingest, progress: Progress, chunk: Chunk, file: int
    ) -> tuple[Progress, list[Result]]:
        """All records of a chunk of the file with this number; returns its rejects too."""
        run = _Trawl(stage, progress, chunk, self, file)
        if chunk.first:
            self.plain.add(file)
        if chunk.documents:
            run.documents(stage.source(chunk.source))
        if chunk.fault is not None:
            run.fault(chunk.fault)
        if run.unwrapped:
            self.plain.discard(file)
        return run.progress(), [out for out in run.out if type(out) is Result]

    def wants_events(self, source: Source) -> bool:
        """True if some rule looks at records of the source in normal form."""
        return not self._services.isdisjoint({None, source.NAME})

    def quick(self, source: Source, matcher: Matcher) -> Quick[Net] | None:
        """The quick way for records of the source, if there is one."""
        if source.NAME not in self._quick and source.NARROW is not None:
            nets = [self.nets[rule.detection.id] for rule in matcher.rules]
            paths = {path for net in nets for taker in net.takers for path in taker.paths}
            able = possible(matcher, source.NARROW, paths)
            self._quick[source.NAME] = (
                Quick(matcher, source.NARROW, paths, lambda rule: self.nets[rule.detection.id])
                if able
                else None
            )
        quick = self._quick.get(source.NAME)
        return quick if quick is not None and quick.worth_it else None


class _Trawl(Run):
    """One chunk."""

    def __init__(
        self, stage: Ingest, progress: Progress, chunk: Chunk, trawler: Trawler, file: int
    ) -> None:
        super().__init__(stage, progress, chunk)
        self._trawler, self._place = trawler, file * FILE
        self.unwrapped = False

    def _narrow(self, reader: Reader, matcher: Matcher) -> None:
        narrow = reader.source.NARROW
        if narrow is None or narrow.check is None or self._trawler.wants_events(reader.source):
            super()._narrow(reader, matcher)
            return
        quick = self._trawler.quick(reader.source, matcher)
        scanned = self._scanned(reader, matcher if quick is None else quick)
        late = self._judge(reader, scanned)
        if quick is not None:
            self._quickly(reader, narrow, quick, scanned, late)
        for place in sorted(scanned.candidates):
            if not self._raw(reader, matcher, narrow, scanned, place, late=place in late):
                late.pop(place, None)
        self.late += len(late)

    def _raw(
        self,
        reader: Reader,
        matcher: Matcher,
        narrow: Narrow,
        scanned: Scanned,
        place: int,
        *,
        late: bool,
    ) -> bool:
        """As `_candidate`, and nothing is normalised. False if the record is rejected."""
        raw, number = scanned.record(place), scanned.numbers[place]
        if isinstance(raw, Reject):
            return False
        try:
            record = decode(raw.data, self.stage.limits)
            rules = matcher.match(record, scanned.candidates[place])
            if narrow.check is not None and (rules or matcher.relevant(record)):
                narrow.check(record)
        except Unreadable as error:
            self._reject(reader.refused(raw.data, number, error))
            return False
        time = self._moment(reader, scanned, place) if rules else None
        if time is not None and self._trawler.span.since <= time < self._trawler.span.until:
            uid = _uid(narrow, record, raw.data)
            for rule in rules:
                net = self._trawler.nets[rule.detection.id]
                self._caught(net, time, uid, number, late=late)
                if not late:
                    for taker in net.takers:
                        self._taken(net, taker.raw(record, time, uid, self._place + number))
        return True

    def _quickly(
        self,
        reader: Reader,
        narrow: Narrow,
        quick: Quick[Net],
        scanned: Scanned,
        late: Mapping[int, Lateness],
    ) -> None:
        """The records whose columns tell all; others become candidates."""
        found, texts = quick.found, scanned.times
        times = {text: time for text, time in scanned.moments.items() if time is not None}
        # By what was found, and whether it is late: these are the same few tuples.
        usual, behind = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
        for n in self._sound(reader, scanned, found, times):
            (behind if n in late else usual)[id(found[n])].append(n)
        for stand in behind.values():
            for n, uid in zip(stand, _uids(narrow, quick, scanned, stand), strict=True):
                for net in found[n] or ():
                    self._caught(net, times[texts[n]], uid, scanned.numbers[n], late=True)
        for stand in usual.values():
            at = [times[texts[n]] for n in stand]
            uids = _uids(narrow, quick, scanned, stand)
            places = [self._place + scanned.numbers[n] for n in stand]
            for net in found[stand[0]] or ():
                self._caught_all(net, Caught(net.detection, stand, at, uids, places), quick.columns)

    def _sound(
        self,
        reader: Reader,
        scanned: Scanned,
        found: Sequence[tuple[Net, ...] | None],
        times: Mapping[Told, int],
    ) -> list[int]:
        """Where something was found in a record of the span that needs no other look."""
        (since, until), texts = self._trawler.span, scanned.times
        outside = {text for text, time in times.items() if not since <= time < until}
        stand = list(compress(range(len(texts)), found))
        if outside:
            stand = [n for n in stand if texts[n] not in outside]
        if not times.keys() >= set(texts):  # rejected, or of a time that is found elsewhere
            for n in stand:
                if texts[n] not in times and self._moment(reader, scanned, n) is not None:
                    scanned.candidates[n] = None
            stand = [n for n in stand if texts[n] in times]
        deep = _deep(_all_data(scanned), stand, self.stage.limits.depth)
        scanned.candidates.update(dict.fromkeys(deep))
        return [n for n in stand if n not in deep] if deep else stand

    def _caught_all(self, net: Net, caught: Caught, columns: Mapping[str, Sequence[Any]]) -> None:
        """Matches of one detection, none of them late."""
        if net.tell is None:
            net.tally.notes(caught.times, caught.uids, caught.places)
        else:
            for time, uid, place in caught.each():
                self._caught(net, time, uid, place - self._place, late=False)
        # About: a hit without a group is counted too.
        self._trawler.taken += len(caught.stand) * len(net.takers)
        for taker in net.takers:
            if taker.plain:
                net.tally.ungrouped += taker.take(columns, caught)
                continue
            of = [(path, columns[path]) for path in taker.paths]
            for n, (time, uid, place) in zip(caught.stand, caught.each(), strict=True):
                fields = {path: v for path, column in of if (v := column[n]) is not MISSING}
                net.tally.ungrouped += taker.fields(fields, time, uid, place)

    def _moment(self, reader: Reader, scanned: Scanned, place: int) -> int | None:
        """The time of a record that was judged; None if it was rejected for it."""
        time = scanned.moments[scanned.times[place]]
        if time is None:
            judged = self._time(reader, scanned, place)
            time = judged if isinstance(judged, int) else None
        return time

    def _event(
        self, parsed: Parsed, decoded: Json, vendor: Sequence[Rule], late: Lateness | None
    ) -> None:
        event, (since, until) = parsed.event, self._trawler.span
        if not since <= event.time < until:
            return
        number = int(event.evidence.origin.rpartition("#")[2])
        for detection, fields in self.stage.statements.matches(parsed, decoded, vendor):
            net = self._trawler.nets[detection.id]
            self._caught(net, event.time, event.uid, number, late=late is not None)
            if late is None:
                for taker in net.takers:
                    lost = taker.fields(fields, event.time, event.uid, self._place + number)
                    self._taken(net, lost)

    def _caught(self, net: Net, time: int, uid: str, number: int, *, late: bool) -> None:
        """A match is counted and told."""
        net.tally.late += late
        if net.tally.note(time, uid, self._place + number) and net.tell is not None:
            net.tell(Match(net.detection, time, uid, f"{self.chunk.origin}#{number}"))

    def _taken(self, net: Net, lost: int) -> None:
        """A hit was taken, but for so many rules is in no group."""
        self._trawler.taken += not lost
        net.tally.ungrouped += lost

    def _unwrapped(
        self, reader: Reader, times: Sequence[Told]
    ) -> tuple[list[Raw | Reject], list[int]]:
        self.unwrapped = True
        return super()._unwrapped(reader, times)

    def _whole(self, reader: Reader, raw: Raw | Reject, number: int) -> None:
        self.unwrapped = True
        super()._whole(reader, raw, number)

    def _late(self, origin: str, judged: Lateness) -> None:  # noqa: ARG002 - only counted
        self.late += 1


def _uids(narrow: Narrow, quick: Quick[Any], scanned: Scanned, stand: Sequence[int]) -> list[str]:
    """The uids of the records there."""
    key, longest = narrow.named or ("", 0)
    column = quick.columns[key]
    uids = [column[n] for n in stand]
    for at, uid in enumerate(uids):
        if uid.__class__ is not str or not 0 < len(uid) <= longest or uid.isspace():
            uids[at] = _uid(narrow, {} if uid is MISSING else {key: uid}, _data(scanned, stand[at]))
    return uids


def _deep(records: Sequence[bytes], stand: Sequence[int], depth: int) -> set[int]:
    """Those of the records there that are perhaps too deep; most are told by the dozen."""
    deep: set[int] = set()
    for start in range(0, len(stand), _DOZEN):
        some = stand[start : start + _DOZEN]
        if brackets(b"".join([records[n] for n in some])) > depth:
            deep.update(n for n in some if brackets(records[n]) > depth)
    return deep


def _all_data(scanned: Scanned) -> Sequence[bytes]:
    """The bytes of each record, perhaps with white space around them."""
    if isinstance(scanned.records, Lines):
        return scanned.records.raw
    return [_data(scanned, n) for n in range(len(scanned.records))]


def _data(scanned: Scanned, place: int) -> bytes:
    record = scanned.records[place]
    if isinstance(record, bytes):
        return record
    return record.data if isinstance(record, Raw) else b""  # what was refused, nobody looks for


def _uid(narrow: Narrow, record: Json, data: bytes) -> str:
    uid = narrow.uid(record, _UNKNOWN)
    return narrow.uid(record, sha256(data).hexdigest()) if _UNKNOWN in uid else uid
