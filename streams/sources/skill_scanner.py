"""Cisco skill-scanner: what is wrong with a skill of an agent.

Read are JSON reports of one skill, and of several (`results`). Each finding is a record, then the
report of the skill, which closes what is no longer found. Snippets are content of files: unread.
The time is that of the clock beside the scanner, without a zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.event import EventEvidence, Status
from schemas.times import DAY
from streams.records.clocks import told
from streams.records.untrusted import entity, mapping, slices, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "skill_scanner"
TITLE: Final = "Cisco skill-scanner report"
LOGSOURCE: Final = Logsource(product="skill_scanner")
LATENESS: Final = DAY  # a report comes when its pipeline has ended, from a clock in any zone
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"detection_finding", "scan_activity"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    finding.analyzer finding.category finding.technique skill.path skill.safe
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "skill-scanner 1 and 2"
GAPS: Final = ("SARIF output of the tool is read as SARIF.",)


class _Skill(msgspec.Struct):
    skill_name: str
    skill_path: str | None = None
    timestamp: str | None = None
    is_safe: bool | None = None
    findings: list[msgspec.Raw] | None = None
    failed: list[msgspec.Raw] | None = msgspec.field(default=None, name="analyzers_failed")


class _Summary(msgspec.Struct):
    timestamp: str | None = None


class _Several(msgspec.Struct):
    results: list[msgspec.Raw] | None = None
    summary: _Summary | None = None


_SEVERAL: Final = msgspec.json.Decoder(_Several)
_SKILL: Final = msgspec.json.Decoder(_Skill)


class Context(NamedTuple):
    """Which skill was scanned; of the report itself how many findings it has."""

    scan: Scan
    path: str | None
    safe: bool | None
    failed: bool
    found: int | None = None


def sniff(head: bytes) -> bool:
    """A report names the skill and its path."""
    keys = (b'"skill_name"', b'"skill_path"', b'"is_safe"')
    return head.lstrip().startswith(b"{") and all(key in head for key in keys)


def split(document: bytes) -> Iterator[Raw]:
    """The findings of each skill, then its report."""
    several = slices(document, _SEVERAL)
    skills = [document] if several.results is None else [bytes(one) for one in several.results]
    otherwise = (several.summary or _Summary()).timestamp
    raws = [raw for skill in skills for raw in _raws(skill, slices(skill, _SKILL), otherwise)]
    return iter(raws)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """A finding, or the scan of a skill."""
    context, said = raw.context, mapping(record)
    if not isinstance(context, Context) or not said:
        raise Unreadable("wrong-shape", "a finding is an object inside a report")
    if context.found is not None:
        kept: dict[str, Json] = {"skill.path": text(context.path, 512), "skill.safe": context.safe}
        status: Status = "failure" if context.failed else "success"
        return Parsed(scanned(context.scan, context.found, evidence, status=status, **kept), {})
    of = text(said.get("rule_id"), 256) or text(said.get("category"), 128)
    if of is None:
        raise Unreadable("wrong-shape", "a finding has a `rule_id`")
    place = (text(said.get("file_path"), 512), text(said.get("line_number"), 16))
    about = mapping(said.get("metadata"))
    found = Found(
        sort="detection",
        of=of,
        title=text(said.get("title"), 512) or of,
        severity=level(said.get("severity")),
        place=":".join(filter(None, place)),
        attributes={
            "check.id": of,
            "finding.analyzer": text(said.get("analyzer"), 64),
            "finding.category": text(said.get("category"), 128),
            "finding.technique": text(about.get("aisubtech") or about.get("aitech"), 64),
        },
    )
    return Parsed(finding(context.scan, found, evidence), {})


def _raws(data: bytes, skill: _Skill, otherwise: str | None) -> Iterator[Raw]:
    asset = entity("skill", skill.skill_name)
    if asset is None:
        raise Unreadable("wrong-shape", "a report names its skill")
    scan = Scan(NAME, "skill-scanner", asset, told(skill.timestamp or otherwise))
    context = Context(scan, skill.skill_path, skill.is_safe, bool(skill.failed))
    findings = skill.findings or []
    yield from (Raw(bytes(one), context) for one in findings)
    yield Raw(data, context._replace(found=len(findings)))
