"""wizcli: what Wiz found in an image, a folder or infrastructure code before it was deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.entity import Entity
from schemas.event import EventEvidence
from streams.names.artifacts import UNNAMED, container, repository
from streams.records.untrusted import mapping, number, slices, text
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.whole import Ended, about, dated, needed, whole
from streams.source import Json, Parsed, Raw, Unreadable

_FAILED: Final = frozenset({"ERROR", "FAILED", "FAILURE", "TIMEOUT"})

Topic = Literal["vulnerability", "secret", "match"]


class _Package(msgspec.Struct):
    name: Json = None
    version: Json = None
    path: Json = None
    vulnerabilities: list[msgspec.Raw] | None = None


class _Rule(msgspec.Struct):
    rule: Json = None
    severity: Json = None
    matches: list[msgspec.Raw] | None = None


class _Result(msgspec.Struct, rename="camel"):
    os_packages: list[_Package] | None = None
    libraries: list[_Package] | None = None
    applications: list[_Package] | None = None
    secrets: list[msgspec.Raw] | None = None
    rule_matches: list[_Rule] | None = None


class _Scan(msgspec.Struct, rename="camel"):
    result: _Result | None = None
    created_at: Json = None
    status: Json = None
    scan_origin_resource: Json = None


_SCAN: Final = msgspec.json.Decoder(_Scan)


class Context(NamedTuple):
    """Where a finding stands: the package or rule that it is below."""

    scan: Scan
    topic: Topic
    above: dict[str, Json]


def sniff(head: bytes) -> bool:
    """A scan has an origin and a verdict."""
    return b'"scanOriginResource"' in head and b'"createdAt"' in head


def raws(document: bytes) -> Iterator[Raw]:
    """The findings of a scan, and the scan."""
    told = slices(document, _SCAN)
    origin = mapping(told.scan_origin_resource)
    scan = Scan("wiz", "wizcli", _asset(origin), dated(told.created_at))
    state = (text(mapping(told.status).get("state"), 32) or "").upper()
    if told.result is None and state not in _FAILED:
        raise Unreadable("wrong-shape", "a scan has a result")
    return _raws(document, scan, told.result or _Result(), failed=state in _FAILED)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One finding of a scan."""
    context, said = about(raw.context, Context, record)
    found = _FOUND[context.topic](context, said)
    return Parsed(finding(context.scan, found, evidence), {})


def _raws(document: bytes, scan: Scan, result: _Result, *, failed: bool) -> Iterator[Raw]:
    found = list(_rows(scan, result))
    yield from found
    yield from whole(document, Ended(scan, len(found), failed))


def _rows(scan: Scan, result: _Result) -> Iterator[Raw]:
    for packages in (result.os_packages, result.libraries, result.applications):
        for one in packages or ():
            above = {"name": one.name, "version": one.version, "path": one.path}
            for row in one.vulnerabilities or ():
                yield Raw(bytes(row), Context(scan, "vulnerability", above))
    for row in result.secrets or ():
        yield Raw(bytes(row), Context(scan, "secret", {}))
    for rule in result.rule_matches or ():
        above = mapping(rule.rule) | {"severity": rule.severity}
        for row in rule.matches or ():
            yield Raw(bytes(row), Context(scan, "match", above))


def _asset(origin: dict[str, Json]) -> Entity:
    """An image by its digest or name, a folder by its path; a scan of code has a mere title."""
    kind = text(origin.get("__typename"), 64) or ""
    if kind == "CICDScanOriginContainerImage":
        return container(origin.get("name"), digests=[origin.get("digest")]) or UNNAMED
    if kind == "CICDScanOriginDirectory":
        return repository(origin.get("name")) or UNNAMED
    return UNNAMED


def _vulnerability(context: Context, said: dict[str, Json]) -> Found:
    of = needed(said, "name")
    package, version = text(context.above.get("name"), 256), text(context.above.get("version"), 256)
    score = number(said.get("score"))
    return Found(
        sort="vulnerability",
        of=of,
        title=f"{of} in {package} {version}",
        severity=level(said.get("severity"), score),
        package=package,
        place=text(context.above.get("path"), 512),
        attributes={
            "vulnerability.cvss": score,
            "vulnerability.epss": number(said.get("epssProbability")),
            "vulnerability.kev": True if said.get("hasCisaKevExploit") is True else None,
            "package.version": version,
            "package.fixed_version": text(said.get("fixedVersion"), 256),
        },
    )


def _secret(_: Context, said: dict[str, Json]) -> Found:
    """Where a secret lies and of which sort it is; description and snippet may quote it."""
    of = needed(said, "type")
    line = text(said.get("lineNumber"), 16)
    return Found(
        sort="data",
        of=of,
        title=of.replace("_", " ").capitalize(),
        severity="high",
        place=":".join(filter(None, (text(said.get("path"), 512), line))),
        attributes={"secret.rule": of},
    )


def _match(context: Context, said: dict[str, Json]) -> Found:
    of = needed(context.above, "id", "name")
    line, resource = text(said.get("lineNumber"), 16), text(said.get("resourceName"), 256)
    return Found(
        sort="compliance",
        of=of,
        title=text(context.above.get("name"), 512) or of,
        severity=level(context.above.get("severity")),
        place=":".join(filter(None, (text(said.get("fileName"), 512), resource, line))),
        attributes={"check.id": of, "check.resource": resource},
    )


_FOUND: Final[dict[Topic, Callable[[Context, dict[str, Json]], Found]]] = {
    "match": _match,
    "secret": _secret,
    "vulnerability": _vulnerability,
}
