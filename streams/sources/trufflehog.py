"""TruffleHog: where a secret lies, whether it works, and never the secret.

Read are NDJSON and lists of version 3, NDJSON and lists of version 2, and reports of trufflehog3.
An AWS key that was found is an API key by its id, owned by whom AWS names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.detection import Logsource
from schemas.entity import Entity, principal
from schemas.event import Event, EventEvidence, Level
from schemas.times import DAY
from streams.names.artifacts import UNNAMED, container, repository
from streams.records.envelope import records
from streams.records.untrusted import edge, entity, mapping, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.whole import dated, empty, needed
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "trufflehog"
TITLE: Final = "TruffleHog results"
LOGSOURCE: Final = Logsource(product="trufflehog")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"data_security_finding"})
ATTRIBUTES: Final = scans.ATTRIBUTES | {"secret.commit", "secret.verified"}
VERSIONS: Final = "2 (reason, stringsFound), 3 (SourceMetadata), trufflehog3 2 and 3"
GAPS: Final = (
    "What a later run does not find again stays open: results have no end.",
    "Version 2 and trufflehog3 name no repository: findings are those of files without a name.",
)

_KEY_ID: Final = re.compile(r"(?:AKIA|ASIA)[A-Z2-7]{16}")


class _Place(NamedTuple):
    """Where a secret lies."""

    asset: Entity
    path: str | None
    line: str | None = None
    commit: str | None = None
    time: int = 0


def sniff(head: bytes) -> bool:
    """A result has a detector and where from, or a reason and strings, or a rule and a secret."""
    return (
        (b'"SourceMetadata"' in head and b'"DetectorName"' in head)
        or (b'"stringsFound"' in head and b'"reason"' in head)
        or (b'"secret"' in head and b'"rule"' in head and b'"context"' in head)
    )


def split(document: bytes) -> Iterator[Raw]:
    """The results of a document, in its order."""
    return iter(()) if empty(document) else records(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One secret. Itself and the lines about it stay unread."""
    if not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a result is an object")
    said = mapping(record)
    found = _third(said, evidence) if "DetectorName" in said else _second(said, evidence)
    return Parsed(found, {})


def _third(said: dict[str, Json], evidence: EventEvidence) -> Event:
    rule, place = needed(said, "DetectorName"), _place(said)
    verified = said.get("Verified") is True
    key, owner = _aws(rule, said)
    edges = (edge(owner, "owns", key),) if owner and key else ()
    return finding(
        Scan(NAME, NAME, place.asset, place.time),
        _found(rule, f"{rule} secret", "critical" if verified else "medium", place, verified),
        evidence,
        others=(key, owner),
        edges=edges,
    )


def _second(said: dict[str, Json], evidence: EventEvidence) -> Event:
    """A result of version 2 or of trufflehog3, which has a rule instead of a reason."""
    told = mapping(said.get("rule"))
    if not told and "reason" not in said:
        raise Unreadable("wrong-shape", "a result has `DetectorName`, `rule` or `reason`")
    rule = needed(told, "id") if told else needed(said, "reason")
    place = _Place(
        UNNAMED,
        text(said.get("path"), 512),
        text(said.get("line"), 16),
        text(said.get("commitHash"), 64) or (text(said.get("commit"), 64) if told else None),
        dated(said.get("date")),
    )
    title = text(told.get("message"), 512) or rule
    severity = level(told.get("severity") or "medium")
    return finding(
        Scan(NAME, NAME, place.asset, place.time),
        _found(rule, title, severity, place, None),
        evidence,
    )


def _found(
    rule: str,
    title: str,
    severity: Level,
    place: _Place,
    verified: bool | None,  # noqa: FBT001
) -> Found:
    return Found(
        sort="data",
        of=rule,
        title=title,
        severity=severity,
        place=":".join(filter(None, (place.path, place.line))),
        attributes={
            "secret.rule": rule,
            "secret.commit": place.commit,
            "secret.verified": verified,
        },
    )


def _place(said: dict[str, Json]) -> _Place:
    """What `SourceMetadata.Data.<kind of source>` says; kinds differ in the names of the same."""
    kinds = mapping(mapping(said.get("SourceMetadata")).get("Data"))
    kind, inside = next(iter(kinds.items()), ("", None))
    where = mapping(inside)
    asset = (
        repository(where.get("repository"))
        or (entity("datastore", f"s3/{where['bucket']}") if text(where.get("bucket")) else None)
        or container(_tagged(where), digests=[where.get("digest")])
        or entity("model", _hub(kind, where))
    )
    return _Place(
        asset or UNNAMED,
        text(where.get("file"), 512) or text(where.get("link"), 512),
        text(where.get("line"), 16),
        text(where.get("commit"), 64),
        dated(_zoned(where.get("timestamp"))),
    )


def _tagged(where: dict[str, Json]) -> str | None:
    name, tag = text(where.get("image"), 256), text(where.get("tag"), 128)
    return f"{name}:{tag}" if name and tag and ":" not in tag else name


def _hub(kind: str, where: dict[str, Json]) -> str | None:
    if kind.lower() != "huggingface":
        return None
    name = text(where.get("resource"), 256)
    return f"huggingface/{name}".lower() if name else None


def _zoned(value: Json) -> Json:
    """Go writes `2022-06-16 10:17:40 -0700 -0700`: the last word is the name of the zone."""
    words = value.split(" ") if isinstance(value, str) else []
    return " ".join(words[:3]) if len(words) == 4 else value


def _aws(rule: str, said: dict[str, Json]) -> tuple[Entity | None, Entity | None]:
    """The key by its id, which is no secret, and its owner."""
    shown = text(said.get("Redacted"), 32) or ""
    if not rule.startswith("AWS") or not _KEY_ID.fullmatch(shown):
        return None, None
    arn = text(mapping(said.get("ExtraData")).get("arn")) or ""
    return entity("apikey", shown), principal(arn) if arn.startswith("arn:") else None
