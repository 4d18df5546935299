"""Leaks: a secret that gitleaks found, the same finding in its JSON and in its SARIF."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from schemas.entity import Entity
from streams.names.artifacts import UNNAMED, repository
from streams.records.untrusted import entity, listing, mapping, text
from streams.reports.sarif import Rule
from streams.reports.scans import Found
from streams.reports.whole import dated, needed
from streams.source import Json

TOOL: Final = "gitleaks"

# The id of a key, long-term or of Bedrock's own users; what a report redacts is none.
_KEY_ID: Final = re.compile(r"AKIA[A-Z0-9]{16}")
_SAID: Final = " secret detected"  # behind the rule, in the messages of version 7


class Leak(NamedTuple):
    """Where a secret lies. `secret` is looked at for the id of a key, and kept nowhere.

    `asset` is UNNAMED and `time` 0 where the leak does not say. `mark` is the tool's own.
    """

    rule: str
    title: str | None
    asset: Entity
    time: int
    path: str | None
    line: str | None
    commit: str | None
    mark: str | None
    category: str | None
    secret: str | None


def of_json(said: dict[str, Json]) -> Leak:
    """A leak of version 8, or of 6 and 7, whose keys have other names. Raises Unreadable."""
    links = (said.get(key) for key in ("Link", "leakURL", "repoURL", "repo"))
    return Leak(
        rule=needed(said, "RuleID", "rule"),
        title=text(said.get("Description"), 512),
        asset=next((repo for one in links if (repo := repository(one))), UNNAMED),
        time=dated(said.get("Date"), said.get("date")),
        path=_first(said, "SymlinkFile", "File", "file", longest=512),
        line=_first(said, "StartLine", "lineNumber", longest=16),
        commit=_first(said, "Commit", "commit", longest=64),
        mark=text(said.get("Fingerprint"), 512),
        category=_category(said.get("Tags") or said.get("tags")),
        secret=text(said.get("Secret") or said.get("offender"), 512),
    )


def of_sarif(said: dict[str, Json], rule: Rule) -> Leak:
    """The result of a leak: what SARIF has no place for stands among its fingerprints."""
    known, prints = mapping(said.get("properties")), mapping(said.get("partialFingerprints"))
    one = mapping(next(iter(listing(said.get("locations"))), None))
    physical = mapping(one.get("physicalLocation"))
    region = mapping(physical.get("region"))
    name = rule.id.removesuffix(_SAID)
    return Leak(
        rule=name,
        title=name if rule.title == rule.id else rule.title,
        asset=repository(known.get("repo")) or UNNAMED,
        time=dated(prints.get("date"), known.get("date")),
        path=text(mapping(physical.get("artifactLocation")).get("uri"), 512),
        line=text(region.get("startLine"), 16),
        commit=text(prints.get("commitSha"), 64) or text(known.get("commit"), 64),
        mark=None,
        category=_category(known.get("tags")),
        secret=text(mapping(region.get("snippet")).get("text") or known.get("offender"), 512),
    )


def found(leak: Leak) -> Found:
    """The finding. Gitleaks rates nothing: a secret that lies open is high."""
    # As the tool makes its fingerprints, so that one that is not said is the same.
    mark = ":".join(filter(None, (leak.commit, leak.path, leak.rule, leak.line)))
    return Found(
        sort="data",
        of=leak.rule,
        title=leak.title or leak.rule,
        severity="high",
        place=":".join(filter(None, (leak.path, leak.line))),
        mark=mark if leak.path else leak.mark or mark,
        attributes={
            "secret.rule": leak.rule,
            "secret.category": leak.category,
            "secret.commit": leak.commit,
            "secret.mark": leak.mark,
        },
    )


def key(secret: str | None) -> Entity | None:
    """The API key, where a secret is the id of one, which is none."""
    return entity("apikey", secret) if secret and _KEY_ID.fullmatch(secret) else None


def _first(said: dict[str, Json], *keys: str, longest: int) -> str | None:
    return next((known for key in keys if (known := text(said.get(key), longest))), None)


def _category(tags: Json) -> str | None:
    """What a rule's tags say of it, but that it is a key."""
    words = tags.split(",") if isinstance(tags, str) else listing(tags)
    told = [word.strip() for one in words if (word := text(one, 64))]
    return next((word for word in told if word and word != "key"), None)
