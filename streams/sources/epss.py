"""EPSS: how likely a vulnerability is to be exploited within 30 days, as FIRST scores it daily.

Read are the daily CSV with its line of model and score date, older ones without it, and answers of
the API as JSON, with `time-series` or without. The score date is the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.records.tables import rows
from streams.records.untrusted import entity, mapping, moment, slices, text
from streams.reports.listed import INTEL, Listing, listed
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "epss"
TITLE: Final = "EPSS scores"
LOGSOURCE: Final = Logsource(product="epss")
LATENESS: Final = 30 * DAY  # an answer of the API lists its newest days first
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"osint_inventory_info"})
ATTRIBUTES: Final = frozenset(
    """
    epss.model time.unknown vulnerability.epss vulnerability.epss_percentile vulnerability.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "CSV of the models v1 to v4 (2021-2026), API 1.0"
GAPS: Final = ("A score that is said in a scanner's report is that scanner's to tell.",)

_ID: Final = re.compile(r"CVE-\d{4}-\d{4,19}")
_COMMENT: Final = re.compile(
    rb"#\s*model_version:([^,\r\n]{1,64})(?:,\s*score_date:([^,\r\n]{1,64}))?"
)
_ZONE: Final = re.compile(r"([+-]\d{2})(\d{2})$")


class Told(NamedTuple):
    """What the table says of all rows, or the API of a point in time of one vulnerability."""

    date: str | None = None
    model: str | None = None
    cve: str | None = None


class _Row(msgspec.Struct):
    cve: str = ""
    series: list[msgspec.Raw] | None = msgspec.field(default=None, name="time-series")


class _Answer(msgspec.Struct):
    data: list[msgspec.Raw]


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_ROW: Final = msgspec.json.Decoder(_Row)


def sniff(head: bytes) -> bool:
    """The head of the table, or the envelope of the API."""
    if head.lstrip()[:1] == b"{":
        return all(key in head for key in (b'"epss"', b'"percentile"', b'"status-code"'))
    start = head[:256].lstrip()
    return start.startswith((b"#model_version:", b"cve,epss"))


def split(document: bytes) -> Iterator[Raw]:
    """One score each, in the order of the document."""
    if document.lstrip()[:1] == b"{":
        return (raw for row in slices(document, _ANSWER).data for raw in _points(bytes(row)))
    told = Told()
    comment = _COMMENT.match(document)
    if comment is not None:
        document = document[comment.end() :]
        model, date = (
            part.decode("utf-8", "replace") if part else None for part in comment.groups()
        )
        told = Told(date, model)
    return rows(document.lstrip(), context=told)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One score of one vulnerability."""
    said, told = mapping(record), raw.context if isinstance(raw.context, Told) else Told()
    known = (text(said.get("cve"), 64) or told.cve or "").strip().upper()
    if _ID.fullmatch(known) is None:
        raise Unreadable("wrong-shape", "a score has a `cve` such as CVE-2026-0001")
    score = _share(said.get("epss"))
    if score is None:
        raise Unreadable("wrong-shape", "`epss` is a number from 0 to 1")
    kept: dict[str, Json] = {
        "vulnerability.id": known,
        "vulnerability.epss": score,
        "vulnerability.epss_percentile": _share(said.get("percentile")),
        "epss.model": told.model,
    }
    found = Listing(NAME, _time(text(said.get("date"), 64) or told.date))
    message = f"{known} is exploited within 30 days with probability {score:g}"
    about = (entity("vulnerability", known),)
    return Parsed(listed(found, about, evidence, message, attributes=kept, kind=INTEL), {})


def _points(row: bytes) -> Iterator[Raw]:
    yield Raw(row)
    try:
        held = slices(row, _ROW)
    except Unreadable:  # it is a record all the same, and will be rejected as one
        return
    for point in held.series or ():
        yield Raw(bytes(point), Told(cve=held.cve))


def _time(date: str | None) -> int:
    """The score date; a table without one holds from 1970 on. Old tables write +0000."""
    if date is None:
        return 0
    return moment(_ZONE.sub(r"\1:\2", date) if "T" in date else f"{date}T00:00:00Z")


def _share(value: Json) -> float | None:
    try:
        share = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return share if 0 <= share <= 1 else None
