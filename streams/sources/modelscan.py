"""ModelScan: unsafe operators in the files of a model.

Read are JSON reports of 0.5 (`issues_by_severity`) and of later versions (`issues`). Each issue is
a record; the last one is the whole report. What the tool says of its settings and of each file
before it reports is passed over. A file that could not be scanned, and a scan of no file at all,
make it one that failed. The time is that of the clock beside the scanner, without a zone.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Event, EventEvidence, Status
from schemas.times import DAY
from streams.names import models
from streams.records.clocks import told
from streams.records.untrusted import distinct, mapping, slices, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "modelscan"
TITLE: Final = "ModelScan report"
LOGSOURCE: Final = Logsource(product="modelscan")
LATENESS: Final = DAY  # a report comes when its pipeline has ended, from a clock in any zone
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"detection_finding", "scan_activity"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    model.operator model.path model.scanner scan.errors scan.files scan.skipped
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "0.5 to 0.8"
GAPS: Final = (
    "A report names paths, no hashes: a model is its path, unless that is of the hub's cache.",
    "A report that a terminal broke into lines of 80 is rejected; `-o` writes it whole.",
    "Other lines before a report, as of libraries that warn, are rejected.",
)


class _Scanned(msgspec.Struct):
    total_scanned: int | None = None


class _Skipped(msgspec.Struct):
    total_skipped: int | None = None


class _Summary(msgspec.Struct):
    input_path: str | None = None
    input_spaced: str | None = msgspec.field(default=None, name="input path")  # so 0.7 has it
    absolute_path: str | None = None
    timestamp: str | None = None
    scanned: _Scanned | None = None
    skipped: _Skipped | None = None


class _Report(msgspec.Struct):
    summary: _Summary
    issues: list[msgspec.Raw] | None = None
    by_severity: dict[str, list[msgspec.Raw]] | None = msgspec.field(
        default=None, name="issues_by_severity"
    )
    errors: list[msgspec.Raw] | None = None
    input_path: str | None = None
    timestamp: str | None = None
    scanned: _Scanned | None = None


_REPORT: Final = msgspec.json.Decoder(_Report)
# What the tool itself says before its report, each a line of its own; no other line is passed over.
_SAID: Final = re.compile(
    rb"\s*(?:No settings file detected at [^\r\n]{1,4096}\. Using defaults\."
    rb"|Detected settings file\. Using [^\r\n]{1,4096}\."
    rb"|Scanning [^\r\n]{1,4096} using [\w.]{1,256} model scan)[ \t]*(?:\r?\n\s*|\Z)"
)


class Context(NamedTuple):
    """Which model was scanned, and of an issue how bad the report calls it; else how it went."""

    scan: Scan
    ids: tuple[Entity, ...]
    path: str
    severity: str | None = None
    found: int | None = None
    errors: int = 0
    files: int | None = None
    skipped: int | None = None


def sniff(head: bytes) -> bool:
    """A report counts its issues by severity, and names its version."""
    return b'"total_issues_by_severity"' in head and b'"summary"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The issues, then the report; nothing of a line that comes before one."""
    start = 0
    while (line := _SAID.match(document, start)) is not None:
        start = line.end()
    document = document[start:]
    if start and not document.strip():
        return iter(())
    report = slices(document, _REPORT)
    about = report.summary
    path = about.input_path or about.input_spaced or report.input_path or ""
    path = _rooted(path, about.absolute_path or "")
    ids = distinct(models.file(path))
    if not ids:
        raise Unreadable("wrong-shape", "the report says no `input_path`")
    tool = " ".join(filter(None, (NAME, models.part(path))))  # one file closes nothing of others
    scan = Scan(NAME, tool, ids[0], told(about.timestamp or report.timestamp))
    context = Context(scan, ids, path)
    issues: list[tuple[msgspec.Raw, str | None]] = [(one, None) for one in report.issues or ()]
    for severity, ones in (report.by_severity or {}).items():
        issues += [(one, severity) for one in ones]
    counted = about.scanned or report.scanned
    end = context._replace(
        found=len(issues),
        errors=len(report.errors or ()),
        files=counted.total_scanned if counted else None,
        skipped=about.skipped.total_skipped if about.skipped else None,
    )
    return iter(
        (
            *(Raw(bytes(one), context._replace(severity=severity)) for one, severity in issues),
            Raw(document, end),
        )
    )


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """An unsafe operator, or the scan."""
    context, said = raw.context, mapping(record)
    if not isinstance(context, Context):
        raise Unreadable("wrong-shape", "an issue is an object inside a report")
    if context.found is not None:
        return Parsed(_scan(context, context.found, evidence), {})
    module, operator = text(said.get("module"), 256), text(said.get("operator"), 256)
    of = ".".join(filter(None, (module, operator))) or text(said.get("description"), 256)
    if of is None:
        raise Unreadable("wrong-shape", "an issue has an `operator` and a `module`")
    source = (text(said.get("source"), 512) or "").replace("\\", "/")
    place = source.removeprefix(context.path.replace("\\", "/")).lstrip("/:") or source
    found = Found(
        sort="detection",
        of=of,
        title=text(said.get("description"), 512) or of,
        severity=level(said.get("severity"), context.severity),
        place=place,
        attributes={
            "check.id": of,
            "model.operator": operator,
            "model.path": source or None,
            "model.scanner": text(said.get("scanner"), 256),
        },
    )
    return Parsed(finding(context.scan, found, evidence, others=context.ids), {})


def _rooted(path: str, place: str) -> str:
    """The path from the root, where the report says the folder that it is, or lies in."""
    last = posixpath.basename(posixpath.normpath(path.replace("\\", "/")))
    if not place or posixpath.isabs(path) or ":" in path:
        return path
    whole = posixpath.normpath(place.replace("\\", "/"))
    inside = last in {"", ".", ".."} or posixpath.basename(whole) == last
    return whole if inside else f"{whole}/{last}"


def _scan(context: Context, found: int, evidence: EventEvidence) -> Event:
    # What was skipped altogether was not found to be clean.
    status: Status = "failure" if context.errors or context.files == 0 else "success"
    kept: dict[str, Json] = {
        "model.path": context.path,
        "scan.errors": context.errors or None,
        "scan.files": context.files,
        "scan.skipped": context.skipped or None,
    }
    ties = tuple(models.same(context.ids))
    scan = context.scan
    return scanned(scan, found, evidence, status=status, others=context.ids, edges=ties, **kept)
