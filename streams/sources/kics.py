"""KICS: what its queries find in infrastructure code, and the scan where it failed.

Read are JSON results. Each file that a query names is a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names.artifacts import UNNAMED
from streams.records.untrusted import slices, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.whole import Ended, Whole, about, dated, whole
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "kics"
TITLE: Final = "KICS results"
LOGSOURCE: Final = Logsource(product="kics")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"compliance_finding", "data_security_finding", "scan_activity"})
ATTRIBUTES: Final = scans.ATTRIBUTES | {"check.category"}
VERSIONS: Final = "1.x; 2.1 as documented"
GAPS: Final = (
    (
        "Results name folders, no repository: findings are those of files without a name, and a "
        "scan that succeeds closes nothing."
    ),
    "The bill of materials that KICS can add is not read.",
)

_SECRETS: Final = "secret management"


class _Query(msgspec.Struct):
    query_id: str = ""
    query_name: str = ""
    severity: str = ""
    platform: str = ""
    category: str = ""
    files: list[msgspec.Raw] | None = None


class _Results(msgspec.Struct):
    queries: list[_Query] | None = None
    files_scanned: int = 0
    files_failed: int = msgspec.field(default=0, name="files_failed_to_scan")
    queries_failed: int = msgspec.field(default=0, name="queries_failed_to_execute")
    start: str = ""
    end: str = ""


_RESULTS: Final = msgspec.json.Decoder(_Results)


class Context(NamedTuple):
    """What the query says of all files that it names."""

    scan: Scan
    query: _Query


def sniff(head: bytes) -> bool:
    """Results count files and queries."""
    return b'"queries_total"' in head and b'"files_scanned"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The files of all queries, in their order, and the scan where it failed."""
    results = slices(document, _RESULTS)
    scan = Scan(NAME, NAME, UNNAMED, dated(results.end, results.start))
    return _raws(document, scan, results)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One place that a query found, or the scan. The value found there stays unread."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    context, said = about(raw.context, Context, record)
    query = context.query
    of = text(query.query_id, 128) or text(query.query_name, 256)
    if of is None:
        raise Unreadable("wrong-shape", "a query has an id")
    secret = query.category.lower() == _SECRETS
    path, mark = text(said.get("file_name"), 512), text(said.get("similarity_id"), 128)
    found = Found(
        sort="data" if secret else "compliance",
        of=of,
        title=text(query.query_name, 512) or of,
        severity=level(query.severity),
        place=":".join(filter(None, (path, text(said.get("line"), 16)))),
        mark=f"{path}|{mark}" if mark else None,
        attributes={
            "check.id": of,
            "check.category": text(query.category, 128),
            "check.resource": text(said.get("resource_name"), 256),
            "secret.rule": of if secret else None,
        },
    )
    return Parsed(finding(context.scan, found, evidence), {})


def _raws(document: bytes, scan: Scan, results: _Results) -> Iterator[Raw]:
    count = 0
    for query in results.queries or ():
        files, query.files = query.files or [], None  # what a row holds on to is small
        context = Context(scan, query)
        count += len(files)
        yield from (Raw(bytes(one), context) for one in files)
    failed = results.files_failed > 0 or results.queries_failed > 0
    yield from whole(document, Ended(scan, count, failed))
