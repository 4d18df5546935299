"""Reports: what the sources of scanner reports share besides the form of their Events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

from schemas.entity import Entity
from schemas.event import Edge, EventEvidence, Status
from schemas.times import SECOND
from streams.names.artifacts import UNNAMED
from streams.records.untrusted import mapping, moment, number, sane, text
from streams.reports.scans import Scan, scanned
from streams.source import Json, Parsed, Raw, Unreadable

_T = TypeVar("_T")
# From which number on it counts thousandths, millionths and so on of a second.
_UNITS: Final = ((1e17, 1e-3), (1e14, 1), (1e11, 1e3))


class Whole(NamedTuple):
    """The context of the record that is a report as a whole: what it says of one asset."""

    scan: Scan
    found: int
    status: Status = "success"
    others: tuple[Entity | None, ...] = ()
    edges: tuple[Edge, ...] = ()

    def event(self, evidence: EventEvidence) -> Parsed:
        """The scan itself."""
        told = scanned(
            self.scan,
            self.found,
            evidence,
            status=self.status,
            others=self.others,
            edges=self.edges,
        )
        return Parsed(told, {})


class Ended(NamedTuple):
    """A scan that a report tells of, and how many findings it has."""

    scan: Scan
    found: int
    failed: bool = False


def whole(document: bytes, *ends: Ended) -> Iterator[Raw]:
    """The scans of a report as records, but for one of files without a name that did not fail.

    Such a one would close what another report, about other files, has found.
    """
    # Where there are many, a report is not decoded for each of them: all is said in the context.
    record: Json = {} if len(ends) > 1 else None
    for scan, found, failed in ends:
        if failed or scan.asset != UNNAMED:
            yield Raw(document, Whole(scan, found, "failure" if failed else "success"), record)


def about(context: Json, sort: type[_T], record: Json) -> tuple[_T, dict[str, Json]]:
    """The context of a row, and the row. Raises Unreadable."""
    if not isinstance(context, sort) or not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a finding is an object inside a report")
    return context, mapping(record)


def needed(said: dict[str, Json], *keys: str) -> str:
    """The first text of these keys. Raises Unreadable."""
    found = next((word for key in keys if (word := text(said.get(key), 256))), None)
    if found is None:
        raise Unreadable("wrong-shape", f"a finding has {keys[0]}")
    return found


def dated(*values: Json) -> int:
    """The first time that can be read, a text or a count since 1970; 0 where none can.

    A report of a wrong time is still a report: it is one without a time.
    """
    for value in values:
        try:
            counted = number(value)
            return moment(value) if counted is None else since_1970(counted)
        except Unreadable:
            continue
    return 0


def since_1970(count: float) -> int:
    """Microseconds of a count of seconds, or of thousandths and so on, by its size.

    Raises Unreadable: bad-time.
    """
    factor = next((factor for least, factor in _UNITS if count >= least), SECOND)
    return sane(round(count * factor))


def empty(document: bytes) -> bool:
    """True for what tools write that found nothing: `null`, `[]`."""
    return b"".join(document.split()) in {b"null", b"[]"}
