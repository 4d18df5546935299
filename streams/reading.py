"""Reading: the records of a document, each parsed or rejected, none lost."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from schemas.config import Limits
from schemas.event import EventEvidence, Reject
from streams.documents import Fault
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
        number = before
        try:
            _fits(document, self.limits.document_bytes)
            for raw in self.source.split(document):
                number += 1
                yield self._outcome(raw, number, document)
        except Unreadable as error:
            yield self._rejected(document, number + 1, error)

    def _outcome(self, raw: Raw, number: int, document: bytes) -> Outcome:
        evidence = EventEvidence(
            origin=f"{self.origin}#{number}", sha256=sha256(raw.data).hexdigest()
        )
        try:
            if len(raw.data) < len(document):  # what is about all of a document may be as large
                _fits(raw.data, self.limits.record_bytes)
            record = decode(raw.data, self.limits)
            return Outcome(self.source.event(raw, record, evidence), record)
        except Unreadable as error:
            return self._rejected(raw.data, number, error)

    def _rejected(self, data: bytes, number: int, error: Unreadable) -> Outcome:
        fault = Fault(error.reason, error.detail, sha256(data).hexdigest(), len(data))
        return Outcome(reject(fault, self.origin, number, self.source))


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
