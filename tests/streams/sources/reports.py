"""What the tests of scanners share: the Events of a report, and what each says in short."""

from hashlib import sha256
from types import ModuleType
from typing import Any, cast

import orjson

from schemas.event import Event, EventEvidence, ScanFinding
from streams.source import Source, Unreadable


def told(module: ModuleType, document: Any, /, **changes: Any) -> list[Event]:  # noqa: ANN401
    """The Events of a document; none of its records may be rejected."""
    source = cast("Source", module)
    data = document if isinstance(document, bytes) else orjson.dumps(document | changes)
    found = []
    for raw in source.split(data):
        evidence = EventEvidence(origin="file:x#1", sha256=sha256(raw.data).hexdigest())
        record = orjson.loads(raw.data) if raw.record is None else raw.record
        found.append(source.event(raw, record, evidence).event)
    return found


def found(event: Event) -> ScanFinding:
    """The finding of an Event that has one."""
    assert event.finding is not None
    return event.finding


def short(event: Event) -> tuple[str, str, str, str]:
    """What is found, whether it is still there, how bad it is, and on what."""
    finding = found(event)
    of = finding.vulnerability or finding.check or ""
    return of, finding.state, event.severity, event.entities[0].key


def refused(source: ModuleType, document: bytes) -> tuple[str, str]:
    """Why a document, or its first record that is refused, cannot be read."""
    try:
        told(source, document)
    except Unreadable as error:
        return error.reason, error.detail
    raise AssertionError("all of it was read")
