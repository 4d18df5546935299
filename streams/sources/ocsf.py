"""OCSF: findings, activities and inventory of any product that writes the common schema.

Read are records of versions 1.1 to 1.9: alone, as a list or NDJSON, and as Security Hub sends them.
A finding is one of the things that it names first; each vulnerability of a record is one finding.
What Prowler writes is read by its own source.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from correlators import normal
from schemas.canonical import digest
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Event, EventEvidence
from schemas.times import DAY
from streams.names import aws
from streams.names.advisories import known
from streams.records.envelope import records
from streams.records.untrusted import (
    distinct,
    edge,
    entity,
    listing,
    mapping,
    number,
    opened,
    secret,
    slices,
    text,
)
from streams.reports import ocsf, scans
from streams.reports.scans import Found, Scan, Sort, finding, measured
from streams.reports.whole import dated
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.semconv import provider

NAME: Final = "ocsf"
TITLE: Final = "OCSF record"
LOGSOURCE: Final = Logsource(product="ocsf")
LATENESS: Final = DAY  # findings of scanners among them
NARROW: Final[Narrow | None] = None  # its time is a number
CATEGORIES: Final = normal.CATEGORIES
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    api.operation api.service attack.techniques check.status cloud.provider cloud.region
    compliance.requirements dns.question.name error.code finding.mark
    gen_ai.agent.id gen_ai.agent.name gen_ai.input.messages gen_ai.output.messages
    gen_ai.provider.name gen_ai.request.model
    gen_ai.usage.input_tokens gen_ai.usage.output_tokens http.request.method
    http.response.status_code ocsf.disposition process.command_line process.executable.name
    process.pid server.address server.port url.domain url.full
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "1.1 (DNS activity); else as the schemas of 1.1 to 1.9-dev document it"
GAPS: Final = (
    (
        "Of an incident (2005) the first finding is read; of queries (5006 to 5022) that they "
        "were made, without their results."
    ),
    "A list that holds records of Prowler among others is read as Prowler's.",
)

_SORTS: Final[dict[int, Sort]] = {
    2001: "detection",
    2002: "vulnerability",
    2003: "compliance",
    2004: "detection",
    2005: "detection",
    2006: "data",
    2007: "posture",
    2008: "access",
}
_WEAK: Final = frozenset({2001, 2002, 2007})  # what others say of vulnerabilities is background
_CLOSED: Final = frozenset({"archived", "deleted", "resolved", "suppressed"})
_NETWORK: Final = 4  # the category of what goes over a network
_ENDED: Final = frozenset({3, 4, 5, 6})  # the same as numbers


class _Vulnerabilities(msgspec.Struct):
    class_uid: Json = None
    vulnerabilities: list[msgspec.Raw] | None = None


_SEVERAL: Final = msgspec.json.Decoder(_Vulnerabilities)


def sniff(head: bytes) -> bool:
    """A record has a class and metadata, and is of no product with a source of its own."""
    return (
        b'"class_uid"' in head
        and b'"metadata"' in head
        and (b'"activity_id"' in head or b'"category_uid"' in head or b'"type_uid"' in head)
        and b'"Prowler"' not in head
    )


def split(document: bytes) -> Iterator[Raw]:
    """The records of a document, in its order; one with several vulnerabilities once for each."""
    return (
        Raw(raw.data, number)
        for raw in records(document, "events", "findings")
        for number in range(_count(raw.data))
    )


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One finding or activity."""
    if not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a record is an object")
    said = mapping(record)
    uid, name = ocsf.class_of(said)
    info = _info(said)
    times = (said.get("time"), said.get("time_dt"), said.get("event_time"))
    time = dated(*times, info.get("created_time"), info.get("created_time_dt"))
    if time == 0:
        raise Unreadable("no-time", "the record has no time that can be read")
    if uid in _SORTS:
        index = raw.context if isinstance(raw.context, int) else 0
        return Parsed(_finding(said, uid, time, index, evidence), {})
    return _activity(said, (uid, name), time, evidence)


def _count(data: bytes) -> int:
    if b'"vulnerabilities"' not in data:
        return 1
    try:
        told = slices(data, _SEVERAL)
    except Unreadable:  # the record says why when it is read
        return 1
    return len(told.vulnerabilities or ()) or 1 if ocsf.numbered(told.class_uid) in _WEAK else 1


def _info(said: dict[str, Json]) -> dict[str, Json]:
    """What is found, by its name of now and its former ones."""
    several = listing(said.get("finding_info_list"))
    return mapping(said.get("finding_info") or said.get("finding") or (several or [None])[0])


