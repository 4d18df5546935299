"""Ingest: one raw input, its records in order: judges lateness, matches, normalises what matters, says rows and Ticks.

Laws (DESIGN 5):
1. Late is judged once, here, per record in the input's order: late iff time < max(time so far, Ticks) - lateness.
   Late records are counted, marked and matched by single-event detections; they are in no window.
2. A late fact is not dropped: it holds from the input's watermark on, its own time kept beside.
3. Every record read ends as parsed or rejected.
4. A step changes nothing: it returns the new state with its outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import orjson

from correlators.claims import facts, signal
from correlators.normal import logsource, normal_form
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.sigma.matcher import Matcher
from correlators.sigma.rule import Rule
from correlators.sigma.values import lookup
from schemas.config import Limits
from schemas.event import Event, EventEvidence
from schemas.rows import Output, Result, Tick
from schemas.times import BEGINNING, END, parse, rfc3339
from streams.documents import Fault
from streams.input import Chunk
from streams.source import Parsed, Raw, Source, Unreadable


class Progress(msgspec.Struct, array_like=True, frozen=True):
    """The state of one raw input: its place in time, the file being read, and what was counted."""

    watermark: int = BEGINNING
    clock: int = BEGINNING
    told: int = BEGINNING
    latest: int = BEGINNING
    origin: str = ""
    number: int = 0
    read: int = 0
    rejected: int = 0
    late: int = 0


class Broken(NamedTuple):
    """A document that gave no records, or a record that is out of bounds."""

    data: bytes
    reason: str
    detail: str


class Judged(NamedTuple):
    """A record that is worth normalising, with its place and whether it came late."""

    number: int
    raw: Raw
    candidates: list[Rule]
    late: bool


class Ingest:
    """The ingest stage of one input."""

    def __init__(
        self,
        me: str,
        ruleset: Ruleset,
        routes: Routes,
        source: Callable[[str], Source],
        lateness: int | None,
        limits: Limits,
        not_after: int | None = None,
    ) -> None:
        """`lateness` replaces that of the sources; `not_after` bounds the time of records of finite files."""
        self.me, self.ruleset, self.routes, self.source = me, ruleset, routes, source
        self.lateness, self.limits, self.not_after = lateness, limits, not_after
        self._vendor: dict[str, Matcher] = {}
        self._normal: dict[str, Matcher] = {}

    def tick(self, progress: Progress, tick: Tick) -> tuple[Progress, list[Output]]:
        """A Tick in the input's own sequence: time passed here without records."""
        watermark = max(progress.watermark, tick.watermark)
        moved = msgspec.structs.replace(progress, watermark=watermark, clock=max(progress.clock, tick.clock))
        return self._tell(moved, [])

    def step(self, progress: Progress, chunk: Chunk) -> tuple[Progress, list[Output]]:
        """All records of a chunk."""
        run = _Run(self, progress, chunk)
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

    def vendor(self, source: Source) -> Matcher | None:
        """The matcher over raw vendor records, for sources that have such a form."""
        if source.NARROW is None:
            return None
        if source.NAME not in self._vendor:
            self._vendor[source.NAME] = Matcher(self.ruleset.rules, source.LOGSOURCE, source.NARROW)
        return self._vendor[source.NAME]

    def normal(self, event: Event) -> Matcher:
        """The matcher over the normal form of such events."""
        key = f"{event.class_name}|{event.source}"
        if key not in self._normal:
            self._normal[key] = Matcher(self.ruleset.rules, logsource(event), None)
        return self._normal[key]


