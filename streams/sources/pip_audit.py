"""pip-audit: the vulnerable packages of a Python environment or of its requirements.

Read is its JSON, an object with dependencies, and the bare list of versions before 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names.advisories import fixed, known
from streams.names.artifacts import UNNAMED
from streams.records.untrusted import listing, slices, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding
from streams.reports.whole import about, empty
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "pip_audit"
TITLE: Final = "pip-audit report"
LOGSOURCE: Final = Logsource(product="pip_audit")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"vulnerability_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | {"package.ecosystem"}
VERSIONS: Final = "both forms, of 1.x and 2.x"
GAPS: Final = (
    (
        "A report has no time and no name of what was audited: its findings are those of files "
        "without a name, and it closes nothing. It has no severities: all are medium."
    ),
)


class _Package(msgspec.Struct):
    name: str = ""
    version: str | None = None
    vulns: list[msgspec.Raw] | None = None


class _Report(msgspec.Struct):
    dependencies: list[_Package]


_REPORT: Final = msgspec.json.Decoder(_Report)
_LIST: Final = msgspec.json.Decoder(list[_Package])


class Context(NamedTuple):
    """The package that is vulnerable."""

    name: str
    version: str | None


def sniff(head: bytes) -> bool:
    """A dependency has a list of vulnerabilities, and they have versions that mend them."""
    return b'"vulns"' in head and (b'"fix_versions"' in head or b'"dependencies"' in head)


def split(document: bytes) -> Iterator[Raw]:
    """The vulnerabilities of all packages, in their order."""
    if empty(document):
        return iter(())
    if document.lstrip().startswith(b"["):
        packages = slices(document, _LIST)
    else:
        packages = slices(document, _REPORT).dependencies
    return (
        Raw(bytes(row), Context(one.name[:256], one.version))
        for one in packages
        for row in one.vulns or ()
    )


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One vulnerability of a package."""
    context, said = about(raw.context, Context, record)
    name = known(said.get("id"), *listing(said.get("aliases")))
    if name is None or not context.name:
        raise Unreadable("wrong-shape", "a vulnerability has an id, and its package a name")
    found = Found(
        sort="vulnerability",
        of=name.of,
        title=f"{name.of} in {context.name} {context.version}",
        severity="medium",
        package=context.name,
        place=text(context.version, 256),
        attributes={
            "vulnerability.aliases": name.aliases,
            "package.version": text(context.version, 256),
            "package.ecosystem": "PyPI",
            "package.fixed_version": fixed(listing(said.get("fix_versions"))),
        },
    )
    return Parsed(finding(Scan(NAME, NAME, UNNAMED, 0), found, evidence), {})