def _finding(
    said: dict[str, Json], class_uid: int, time: int, index: int, evidence: EventEvidence
) -> Event:
    info, metadata = _info(said), mapping(said.get("metadata"))
    tool, account = ocsf.product(said), ocsf.account(said)
    things = [*ocsf.about(said), account]
    asset = next(filter(None, things), Entity(kind="application", id=tool))
    compliance, analytic = mapping(said.get("compliance")), mapping(info.get("analytic"))
    first = mapping(next(iter(listing(said.get("resources"))), None))
    place = text(first.get("uid"), 512) or text(first.get("name"), 512)
    names = (
        *(metadata.get("event_code"), compliance.get("control"), analytic.get("uid")),
        *(analytic.get("name"), info.get("title"), info.get("uid")),
    )
    of = next((word for one in names if (word := text(one, 256))), None)
    if of is None:
        raise Unreadable("wrong-shape", "a finding has a title")
    sort: Sort = _SORTS[class_uid]
    mark, package, kept = text(info.get("uid"), 256), None, _shared(said)
    weak = listing(said.get("vulnerabilities"))[index : index + 1] if class_uid in _WEAK else []
    if weak:
        told = _weakness(mapping(weak[0]))
        package = told.pop("package.name", None)
        weakness = told.pop("vulnerability.id", None)
        kept |= told
        if weakness is not None:
            sort, of, mark = "vulnerability", weakness, None
    if sort == "compliance":
        kept |= {"check.id": of, "check.resource": place, "check.status": _checked(said)}
        kept["compliance.requirements"] = _requirements(compliance)
    found = Found(
        sort="detection" if sort == "vulnerability" and not weak else sort,
        of=of,
        title=text(info.get("title"), 512) or of,
        severity=ocsf.severity(said),
        package=package,
        place=place,
        mark=mark,
        closed=_closed(said),
        attributes=kept | {"finding.mark": text(info.get("uid"), 256)},
    )
    scan = Scan(NAME, tool, asset, time)
    return finding(scan, found, evidence, others=tuple(things))


def _closed(said: dict[str, Json]) -> bool:
    word = (text(said.get("status"), 32) or "").lower()
    ended = ocsf.numbered(said.get("status_id")) in _ENDED if not word else word in _CLOSED
    return ended or ocsf.numbered(said.get("activity_id")) == 3 or _checked(said) == "PASS"


def _checked(said: dict[str, Json]) -> str | None:
    compliance = mapping(said.get("compliance"))
    passed = ocsf.numbered(compliance.get("status_id")) == 1
    word = text(compliance.get("status"), 32) or text(said.get("status_code"), 32)
    word = "PASS" if passed else (word or "").upper()
    return "PASS" if word in {"PASS", "PASSED"} else word or None


def _requirements(compliance: dict[str, Json]) -> list[str] | None:
    standards = [text(one, 64) for one in listing(compliance.get("standards"))[:32]]
    given = [text(one, 64) for one in listing(compliance.get("requirements"))[:256]]
    found = [f"{standards[0]}:{one}" if len(standards) == 1 else one for one in given if one]
    return [one for one in found if one] or [one for one in standards if one] or None


def _weakness(said: dict[str, Json]) -> dict[str, Json]:
    """One vulnerability: its id by which others know it, its score, and where it sits."""
    cve, advisory = mapping(said.get("cve")), mapping(said.get("advisory"))
    name = known(cve.get("uid"), advisory.get("uid"), *listing(said.get("related_vulnerabilities")))
    scores = [number(mapping(one).get("base_score")) for one in listing(cve.get("cvss"))]
    score = max((one for one in scores if one is not None), default=None)
    packages = listing(said.get("affected_packages")) or listing(said.get("packages"))
    package = mapping(next(iter(packages), None))
    epss = mapping(cve.get("epss")).get("score")
    return {
        "vulnerability.id": name.of if name else None,
        "vulnerability.aliases": name.aliases if name else None,
        "vulnerability.cvss": score,
        "vulnerability.epss": measured(epss),
        "package.name": text(package.get("name"), 256),
        "package.version": text(package.get("version"), 256),
        "package.fixed_version": text(package.get("fixed_in_version"), 256),
        "package.purl": text(package.get("purl"), 512),
    }


def _shared(said: dict[str, Json]) -> dict[str, Json]:
    cloud = mapping(said.get("cloud"))
    return {
        "attack.techniques": ocsf.techniques(said) or None,
        "cloud.provider": text(cloud.get("provider"), 64),
        "cloud.region": text(cloud.get("region"), 64),
        "ocsf.disposition": text(said.get("disposition"), 64),
    }


