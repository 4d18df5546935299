"""Ingest: one raw input in its order, judged for lateness, matched, told as rows and Ticks.

Laws (DESIGN 5):
1. Late is judged once, here, per record in the input's order: late iff
   time < max(time so far, Ticks) - lateness. Late records are counted, marked and matched by
   single-event detections; they are in no window.
2. A late fact is not dropped: it holds from the input's watermark on, its own time kept beside.
3. Every record read ends as parsed or rejected; only a parsed one is marked late.
4. A step changes nothing: it returns the new state with its outputs.
5. Where chunks are cut changes neither rows nor results.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import msgspec

from correlators.routes import Routes
from correlators.sigma.matcher import Matcher
from correlators.sigma.narrow import Told
from correlators.sigma.rule import Rule
from schemas.config import Limits
from schemas.event import Late, Reject
from schemas.rows import Output, Result, Tick
from schemas.times import BEGINNING, END, SECOND, rfc3339
from streams.advised import Advised
from streams.input import Chunk
from streams.matchers import Matchers
from streams.reading import UNKNOWN, Messages, Reader, reject
from streams.records.documents import Fault
from streams.records.lines import untrimmed
from streams.records.untrusted import decode
from streams.scanned import Scanned, Scans, moments
from streams.source import Json, Parsed, Raw, Source, Unreadable
from streams.statements import Statements

_MILLI = SECOND // 1_000
FILES = 1_000  # files of one input whose records are counted at the same time


class Progress(msgspec.Struct, array_like=True, frozen=True):
    """The state of one raw input: its place in time, and what was counted.

    `numbers`: how many records each file gave so far.
    """

    watermark: int = BEGINNING
    clock: int = BEGINNING
    told: int = BEGINNING
    latest: int = BEGINNING
    numbers: dict[str, int] = {}
    read: int = 0
    rejected: int = 0
    late: int = 0

    def counts(self) -> dict[str, int]:
        """read, parsed, rejected and late; read = parsed + rejected."""
        parsed = self.read - self.rejected
        return {"read": self.read, "parsed": parsed, "rejected": self.rejected, "late": self.late}


class Ingest:
    """The ingest stage of one input."""

    def __init__(
        self,
        me: str,
        matchers: Matchers,
        routes: Routes,
        source: Callable[[str], Source],
        lateness: int | None,
        limits: Limits,
        not_after: int | None = None,
    ) -> None:
        """`lateness` replaces that of the sources; `not_after` bounds the time of finite files."""
        self.me, self.matchers, self.source = me, matchers, source
        self.statements = Advised(Statements(matchers, routes), matchers.advisories)
        self.lateness, self.limits, self.not_after = lateness, limits, not_after

    def tick(self, progress: Progress, tick: Tick) -> tuple[Progress, list[Output]]:
        """A Tick in the input's own sequence: time passed here without records."""
        watermark = max(progress.watermark, tick.watermark)
        moved = msgspec.structs.replace(
            progress, watermark=watermark, clock=max(progress.clock, tick.clock)
        )
        return self._tell(moved, [])

    def step(self, progress: Progress, chunk: Chunk) -> tuple[Progress, list[Output]]:
        """All records of a chunk."""
        run = Run(self, progress, chunk)
        if chunk.documents:
            run.documents(self.source(chunk.source))
        if chunk.fault is not None:
            run.fault(chunk.fault)
        return self._tell(run.progress(), run.out)

    def _tell(self, progress: Progress, outputs: list[Output]) -> tuple[Progress, list[Output]]:
        if progress.watermark > progress.told:
            clock = progress.clock if progress.watermark == END else progress.watermark
            outputs.append(Tick(self.me, 0, progress.watermark, clock))
            progress = msgspec.structs.replace(progress, told=progress.watermark)
        return progress, outputs


class Lateness(NamedTuple):
    """A late record: its time, and the watermark that it came behind."""

    time: int
    watermark: int


