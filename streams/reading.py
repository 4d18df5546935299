"""Reading: the records of a document, each parsed or rejected, none lost."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple, cast

from schemas.config import Limits
from schemas.event import EventEvidence, Reject
from streams.documents import Fault, open_documents
from streams.source import Json, Parsed, Raw, Source, Unreadable
from streams.untrusted import decode

UNKNOWN: Final = "unknown"  # the source of a file that no source knows
_DETAIL: Final = 300  # characters: a decoder may quote the record


class Outcome(NamedTuple):
    """What became of one record; `record` is the decoded one, where it was parsed."""

    result: Parsed | Reject
    record: Json = None


class Reader(NamedTuple):
    """Reads the documents of one file; `origin` is its name, `source` its format."""

    source: Source
    origin: str
    limits: Limits

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
            for raw in self.source.split(document):
                number += 1
                yield self._bounded(raw, number, document)
        except Unreadable as error:
            yield self.refused(document, number + 1, error)

    def outcome(self, raw: Raw, number: int) -> Outcome:
        """What becomes of one record."""
        try:
            record = decode(raw.data, self.limits)
        except Unreadable as error:
            return Outcome(self.refused(raw.data, number, error))
        return Outcome(self.normalised(raw, record, number), record)

    def normalised(self, raw: Raw, record: Json, number: int) -> Parsed | Reject:
        """What the source makes of a decoded record."""
        evidence = EventEvidence(
            origin=f"{self.origin}#{number}", sha256=sha256(raw.data).hexdigest()
        )
        try:
            return self.source.event(raw, record, evidence)
        except Unreadable as error:
            return self.refused(raw.data, number, error)

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
        return reject(fault, self.origin, number, self.source)


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
                yield Outcome(reject(batch.fault, documents.origin, count, documents.source))


def reject(fault: Fault, origin: str, number: int, source: Source | None) -> Reject:
    """The Reject of the part of a file that gave no document, or of one record."""
    return Reject(
        origin=f"{origin}#{number}",
        sha256=fault.sha256,
        source=source.NAME if source else UNKNOWN,
        reason=fault.reason,
        detail=fault.detail[:_DETAIL],
        size=fault.size,
    )


def _fits(data: bytes, most: int) -> None:
    if len(data) > most:
        raise Unreadable("too-large", f"{len(data)} bytes, the bound is {most}")
