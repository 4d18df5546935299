"""Detecting: single-event rules over files, with no state between records."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

import orjson

from correlators.normal import PRODUCT, normal_form
from correlators.sigma.matcher import Matcher
from correlators.sigma.rule import Rule
from schemas.config import Limits
from schemas.errors import Mistake
from schemas.event import Reject
from streams.matchers import Matchers
from streams.reading import Reader, reject
from streams.records.documents import Batch, open_documents
from streams.records.excerpt import excerpt
from streams.records.lines import untrimmed
from streams.records.untrusted import decode
from streams.scanned import clock
from streams.source import Json, Narrow, Parsed, Raw, Source, Unreadable


class Told(NamedTuple):
    """What one stretch of a file gave: its matches as lines of JSON, and what became of records."""

    matches: list[bytes]
    rejects: list[Reject]
    read: int


class Detecting:
    """Rules, made ready for each source when it first comes.

    A record is seen in two forms, as in every other command: raw by the rules of its vendor; and,
    where one of these matched or the record speaks of an AI asset, in normal form as an event.
    """

    def __init__(self, rules: Sequence[Rule], limits: Limits) -> None:
        self._limits = limits
        self.heads = {id(rule): _head(rule) for rule in rules}
        asked = (rule.detection.logsource for rule in rules)
        self._services = {one.service for one in asked if one.product == PRODUCT}
        self.matchers = Matchers(rules)

    def file(self, path: str, source: Source | None) -> Iterator[Told]:
        """The matches of a file in its order. A format that no source knows is a Mistake."""
        with open_documents(path, self._limits, source) as documents:
            read = 0
            for batch in documents:
                if documents.source is None:
                    yield _nothing(path, documents.origin, batch)
                    continue
                reader = Reader(documents.source, documents.origin, self._limits)
                told = self._batch(reader, batch, read)
                read += told.read
                yield told

    def _batch(self, reader: Reader, batch: Batch, before: int) -> Told:
        run = _Run(self, reader, before)
        matcher, narrow = self.matchers.raw(reader.source), reader.source.NARROW
        if matcher is None or narrow is None:
            run.whole(batch.documents)
        else:
            run.narrow(matcher, narrow, batch.documents)
        if batch.fault is not None:
            run.number += 1
            run.rejects.append(reject(batch.fault, reader.name(run.number), reader.source))
        return Told(run.matches, run.rejects, run.number - before)

    def wants_events(self, source: Source) -> bool:
        """True if some rule looks at records of the source in normal form."""
        return not self._services.isdisjoint({None, source.NAME})


class _Run:
    """One stretch of documents."""

    def __init__(self, rules: Detecting, reader: Reader, before: int) -> None:
        self._rules = rules
        self._reader = reader
        self._origin = orjson.dumps(reader.origin)[:-1]
        self._wants_events = rules.wants_events(reader.source)
        self._clock = clock(reader.source)
        self.number = before
        self.matches: list[bytes] = []
        self.rejects: list[Reject] = []

    def whole(self, documents: Sequence[bytes]) -> None:
        """Records that are always read as events."""
        for document in documents:
            for outcome in self._reader.read(document, self.number):
                self.number += 1
                self._event(outcome.result, [], self.number)

    def narrow(self, matcher: Matcher, narrow: Narrow, documents: Sequence[bytes]) -> None:
        """Records that are judged before they are decoded whole."""
        start = self.number + 1
        raws: list[Raw | Reject] | None = None
        scan = matcher.scan(untrimmed(documents))
        if (
            not all(scan.times) and None in scan.times
        ):  # some are documents with records in them, or faulty
            raws = list(self._unwrapped(documents, scan.times))
            scan = matcher.scan([raw.data if isinstance(raw, Raw) else b"" for raw in raws])
        self.number += len(scan.times)
        asked = frozenset((*narrow.named[:1], *narrow.looks) if narrow.named else ())
        texts = excerpt(asked, self._reader.limits)
        refused = self._refused(raws, scan.times, start) if raws else set[int]()
        for place, candidates in scan.hits:
            raw = raws[place] if raws else Raw(documents[place])
            if place in refused or isinstance(raw, Reject):
                continue
            quick = place in scan.sure and not self._wants_events and texts(raw.data)
            if quick and self._is_sound(narrow, quick, scan.times[place]):
                self._tell(candidates, _uid(narrow, quick, raw.data), start + place)
                continue
            try:
                record = decode(raw.data, self._reader.limits)
            except Unreadable as error:
                self.rejects.append(self._reader.refused(raw.data, start + place, error))
                continue
            matched = matcher.match(record, candidates)
            if self._wants_events and (matched or matcher.relevant(record)):
                result = self._reader.normalised(raw, record, start + place)
                self._event(result, matched, start + place)
            elif matched and self._is_sound(narrow, record, scan.times[place]):
                self._tell(matched, _uid(narrow, record, raw.data), start + place)
            elif matched:
                result = self._reader.normalised(raw, record, start + place)
                if isinstance(result, Reject):
                    self.rejects.append(result)
                else:
                    self._tell(matched, result.event.uid, start + place)

    def _is_sound(self, narrow: Narrow, record: Json, time: str | int | None) -> bool:
        """False if only the source itself can tell whether a record that matched is one.

        A source without a `check` is taken at the word of its rules.
        """
        if narrow.check is None:
            return True
        try:
            narrow.check(record)
            if time is not None:
                self._clock(time)
        except Unreadable:
            return False
        return True

    def _unwrapped(
        self, documents: Sequence[bytes], times: Sequence[str | int | None]
    ) -> Iterator[Raw | Reject]:
        number = self.number
        for document, time in zip(documents, times, strict=True):
            records = [Raw(document)] if time else list(self._reader.records(document, number))
            number += len(records)
            yield from records

    def _refused(
        self, raws: Sequence[Raw | Reject], times: Sequence[str | int | None], start: int
    ) -> set[int]:
        """The places of what is no record after all, and is told as a Reject."""
        refused: set[int] = set()
        for place, (raw, time) in enumerate(zip(raws, times, strict=True)):
            if time is None:
                number = start + place
                result = self._reader.outcome(raw, number).result if isinstance(raw, Raw) else raw
                if isinstance(result, Reject):
                    refused.add(place)
                    self.rejects.append(result)
        return refused

    def _event(self, result: Parsed | Reject, matched: list[Rule], number: int) -> None:
        if isinstance(result, Reject):
            self.rejects.append(result)
            return
        form = normal_form(result.event, result.private)
        matched += self._rules.matchers.normal(result.event).match(form)
        self._tell(matched, result.event.uid, number)

    def _tell(self, matched: Sequence[Rule], uid: str, number: int) -> None:
        rest = b',"event":%b,"origin":%b#%d"}\n' % (orjson.dumps(uid), self._origin, number)
        self.matches += [self._rules.heads[id(rule)] + rest for rule in matched]


def _uid(narrow: Narrow, record: Json, data: bytes) -> str:
    """The uid of the Event that the record would be; hashing is for records that have no own."""
    return narrow.uid(record, "") or narrow.uid(record, sha256(data).hexdigest())


def _head(rule: Rule) -> bytes:
    """The start of each line of a rule, made once."""
    about = rule.detection
    return orjson.dumps({"rule": about.id, "title": about.title, "level": about.level})[:-1]


def _nothing(path: str, origin: str, batch: Batch) -> Told:
    """A file of no known format: empty, damaged, or a Mistake."""
    if batch.fault is None or batch.fault.reason == "unknown-format":
        raise Mistake(f"{path}: no source knows this format; name it with --source")
    return Told([], [reject(batch.fault, f"{origin}#1", None)], 1)