class _Run:
    """One step over one chunk; local state only."""

    source: Source

    def __init__(self, stage: Ingest, progress: Progress, chunk: Chunk) -> None:
        self.stage, self.chunk = stage, chunk
        self.before = progress
        self.number = 0 if chunk.first or progress.origin != chunk.origin else progress.number
        self.start = self.number
        self.watermark, self.latest = progress.watermark, progress.latest
        self.rejected = self.late = self.lateness = 0
        received = chunk.received
        self.bound = stage.not_after if received is None else received + stage.limits.future
        self.out: list[Output] = []

    def progress(self) -> Progress:
        return msgspec.structs.replace(
            self.before,
            watermark=self.watermark,
            latest=self.latest,
            origin=self.chunk.origin,
            number=self.number,
            read=self.before.read + self.number - self.start,
            rejected=self.before.rejected + self.rejected,
            late=self.before.late + self.late,
        )

    def documents(self, source: Source) -> None:
        self.source = source
        self.lateness = source.LATENESS if self.stage.lateness is None else self.stage.lateness
        matcher = self.stage.vendor(source)
        if matcher is not None:
            self._narrow(matcher)
            return
        for document in self.chunk.documents:
            self._document(document)

    def fault(self, fault: Fault) -> None:
        self.number += 1
        self._refuse(self.number, fault.sha256, fault.size, fault.reason, fault.detail)

    # -- sources whose raw records are judged before they are decoded whole

    def _narrow(self, matcher: Matcher) -> None:
        records: Sequence[Raw | Broken] = [Raw(document) for document in self.chunk.documents]
        scan = matcher.scan(self.chunk.documents)
        if None in scan.times:  # an envelope with records in it, or not a record at all
            flat: list[Raw | Broken] = []
            for record, time in zip(records, scan.times, strict=True):
                flat += [record] if time is not None else self._split(record.data)
            records = flat
            scan = matcher.scan([record.data if isinstance(record, Raw) else b"" for record in records])
        late, unusable = self._judge(scan.times, records)
        for place, candidates in scan.hits:
            record = records[place]
            if place not in unusable and isinstance(record, Raw):
                self._full(Judged(self.start + place + 1, record, candidates, place in late), matcher)

    def _judge(self, times: Sequence[str | None], records: Sequence[Raw | Broken]) -> tuple[set[int], set[int]]:
        """Lateness of each record in order; rejects what has no usable time. Returns places: (late, unusable)."""
        late: set[int] = set()
        unusable: set[int] = set()
        watermark, latest, lateness, bound = self.watermark, self.latest, self.lateness, self.bound
        previous, time = None, BEGINNING
        for place, text in enumerate(times):
            if text is None or text != previous:  # times repeat: audit logs have one-second times
                try:
                    time = self._time(text, records[place], bound)
                except _Unusable as fault:
                    self._reject(self.start + place + 1, records[place].data, fault.reason, fault.detail)
                    unusable.add(place)
                    previous = None
                    continue
                previous = text
            if time < watermark:
                late.add(place)
                self._late(self.start + place + 1, time, watermark)
            elif time > latest:
                latest = time
                watermark = max(watermark, latest - lateness)
        self.watermark, self.latest, self.number = watermark, latest, self.start + len(times)
        return late, unusable

    @staticmethod
    def _time(text: str | None, record: Raw | Broken, bound: int | None) -> int:
        if isinstance(record, Broken):
            raise _Unusable(record.reason, record.detail)
        if text is None:
            raise _Unusable("no-time", "the record has no time")
        try:
            time = parse(text)
        except ValueError as error:
            raise _Unusable("bad-time", str(error)) from None
        if bound is not None and time > bound:
            raise _Unusable("time-in-future", f"{rfc3339(time)} lies after {rfc3339(bound)}")
        return time

    def _full(self, record: Judged, matcher: Matcher) -> None:
        data = record.raw.data
        try:
            decoded = orjson.loads(data)
            parsed = self.source.event(record.raw, decoded, self._evidence(record.number, data))
        except Unreadable as error:
            self._reject(record.number, data, error.reason, error.detail)
            return
        except ValueError as error:
            self._reject(record.number, data, "not-json", str(error))
            return
        self._event(parsed, decoded, matcher.match(decoded, record.candidates), record.late)

    # -- sources that are always normalised

    def _document(self, document: bytes) -> None:
        for record in self._split(document):
            self.number += 1
            if isinstance(record, Broken):
                self._reject(self.number, *record)
                continue
            try:
                decoded = orjson.loads(record.data)
                parsed = self.source.event(record, decoded, self._evidence(self.number, record.data))
            except Unreadable as error:
                self._reject(self.number, record.data, error.reason, error.detail)
                continue
            except ValueError as error:
                self._reject(self.number, record.data, "not-json", str(error))
                continue
            time = parsed.event.time
            if self.bound is not None and time > self.bound:
                detail = f"{rfc3339(time)} lies after {rfc3339(self.bound)}"
                self._reject(self.number, record.data, "time-in-future", detail)
                continue
            late = time < self.watermark
            if late:
                self._late(self.number, time, self.watermark)
            else:
                self.latest = max(self.latest, time)
                self.watermark = max(self.watermark, time - self.lateness)
            self._event(parsed, None, [], late)

    # -- both

    def _split(self, document: bytes) -> list[Raw | Broken]:
        limits = self.stage.limits
        if len(document) > limits.document_bytes:
            return [Broken(document, "too-large", f"{len(document)} bytes, the bound is {limits.document_bytes}")]
        try:
            return [
                Broken(raw.data, "too-large", f"{len(raw.data)} bytes, the bound is {limits.record_bytes}")
                if limits.record_bytes < len(raw.data) < len(document)
                else raw
                for raw in self.source.split(document)
            ]
        except Unreadable as error:
            return [Broken(document, error.reason, error.detail)]

    def _evidence(self, number: int, data: bytes) -> EventEvidence:
        return EventEvidence(origin=f"{self.chunk.origin}#{number}", sha256=sha256(data).hexdigest())

    def _event(self, parsed: Parsed, decoded: Any, vendor: Sequence[Rule], late: bool) -> None:
        event = parsed.event
        form = normal_form(event, parsed.private)
        rules = [(rule, decoded, frozenset[str]()) for rule in vendor]
        rules += [(rule, form, frozenset(parsed.private)) for rule in self.stage.normal(event).match(form)]
        for rule, record, private in rules:
            fields = {f: v for f in rule.detection.fields if f not in private and (v := lookup(record, f)) is not None}
            self.out += signal(self.stage.routes, event, rule.detection, fields, late)
        holds_from = max(event.time, self.watermark) if late else event.time
        self.out += facts(event, [rule.detection for rule, _, _ in rules], holds_from)
        self.out.append(Result("event", event.uid, event.time, "final", event.body()))

    def _late(self, number: int, time: int, watermark: int) -> None:
        self.late += 1
        origin = f"{self.chunk.origin}#{number}"
        times = {"time": rfc3339(time), "watermark": rfc3339(watermark)}
        body = {"origin": origin, "source": self.chunk.source, **times}
        self.out.append(Result("late", origin, time, "final", body))

    def _reject(self, number: int, data: bytes, reason: str, detail: str) -> None:
        self._refuse(number, sha256(data).hexdigest(), len(data), reason, detail)

    def _refuse(self, number: int, sha: str, size: int, reason: str, detail: str) -> None:
        self.rejected += 1
        origin = f"{self.chunk.origin}#{number}"
        body = {
            "origin": origin,
            "sha256": sha,
            "source": self.chunk.source,
            "reason": reason,
            "detail": detail[:300],
            "size": size,
        }
        self.out.append(Result("reject", origin, self.latest, "final", body))


class _Unusable(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail
