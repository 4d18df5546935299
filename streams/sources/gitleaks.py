"""Gitleaks: where a secret lies in a repository, never the secret.

Read are JSON reports of version 8 and of versions 6 and 7: a list of leaks, or NDJSON of them.
Where the leak is the id of an AWS access key, which is no secret, it is that API key. The SARIF of
version 8 and 7 says the same findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.records.envelope import records
from streams.records.untrusted import mapping
from streams.reports import leaks, scans
from streams.reports.scans import Scan, finding
from streams.reports.whole import empty
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "gitleaks"
TITLE: Final = "Gitleaks report"
LOGSOURCE: Final = Logsource(product="gitleaks")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"data_security_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | {"secret.commit", "secret.mark"}
VERSIONS: Final = "6 and 7 (rule, offender); 8.28 as documented (RuleID, Fingerprint)"
GAPS: Final = (
    (
        "A report of what is in a list of files has no time and no repository; version 8 names the "
        "repository only in links."
    ),
    "What a later report does not find again stays open: a report may be about a few commits only.",
)


def sniff(head: bytes) -> bool:
    """A leak has a rule and how it was told, by the names of either generation."""
    new = b'"RuleID"' in head and b'"StartColumn"' in head and b'"Fingerprint"' in head
    return new or (b'"rule"' in head and b'"offender"' in head and b'"commitMessage"' in head)


def split(document: bytes) -> Iterator[Raw]:
    """The leaks of a report, in its order."""
    return iter(()) if empty(document) else records(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One leak. The line about it and the author stay unread, the secret but for an id of AWS."""
    if not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a leak is an object")
    leak = leaks.of_json(mapping(record))
    scan = Scan(NAME, leaks.TOOL, leak.asset, leak.time)
    told = finding(scan, leaks.found(leak), evidence, others=(leaks.key(leak.secret),))
    return Parsed(told, {})