class Run:
    """One step over one chunk; local state only. What a record tells is for `_event` to say."""

    def __init__(self, stage: Ingest, progress: Progress, chunk: Chunk) -> None:
        self.stage, self.chunk = stage, chunk
        self.before = progress
        # A file that was last read long ago is forgotten; its documents, mostly one record each,
        # are not.
        self.start = 0 if chunk.first else progress.numbers.get(chunk.origin, chunk.before)
        self.count = 0
        self.watermark, self.latest = progress.watermark, progress.latest
        self.rejected = self.late = self.lateness = 0
        self.messages = None
        self.given = chunk.numbers
        if chunk.messages is not None:
            self.messages = Messages(chunk.messages.offsets)
            self.given = self.messages.numbers()
        self.bound = self._earliest()  # of most records there is no more to ask
        self.out: list[Output] = []

    def progress(self) -> Progress:
        """The state behind the chunk."""
        numbers = dict(self.before.numbers)
        numbers.pop(self.chunk.origin, None)  # what is read now is forgotten last
        numbers[self.chunk.origin] = self.start + self.count
        return msgspec.structs.replace(
            self.before,
            watermark=self.watermark,
            latest=self.latest,
            numbers=dict(list(numbers.items())[-FILES:]),
            read=self.before.read + self.count,
            rejected=self.before.rejected + self.rejected,
            late=self.before.late + self.late,
        )

    def documents(self, source: Source) -> None:
        """All documents of the chunk."""
        self.lateness = source.LATENESS if self.stage.lateness is None else self.stage.lateness
        reader = self._reader(source)
        matcher = self.stage.matchers.raw(source)
        if matcher is not None:
            self._narrow(reader, matcher)
            return
        for place, document in enumerate(self.chunk.documents):
            before = self._before(place)
            for number, record in enumerate(reader.records(document, before), before + 1):
                self.count += 1
                self._whole(reader, record, number)

    def fault(self, fault: Fault) -> None:
        """What lies behind the documents and gives none."""
        number = self._before(len(self.chunk.documents)) + 1
        self.count += 1
        source = self.stage.source(self.chunk.source) if self.chunk.source != UNKNOWN else None
        name = f"{self.chunk.origin}#{number}"
        if self.messages is not None:
            name = self.messages.name(self.chunk.origin, number)
        self._reject(reject(fault, name, source))

    def _reader(self, source: Source) -> Reader:
        return Reader(source, self.chunk.origin, self.stage.limits, self.messages)

    def _before(self, place: int) -> int:
        """How many records of the file lie before the document at `place`."""
        return self.start + self.count if self.given is None else self.given[place]

    # -- sources whose raw records are judged before they are decoded whole

    def _narrow(self, reader: Reader, matcher: Matcher) -> None:
        scanned = self._scanned(reader, matcher)
        late = self._judge(reader, scanned)
        for place in sorted(scanned.candidates):
            if not self._candidate(reader, matcher, scanned, place, late.get(place)):
                late.pop(place, None)
        for place, judged in late.items():
            self._late(reader.name(scanned.numbers[place]), judged)

    def _scanned(self, reader: Reader, matcher: Scans) -> Scanned:
        documents, given = self.chunk.documents, self.given
        records: Sequence[bytes | Raw | Reject] = documents
        numbers: Sequence[int] = range(self.start + 1, self.start + 1 + len(documents))
        if isinstance(given, range):
            numbers = range(given.start + 1, given.stop + 1, given.step)
        elif given is not None:
            numbers = [before + 1 for before in given[: len(documents)]]
        scan = matcher.scan(untrimmed(documents))
        # `all` is the quicker look. None is an envelope with records in it, or no record at all.
        if not all(scan.times) and None in scan.times:
            records, numbers = self._unwrapped(reader, scan.times)
            scan = matcher.scan([one.data if isinstance(one, Raw) else b"" for one in records])
        self.count += len(records)
        candidates: dict[int, Sequence[Rule] | None] = dict(scan.hits)
        when = moments(reader.source, scan.times)
        return Scanned(records, numbers, scan.times, when, candidates, scan.sure)

    def _unwrapped(
        self, reader: Reader, times: Sequence[Told]
    ) -> tuple[list[Raw | Reject], list[int]]:
        records: list[Raw | Reject] = []
        numbers: list[int] = []
        given = self.given
        for place, document in enumerate(self.chunk.documents):
            before = self.start + len(records) if given is None else given[place]
            alone = times[place] is not None
            found = [Raw(document)] if alone else list(reader.records(document, before))
            records += found
            numbers += range(before + 1, before + 1 + len(found))
        return records, numbers

    def _judge(self, reader: Reader, scanned: Scanned) -> dict[int, Lateness]:
        """Lateness of each record in order; returns the late ones by place.

        A record without a usable time is read whole: it may have one after all (then all rules are
        its candidates), else it is rejected with the reason that a whole reading gives, and is no
        candidate.
        """
        if self._in_time(scanned.moments.values()):
            return {}
        late: dict[int, Lateness] = {}
        for place, text in enumerate(scanned.times):
            time = scanned.moments[text]
            if time is None or time > self.bound:
                judged = self._time(reader, scanned, place)
                if isinstance(judged, Reject):
                    self._reject(judged)
                    scanned.candidates.pop(place, None)
                    continue
                time = judged
                if text is None:
                    scanned.candidates[place] = None
            if time < self.watermark:
                late[place] = Lateness(time, self.watermark)
            elif time > self.latest:
                self.latest = time
                self.watermark = max(self.watermark, time - self.lateness)
        return late

    def _in_time(self, told: Collection[int | None]) -> bool:
        """True if none is late or in the future, in whatever order: they are judged together."""
        times = [time for time in told if time is not None]
        if not times or len(times) < len(told):
            return False
        latest, watermark = max(times), self.watermark
        if latest > self.latest:
            watermark = max(watermark, latest - self.lateness)
        if min(times) < watermark or latest > self.bound:
            return False
        self.latest, self.watermark = max(self.latest, latest), watermark
        return True

    def _time(self, reader: Reader, scanned: Scanned, place: int) -> int | Reject:
        record, number = scanned.record(place), scanned.numbers[place]
        if isinstance(record, Reject):
            return record
        time = scanned.moments[scanned.times[place]]
        if time is None:  # a whole reading says why, or finds another time
            result = reader.outcome(record, number).result
            if isinstance(result, Reject):
                return result
            time = result.event.time
        future = self._future(time, number)
        return time if future is None else reader.refused(record.data, number, future)

    def _candidate(
        self,
        reader: Reader,
        matcher: Matcher,
        scanned: Scanned,
        place: int,
        late: Lateness | None,
    ) -> bool:
        """Decode; normalise only what matched or speaks of an AI asset. False if it is rejected."""
        raw, number = scanned.record(place), scanned.numbers[place]
        if isinstance(raw, Reject):  # its time was no time, so it was rejected as it was judged
            return False
        try:
            record = decode(raw.data, self.stage.limits)
        except Unreadable as error:
            self._reject(reader.refused(raw.data, number, error))
            return False
        rules = scanned.candidates[place]
        if rules is None or place not in scanned.sure:
            rules = matcher.match(record, rules)
        if rules or matcher.relevant(record):
            result = reader.normalised(raw, record, number)
            if isinstance(result, Reject):
                self._reject(result)
                return False
            self._event(result, record, rules, late)
        return True

    # -- sources that are always normalised

    def _whole(self, reader: Reader, raw: Raw | Reject, number: int) -> None:
        if isinstance(raw, Reject):
            self._reject(raw)
            return
        result = reader.outcome(raw, number).result
        if isinstance(result, Reject):
            self._reject(result)
            return
        time, late = result.event.time, None
        future = self._future(time, number)
        if future is not None:
            self._reject(reader.refused(raw.data, number, future))
            return
        if time < self.watermark:
            late = Lateness(time, self.watermark)
            self._late(reader.name(number), late)
        else:
            self.latest = max(self.latest, time)
            self.watermark = max(self.watermark, time - self.lateness)
        self._event(result, None, (), late)

    # -- both

    def _earliest(self) -> int:
        """The time up to which a record may lie, in whichever message of the chunk."""
        if self.chunk.messages is None:
            return self._bound(self.chunk.received)
        stamps = self.chunk.messages.stamps
        first = min(stamps, default=0)
        found = [first] if first > 0 else sorted(set(stamps))
        return min((self._bound(_micros(stamp)) for stamp in found), default=END)

    def _bound(self, received: int | None) -> int:
        """The latest time of a record that arrived then."""
        if received is not None:
            return received + self.stage.limits.future
        return END if self.stage.not_after is None else self.stage.not_after

    def _future(self, time: int, number: int) -> Unreadable | None:
        """What is wrong with a time that lies after the arrival of its record."""
        if time <= self.bound:
            return None
        bound = self._bound(self.chunk.received)
        if self.chunk.messages is not None:
            bound = self._bound(_micros(self.chunk.messages.stamps[number // Messages.SPAN]))
        if time <= bound:
            return None
        detail = f"{rfc3339(time)} lies after {rfc3339(bound)}"
        return Unreadable("time-in-future", detail)

    def _event(
        self, parsed: Parsed, decoded: Json, vendor: Sequence[Rule], late: Lateness | None
    ) -> None:
        watermark = None if late is None else late.watermark
        self.out += self.stage.statements.of(parsed, decoded, vendor, watermark)

    def _late(self, origin: str, judged: Lateness) -> None:
        self.late += 1
        late = Late(
            origin=origin, source=self.chunk.source, time=judged.time, watermark=judged.watermark
        )
        self.out.append(Result("late", origin, judged.time, "final", late.body()))

    def _reject(self, refused: Reject) -> None:
        self.rejected += 1
        # What cannot be read has no time of its own.
        self.out.append(Result("reject", refused.origin, BEGINNING, "final", refused.body()))


def _micros(stamp: int) -> int | None:
    return stamp * _MILLI if stamp > 0 else None