def _activity(
    said: dict[str, Json], class_: tuple[int, str], time: int, evidence: EventEvidence
) -> Parsed:
    uid, name = class_
    who, key = ocsf.actor(said)
    user = ocsf.person(said.get("user"))
    api, agent = mapping(said.get("api")), mapping(said.get("ai_agent"))
    things = distinct(
        (*_asked(api), *ocsf.about(said), *_near(uid, said), user, ocsf.account(said))
    )
    tool = ocsf.product(said)
    operation, ended = text(api.get("operation"), 128), ocsf.status(said)
    activity = operation or text(said.get("activity_name"), 128) or ocsf.activity(uid, said)
    edges = [
        edge(caller, "calls", one)
        for one in things
        if one.kind == "model" and ended != "failure"
        for caller in [next((it for it in things if it.kind == "agent"), who)]
        if caller is not None
    ]
    kept = _shared(said) | {
        "api.operation": operation,
        "api.service": text(mapping(api.get("service")).get("name"), 128),
        "error.code": text(mapping(api.get("response")).get("error"), 128),
        "gen_ai.agent.id": text(agent.get("uid"), 256),
        "gen_ai.agent.name": text(agent.get("name"), 256),
    }
    private = _content(said)
    kept |= _model(said) | _network(said) | _process(said)
    own = text(mapping(said.get("metadata")).get("uid"), 256)
    event_ = Event(
        uid=digest(NAME, tool, own) if own else evidence.sha256,
        time=time,
        source=NAME,
        class_uid=uid,
        class_name=name,
        activity=activity,
        status=ended,
        severity=ocsf.severity(said),
        message=f"{activity} by {who.id}" if who else f"{name}: {activity}",
        actor=who or (user if uid == 3002 else None),
        client=ocsf.client(said),
        entities=distinct((*things, who, key)) or (Entity(kind="application", id=tool),),
        edges=tuple(edges),
        attributes={name: value for name, value in kept.items() if value is not None},
        evidence=evidence,
    )
    return Parsed(event_, private)


def _asked(api: dict[str, Json]) -> Iterator[Entity | None]:
    """The model that Bedrock was asked for: Security Lake has the request as a text."""
    if "bedrock" in (text(mapping(api.get("service")).get("name"), 128) or ""):
        asked = mapping(opened(mapping(api.get("request")).get("data")))
        yield aws.model(asked.get("modelId"))


def _near(uid: int, said: dict[str, Json]) -> Iterator[Entity | None]:
    """The host that a connection came from."""
    if uid // 1000 == _NETWORK:
        name = text(mapping(said.get("src_endpoint")).get("hostname"), 253)
        yield entity("host", name.lower() if name else None)


def _content(said: dict[str, Json]) -> dict[str, Json]:
    """What people and models said, and what was run: for detections alone."""
    context = mapping(said.get("message_context"))
    told = {
        "gen_ai.input.messages": text(context.get("prompt_text")),
        "gen_ai.output.messages": text(context.get("response_text")),
        "process.command_line": text(mapping(said.get("process")).get("cmd_line")),
    }
    return {name: value for name, value in told.items() if value is not None}


def _model(said: dict[str, Json]) -> dict[str, Json]:
    model, context = mapping(said.get("ai_model")), mapping(said.get("message_context"))
    return {
        "gen_ai.provider.name": provider(text(model.get("ai_provider"), 64)),
        "gen_ai.request.model": text(model.get("name"), 256),
        "gen_ai.usage.input_tokens": number(context.get("prompt_tokens")),
        "gen_ai.usage.output_tokens": number(context.get("completion_tokens")),
    }


def _network(said: dict[str, Json]) -> dict[str, Json]:
    far, request = mapping(said.get("dst_endpoint")), mapping(said.get("http_request"))
    url = mapping(request.get("url"))
    whole = text(url.get("url_string"), 1024)
    return {
        "dns.question.name": text(mapping(said.get("query")).get("hostname"), 253),
        "server.address": text(far.get("hostname"), 253) or text(far.get("ip"), 64),
        "server.port": number(far.get("port")),
        "http.request.method": text(request.get("http_method"), 16),
        "http.response.status_code": number(mapping(said.get("http_response")).get("code")),
        "url.domain": text(url.get("hostname"), 253),
        "url.full": whole if whole and not secret(whole) else None,
    }


def _process(said: dict[str, Json]) -> dict[str, Json]:
    process = mapping(said.get("process"))
    return {
        "process.executable.name": text(process.get("name"), 256),
        "process.pid": number(process.get("pid")),
    }
