"""Gitleaks: where a secret lies in a repository, never the secret.

Read are JSON reports of version 8 and of versions 6 and 7: a list of leaks, or NDJSON of them.
Where the leak is the id of an AWS access key, which is no secret, it is that API key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names.artifacts import UNNAMED, repository
from streams.records.envelope import records
from streams.records.untrusted import entity, listing, mapping, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding
from streams.reports.whole import dated, empty, needed
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
# The id of a key, long-term or of Bedrock's own users; what a report redacts is none.
_KEY_ID: Final = re.compile(r"AKIA[A-Z0-9]{16}")


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
    said = mapping(record)
    rule = needed(said, "RuleID", "rule")
    links = (said.get(key) for key in ("Link", "leakURL", "repoURL", "repo"))
    asset = next((repo for one in links if (repo := repository(one))), UNNAMED)
    path = text(said.get("File"), 512) or text(said.get("file"), 512)
    line = text(said.get("StartLine"), 16) or text(said.get("lineNumber"), 16)
    commit = text(said.get("Commit"), 64) or text(said.get("commit"), 64)
    mark = text(said.get("Fingerprint"), 512)
    scan = Scan(NAME, NAME, asset, dated(said.get("Date"), said.get("date")))
    found = Found(
        sort="data",
        of=rule,
        title=text(said.get("Description"), 512) or rule,
        severity="high",
        place=":".join(filter(None, (path, line))),
        mark=mark or ":".join(filter(None, (commit, path, rule, line))),
        attributes={
            "secret.rule": rule,
            "secret.category": _category(said),
            "secret.commit": commit,
            "secret.mark": mark,
        },
    )
    leaked = text(said.get("Secret") or said.get("offender"), 512) or ""
    key = entity("apikey", leaked) if _KEY_ID.fullmatch(leaked) else None
    return Parsed(finding(scan, found, evidence, others=(key,)), {})


def _category(said: dict[str, Json]) -> str | None:
    tags = said.get("Tags") or said.get("tags")
    words = tags.split(",") if isinstance(tags, str) else listing(tags)
    told = [word.strip() for one in words if (word := text(one, 64))]
    return next((word for word in told if word and word != "key"), None)
