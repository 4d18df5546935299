"""Threats: what an analyzer of mcp-scanner says of one item, by the ids of its taxonomy."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from streams.records.untrusted import listing, mapping, text
from streams.reports.scans import Found, level
from streams.source import Json

_ADVISORY: Final = re.compile(
    r"Vulnerable dependency: (?P<name>[^\s=@\[]{1,128})(?:==|@)(?P<version>[^\s\[]{1,64})"
    r" {0,4}\[(?P<id>[\w.-]{1,64})\]"
)
_ALIASES: Final = re.compile(r"(?:CVE-\d{4}-\d{4,19}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3})")
_FIXED: Final = re.compile(r"\| Fix: (?P<version>[^\s|,]{1,64})")


class Threat(NamedTuple):
    """One thing that an analyzer says: its id in the taxonomy, its name, how bad it is."""

    of: str
    name: str
    severity: Json


def named(analyzer: str, said: dict[str, Json]) -> list[Threat]:
    """The threats of one analyzer; it names none where it found nothing."""
    severity = text(said.get("severity"), 32)
    if severity in {None, "SAFE"} or said.get("total_findings") == 0:
        return []
    known = dict[str, Threat]()
    advisory = _ADVISORY.search(text(said.get("threat_summary")) or "")
    if advisory is not None:
        return [Threat(advisory["id"], "VULNERABLE DEPENDENCY", severity)]
    for one in map(mapping, listing(said.get("mcp_taxonomies"))):
        of = text(one.get("aisubtech") or one.get("aitech"), 64)
        name = text(one.get("scanner_category") or one.get("aisubtech_name"), 128)
        if of or name:
            known.setdefault(of or str(name), Threat(of or str(name), name or str(of), severity))
    for group in map(mapping, listing(mapping(said.get("threats")).get("items"))):
        for one in map(mapping, listing(group.get("items")) or [group]):
            of = text(one.get("sub_technique_id") or group.get("technique_id"), 64)
            name = text(one.get("sub_technique_name") or group.get("technique_name"), 128)
            if of is not None:
                known.setdefault(of, Threat(of, name or of, one.get("max_severity") or severity))
    if not known:
        names = [name for one in listing(said.get("threat_names")) if (name := text(one, 128))]
        known = {name: Threat(name, name, severity) for name in names}
    return list(known.values()) or [Threat(analyzer, "unnamed threat", severity)]


def behavior(said: dict[str, Json]) -> Threat:
    """What the analysis of a package says of its behaviour."""
    name = text(said.get("threat_category"), 128) or "behavior"
    return Threat(name, name, said.get("severity"))


def found(
    threat: Threat, said: dict[str, Json], analyzer: str, item: tuple[str, str] | None
) -> Found:
    """The finding of a threat: a vulnerability where it is one of a dependency."""
    kind, name = item or (None, None)
    kept: dict[str, Json] = {
        "finding.analyzer": analyzer,
        "finding.threat": threat.name,
    }
    summary = text(said.get("threat_summary")) or ""
    advisory = _ADVISORY.search(summary)
    if advisory is not None:
        others = sorted(set(_ALIASES.findall(summary)))
        of = next((one for one in others if one.startswith("CVE-")), advisory["id"])
        fixed = _FIXED.search(summary)
        kept |= {
            "package.version": advisory["version"],
            "package.fixed_version": fixed["version"] if fixed else None,
            "vulnerability.aliases": sorted({*others, advisory["id"]} - {of}) or None,
        }
        title, package = f"{of} in {advisory['name']}", advisory["name"]
        return Found("vulnerability", of, title, level(threat.severity), package, attributes=kept)
    line = text(mapping(said.get("details")).get("line_number"), 16)
    place = f"{kind} {name}" if kind and name else line
    kept |= {"check.id": threat.of, "mcp.item": kind}
    kept["finding.technique"] = threat.of if threat.of.startswith("AI") else None
    title = f"{threat.name.capitalize()} in {place}" if place else threat.name.capitalize()
    severity = level(threat.severity)
    return Found("detection", threat.of, title, severity, place=place, attributes=kept)
