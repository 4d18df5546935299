"""Advised: what the user's advisories say of the software that a record names.

A component with a version that is known to be vulnerable is a finding of its own, of the same
record, by the tool `intel/<who named it>`. It is closed by the next bill of materials or scan of
that tool which does not give that version again, or at run time by another version. What is read
before a feed has come is not looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from correlators.advisories.component import Component, component
from correlators.advisories.feed import Feed, Match
from correlators.claims import INTEL, SCAN, facts
from correlators.sigma.rule import Rule
from schemas.canonical import digest
from schemas.entity import Entity
from schemas.event import Event
from schemas.rows import Output
from schemas.times import HOUR
from streams.names.artifacts import UNNAMED
from streams.reports.scans import Found, Scan, finding
from streams.source import Json, Parsed
from streams.statements import Match as Matched
from streams.statements import Statements

_INVENTORY: Final = 5020  # OCSF Software Inventory Info: a part of a bill of materials
_SHOWN: Final = 12  # digits of a feed's sha256
# What runs says its version with each record: once in so long is enough.
_AGAIN: Final = HOUR
_RUNNING: Final = (
    ("mcp.server.name", "mcp.server.version", ("mcp_server",)),
    ("service.name", "service.version", ("application", "endpoint", "workload", "agent")),
)


class Named(NamedTuple):
    """A component that a record names, on which asset, and by which tool.

    `moment`: records of one moment say the same thing once.
    """

    of: Component
    asset: Entity
    tool: str
    moment: int
    purl: str | None = None


class Advised:
    """Says what records mean, with what advisories say of the software in them."""

    def __init__(self, statements: Statements, feed: Feed) -> None:
        self._statements, self._feed = statements, feed

    def of(
        self, parsed: Parsed, decoded: Json, vendor: Sequence[Rule], watermark: int | None
    ) -> list[Output]:
        """As `Statements` has it, then the findings of the feed, each as an event of its own."""
        told = self._statements.of(parsed, decoded, vendor, watermark)
        if not self._feed:
            return told
        event = parsed.event
        for found in findings(event, self._feed):
            told += self._statements.of(Parsed(found, {}), None, (), watermark)
        for closing in closings(event, self._feed):
            told += facts(closing, (), event.time if watermark is None else watermark)
        return told

    def matches(self, parsed: Parsed, decoded: Json, vendor: Sequence[Rule]) -> list[Matched]:
        """As `Statements` has it: what the record itself matches."""
        return self._statements.matches(parsed, decoded, vendor)


def findings(event: Event, feed: Feed) -> Iterator[Event]:
    """An event for each advisory that a component of the record has."""
    for named in _named(event):
        for match in feed.matches(named.of):
            yield _finding(event, named, match, feed)


def closings(event: Event, feed: Feed) -> Iterator[Event]:
    """What says that the tool has named all it knows of an asset at this time."""
    tools: list[tuple[str, Entity]] = []
    scanned = event.class_uid == SCAN and event.status == "success"
    if event.entities and (scanned or event.class_uid == _INVENTORY):
        tools.append((_tool(event), event.entities[0]))
    tools += [(one.tool, one.asset) for one in _running(event) if feed.knows(one.of)]
    for tool, asset in tools:
        yield Event(
            uid=digest(tool, asset.key, event.time),
            time=event.time,
            source=event.source,
            class_uid=SCAN,
            class_name="Scan Activity",
            activity="Completed",
            status="success",
            entities=(asset,),
            attributes={"scan.tool": tool},
            evidence=event.evidence,
        )


def _finding(event: Event, named: Named, match: Match, feed: Feed) -> Event:
    advisory, version = match.advisory, named.of.version
    of = advisory.common
    by = f"{named.of.ecosystem} package" if advisory.ecosystem else "name"
    aliases = [one for one in (advisory.id, *advisory.aliases) if one != of]
    found = Found(
        "vulnerability",
        of,
        f"{of} in {named.of.name} {version}",
        advisory.severity,
        package=named.of.name,
        attributes={
            "package.version": version,
            "package.purl": named.purl,
            "package.fixed_version": match.fixed,
            "vulnerability.aliases": aliases or None,
            "vulnerability.cvss": advisory.score,
            "intel.feed": feed.sha256[:_SHOWN],
            "intel.matched_by": by,
        },
    )
    scan = Scan(event.source, named.tool, named.asset, event.time)
    told = finding(scan, found, event.evidence, others=event.entities)
    uid = digest("intel", told.finding.uid if told.finding else "", named.moment)
    return told.model_copy(update={"uid": uid})


def _named(event: Event) -> Iterator[Named]:
    said = event.attributes
    closed = event.finding is not None and event.finding.state == "resolved"
    if not closed and event.class_uid != INTEL:
        # A bill that does not say of what it is is one of files without a name.
        asset = event.entities[0] if event.entities else UNNAMED
        purl = _text(said.get("package.purl"))
        name, version = _text(said.get("package.name")), _text(said.get("package.version"))
        of = component(name or "", version or "", purl)
        if of is not None:
            yield Named(of, asset, _tool(event), event.time, purl)
    yield from _running(event)


def _running(event: Event) -> Iterator[Named]:
    """Services and servers that say their version as they run."""
    for name, version, kinds in _RUNNING:
        asset = next((one for one in event.entities if one.kind in kinds), None)
        said = (_text(event.attributes.get(name)), _text(event.attributes.get(version)))
        of = component(said[0] or "", said[1] or "")
        if asset is not None and of is not None:
            yield Named(of, asset, f"intel/{event.source}/running", event.time // _AGAIN)


def _tool(event: Event) -> str:
    """Of whom this is the feed's word; a thing inside of a bill of materials is not all of it."""
    tool = f"intel/{event.attributes.get('scan.tool', event.source)}"
    return f"{tool}/part" if event.class_uid == _INVENTORY and len(event.entities) > 1 else tool


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
