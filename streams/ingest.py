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
from typing import Any

import msgspec

from correlators.claims import facts, signal
from correlators.normal import logsource, normal_form
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.sigma.matcher import Matcher
from correlators.sigma.rule import Rule
from correlators.sigma.values import lookup
from schemas.config import Limits
from schemas.event import Event, Late, Reject
from schemas.rows import Output, Result, Tick
from schemas.times import BEGINNING, END, parse, rfc3339
from streams.documents import Fault
from streams.input import Chunk
from streams.reading import UNKNOWN, Outcome, Reader, reject
from streams.source import Parsed, Raw, Source, Unreadable
from streams.untrusted import decode

FILES = 1_000  # files of one input whose records are counted at the same time


class Progress(msgspec.Struct, array_like=True, frozen=True):
    """The state of one raw input: its place in time, how many records each file gave so far, and what was counted."""

    watermark: int = BEGINNING
    clock: int = BEGINNING
    told: int = BEGINNING
    latest: int = BEGINNING
    numbers: dict[str, int] = {}
    read: int = 0
    rejected: int = 0
    late: int = 0


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
        moved = msgspec.structs.replace(
            progress, watermark=watermark, clock=max(progress.clock, tick.clock)
        )
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

    def __init__(self, stage: Ingest, progress: Progress, chunk: Chunk) -> None:
        self.stage, self.chunk = stage, chunk
        self.before = progress
        # A file that was last read long ago is forgotten; its documents, mostly one record each, are not.
        self.number = 0 if chunk.first else progress.numbers.get(chunk.origin, chunk.before)
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
            numbers=self._numbers(),
            read=self.before.read + self.number - self.start,
            rejected=self.before.rejected + self.rejected,
            late=self.before.late + self.late,
        )

    def _numbers(self) -> dict[str, int]:
        numbers = {
            origin: n for origin, n in self.before.numbers.items() if origin != self.chunk.origin
        }
        numbers[self.chunk.origin] = self.number
        return dict(list(numbers.items())[-FILES:])

    def documents(self, source: Source) -> None:
        self.lateness = source.LATENESS if self.stage.lateness is None else self.stage.lateness
        reader = Reader(source, self.chunk.origin, self.stage.limits)
        matcher = self.stage.vendor(source)
        if matcher is not None:
            self._narrow(reader, matcher)
            return
        for document in self.chunk.documents:
            for outcome in reader.read(document, self.number):
                self.number += 1
                self._whole(reader, outcome)

    def fault(self, fault: Fault) -> None:
        self.number += 1
        source = self.stage.source(self.chunk.source) if self.chunk.source != UNKNOWN else None
        self._reject(reject(fault, self.chunk.origin, self.number, source))

    # -- sources whose raw records are judged before they are decoded whole

    def _narrow(self, reader: Reader, matcher: Matcher) -> None:
        records: list[Raw | Reject] = [Raw(document) for document in self.chunk.documents]
        scan = matcher.scan(self.chunk.documents)
        if None in scan.times:  # an envelope with records in it, or not a record at all
            flat: list[Raw | Reject] = []
            for document, time in zip(self.chunk.documents, scan.times, strict=True):
                flat += (
                    reader.records(document, self.start + len(flat))
                    if time is None
                    else (Raw(document),)
                )
            records = flat
            scan = matcher.scan(
                [record.data if isinstance(record, Raw) else b"" for record in records]
            )
        candidates = dict(scan.hits)
        late = self._judge(reader, scan.times, records, candidates)
        for place in sorted(candidates):
            record = records[place]
            if isinstance(record, Raw):
                self._candidate(reader, matcher, record, place, candidates[place], place in late)

    def _candidate(
        self,
        reader: Reader,
        matcher: Matcher,
        raw: Raw,
        place: int,
        candidates: Sequence[Rule] | None,
        late: bool,
    ) -> None:
        """Decode; normalise only what matched or speaks of an AI asset."""
        number = self.start + place + 1
        try:
            record = decode(raw.data, self.stage.limits)
        except Unreadable as error:
            self._reject(reader.refused(raw.data, number, error))
            return
        rules = matcher.match(record, candidates)
        if rules or _relevant(reader.source, record):
            result = reader.normalised(raw, record, number)
            if isinstance(result, Reject):
                self._reject(result)
            else:
                self._event(result, record, rules, late)

    def _judge(
        self,
        reader: Reader,
        times: Sequence[str | None],
        records: list[Raw | Reject],
        candidates: dict[int, Sequence[Rule] | None],
    ) -> set[int]:
        """Lateness of each record in order; returns the places of the late ones.

        A record without a usable time is read whole: it may have one after all (then all rules are its candidates),
        else it is rejected with the reason that a whole reading gives, and is no candidate.
        """
        late: set[int] = set()
        watermark, latest, lateness, bound = self.watermark, self.latest, self.lateness, self.bound
        previous, time = None, BEGINNING
        for place, text in enumerate(times):
            if text is None or text != previous:  # times repeat: audit logs have one-second times
                number = self.start + place + 1
                judged = self._time(reader, text, records[place], number)
                if isinstance(judged, int) and bound is not None and judged > bound:
                    judged = self._too_late(reader, records[place], number, judged, bound)
                if isinstance(judged, Reject):
                    self._reject(judged)
                    candidates.pop(place, None)
                    previous = None
                    continue
                if text is None:
                    candidates[place] = None
                time, previous = judged, text
            if time < watermark:
                late.add(place)
                self._late(self.start + place + 1, time, watermark)
            elif time > latest:
                latest = time
                watermark = max(watermark, latest - lateness)
        self.watermark, self.latest, self.number = watermark, latest, self.start + len(times)
        return late

    @staticmethod
    def _time(reader: Reader, text: str | None, record: Raw | Reject, number: int) -> int | Reject:
        if isinstance(record, Reject):
            return record
        if text is not None:
            try:
                return parse(text)
            except ValueError:
                pass  # the whole reading says why
        result = reader.outcome(record, number).result
        return result if isinstance(result, Reject) else result.event.time

    @staticmethod
    def _too_late(
        reader: Reader, record: Raw | Reject, number: int, time: int, bound: int
    ) -> Reject:
        if isinstance(record, Reject):
            return record
        return reader.refused(
            record.data,
            number,
            Unreadable("time-in-future", f"{rfc3339(time)} lies after {rfc3339(bound)}"),
        )

    # -- sources that are always normalised

    def _whole(self, reader: Reader, outcome: Outcome) -> None:
        if isinstance(outcome.result, Reject):
            self._reject(outcome.result)
            return
        event, bound = outcome.result.event, self.bound
        if bound is not None and event.time > bound:
            detail = f"{rfc3339(event.time)} lies after {rfc3339(bound)}"
            refused = reader.refused(b"", self.number, Unreadable("time-in-future", detail))
            self._reject(refused.model_copy(update={"sha256": event.evidence.sha256}))
            return
        late = event.time < self.watermark
        if late:
            self._late(self.number, event.time, self.watermark)
        else:
            self.latest = max(self.latest, event.time)
            self.watermark = max(self.watermark, event.time - self.lateness)
        self._event(outcome.result, None, (), late)

    # -- both

    def _event(self, parsed: Parsed, decoded: Any, vendor: Sequence[Rule], late: bool) -> None:
        event = parsed.event
        form = normal_form(event, parsed.private)
        rules = [(rule, decoded, frozenset[str]()) for rule in vendor]
        rules += [
            (rule, form, frozenset(parsed.private)) for rule in self.stage.normal(event).match(form)
        ]
        for rule, record, private in rules:
            fields = {
                f: v
                for f in rule.detection.fields
                if f not in private and (v := lookup(record, f)) is not None
            }
            self.out += signal(self.stage.routes, event, rule.detection, fields, late)
        holds_from = max(event.time, self.watermark) if late else event.time
        self.out += facts(event, [rule.detection for rule, _, _ in rules], holds_from)
        self.out.append(Result("event", event.uid, event.time, "final", event.body()))

    def _late(self, number: int, time: int, watermark: int) -> None:
        self.late += 1
        origin = f"{self.chunk.origin}#{number}"
        late = Late(origin=origin, source=self.chunk.source, time=time, watermark=watermark)
        self.out.append(Result("late", origin, time, "final", late.body()))

    def _reject(self, refused: Reject) -> None:
        self.rejected += 1
        self.out.append(Result("reject", refused.origin, self.latest, "final", refused.body()))


def _relevant(source: Source, record: Any) -> bool:
    """True if a raw record speaks of an AI asset, whatever the rules say."""
    wanted = source.NARROW.relevant if source.NARROW else {}
    return any(str(lookup(record, path)).lower() in values for path, values in wanted.items())
