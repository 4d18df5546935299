"""Reading: the records of a document, each parsed or rejected, none lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, cast

import orjson

from schemas.config import Limits
from schemas.event import Event, EventEvidence, Reject
from streams.records.documents import Fault, open_documents
from streams.records.untrusted import decode, mapping
from streams.source import Json, Parsed, Raw, Reason, Source, Unreadable
from streams.telemetry import content

UNKNOWN: Final = "unknown"  # the source of a file that no source knows
_DETAIL: Final = 300  # characters: a decoder may quote the record


class Outcome(NamedTuple):
    """What became of one record; `record` is the decoded one, where it was parsed."""

    result: Parsed | Reject
    record: Json = None


class Messages:
    """The documents of a run of messages of a log, which are numbered each by itself.

    The record `n` (from 1) of the message at `place` has the number place * SPAN + n; its name has
    `#<n>` only where one message holds several.
    """

    SPAN: Final = 2**24  # more records than a message has room for

    def __init__(self, offsets: Sequence[int]) -> None:
        self._offsets = offsets
        self._several: set[int] = set()

    def numbers(self) -> Sequence[int]:
        """How many records lie before each document, as numbers go here."""
        return range(0, len(self._offsets) * self.SPAN, self.SPAN)

    def held(self, before: int, count: int) -> None:
        """The message whose records follow `before` holds so many."""
        if count > 1:
            self._several.add(before // self.SPAN)

    def name(self, log: str, number: int) -> str:
        """The name of a record."""
        place, n = divmod(number, self.SPAN)
        name = f"{log}/{self._offsets[place]}"
        return f"{name}#{n}" if place in self._several else name


class Reader(NamedTuple):
    """Reads the documents of one file; `origin` is its name, `source` its format.

    Of a log instead of a file, `messages` says where each document lies.
    """

    source: Source
    origin: str
    limits: Limits
    messages: Messages | None = None

    def name(self, number: int) -> str:
        """Where the record with this number lies."""
        if self.messages is not None:
            return self.messages.name(self.origin, number)
        return f"{self.origin}#{number}"

    def read(self, document: bytes, before: int) -> Iterator[Outcome]:
        """The outcome of each record of a document, in its order.

        `before` is how many records the file had before: the first one here has the next number.
        A document that cannot be split is one Reject.
        """
        for number, record in enumerate(self.records(document, before), before + 1):
            yield Outcome(record) if isinstance(record, Reject) else self.outcome(record, number)

    def records(self, document: bytes, before: int) -> Iterator[Raw | Reject]:
        """The records of a document, not decoded yet; a Reject for what is too large or none."""
        number = before
        try:
            _fits(document, self.limits.document_bytes)
            raws = self.source.split(document)
            if self.messages is not None:
                raws = iter(known := list(raws))
                self.messages.held(before, len(known))
            for raw in raws:
                number += 1
                yield self._bounded(raw, number, document)
        except Unreadable as error:
            yield self.refused(document, number + 1, error)
        except Exception as error:  # noqa: BLE001 - as in `normalised`
            yield self.refused(document, number + 1, Unreadable("defect", repr(error)))

    def outcome(self, raw: Raw, number: int) -> Outcome:
        """What becomes of one record."""
        try:
            record = decode(raw.data, self.limits) if raw.record is None else raw.record
        except Unreadable as error:
            return Outcome(self.refused(raw.data, number, error))
        return Outcome(self.normalised(raw, record, number), record)

    def normalised(self, raw: Raw, record: Json, number: int) -> Parsed | Reject:
        """What the source makes of a decoded record."""
        evidence = EventEvidence(origin=self.name(number), sha256=sha256(raw.data).hexdigest())
        try:
            parsed = self._told(self.source.event(raw, record, evidence))
            storable(parsed.event)
        except Unreadable as error:
            return self.refused(raw.data, number, error)
        except Exception as error:  # noqa: BLE001 - one record that breaks a source must not stop all others
            return self.refused(raw.data, number, Unreadable("defect", repr(error)))
        return parsed

    def _told(self, parsed: Parsed) -> Parsed:
        """With what is told of content, whatever the source."""
        if not parsed.private:
            return parsed
        key = self.limits.key
        found = content.told(
            parsed.private, key.get_secret_value().encode() if key is not None else None
        )
        if not found:
            return parsed
        attributes = parsed.event.attributes | found
        event = parsed.event.model_copy(update={"attributes": attributes})
        return Parsed(event, parsed.private)

    def _bounded(self, raw: Raw, number: int, document: bytes) -> Raw | Reject:
        try:
            if len(raw.data) < len(document):  # what is about all of a document may be as large
                _fits(raw.data, self.limits.record_bytes)
        except Unreadable as error:
            return self.refused(raw.data, number, error)
        return raw

    def refused(self, data: bytes, number: int, error: Unreadable) -> Reject:
        """The Reject of a record that cannot be taken."""
        fault = Fault(error.reason, error.detail, sha256(data).hexdigest(), len(data))
        return reject(fault, self.name(number), self.source)


def outcomes(path: str, limits: Limits, source: Source | None = None) -> Iterator[Outcome]:
    """The outcome of every record of a file, in its order; `source` names its format."""
    with open_documents(path, limits, source) as documents:
        count = 0
        for batch in documents:
            for document in batch.documents:
                # A file without a source has no documents, only a fault.
                reader = Reader(cast("Source", documents.source), documents.origin, limits)
                for outcome in reader.read(document, count):
                    count += 1
                    yield outcome
            if batch.fault is not None:
                count += 1
                name = f"{documents.origin}#{count}"
                yield Outcome(reject(batch.fault, name, documents.source))


def reject(fault: Fault, name: str, source: Source | None) -> Reject:
    """The Reject of the part of a file that gave no document, or of one record."""
    return Reject(
        origin=name,
        sha256=fault.sha256,
        source=source.NAME if source else UNKNOWN,
        reason=fault.reason,
        detail=fault.detail[:_DETAIL],
        size=fault.size,
    )


def storable(event: Event) -> None:
    """Raises Unreadable for what no log and no store can hold, or would give back as another.

    What is not looked at here (ids, names, numbers) is held to it by its type.
    """
    client, finding = event.client, event.finding
    said: list[Json] = [event.uid, event.time, event.class_name, event.activity, event.message]
    said += [edge.relation for edge in event.edges]
    if client is not None:
        said += (client.ip, client.user_agent)
    if finding is not None:
        said += finding.__dict__.values()
    try:
        written = orjson.dumps(event.attributes)
        orjson.dumps(said)
    except TypeError as error:
        raise Unreadable(*_unwritten(str(error))) from None
    # A number that is none is written as null, which few records have: most are not walked.
    if b"null" in written and any(map(_no_number, _values(event.attributes))):
        raise Unreadable("wrong-shape", "a number is infinite, or is none")


def _unwritten(said: str) -> tuple[Reason, str]:
    if "surrogate" in said:
        return "encoding", "a text holds half a character (a lone surrogate)"
    if "64-bit" in said:
        return "too-large", "a whole number has more than 64 bits"
    return "defect", said


def _no_number(value: Json) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _values(value: Json) -> Iterator[Json]:
    """All that lies inside, however deep: what was written is not too deep to walk."""
    if isinstance(value, dict):
        for one in mapping(value).values():
            yield from _values(one)
    elif isinstance(value, list | tuple):
        for one in cast("Sequence[Json]", value):
            yield from _values(one)
    else:
        yield value


def _fits(data: bytes, most: int) -> None:
    if len(data) > most:
        raise Unreadable("too-large", f"{len(data)} bytes, the bound is {most}")
