"""Trivy operator: the findings of its reports, which are objects of Kubernetes.

A report of vulnerabilities or secrets is about an image, and shows which workload runs it; one of
configuration is about the workload, one of the cluster or of its roles about the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.entity import Entity
from schemas.event import Edge, EventEvidence
from streams.names.artifacts import container, workload
from streams.records.untrusted import edge, listing, mapping, number, slices, text
from streams.reports.scans import Found, Scan, finding, level
from streams.reports.whole import Whole, about, dated, needed
from streams.source import Json, Parsed, Raw, Unreadable

GROUP: Final = b'"aquasecurity.github.io/v1alpha1"'
CLUSTER: Final = Entity(kind="account", id="kubernetes")  # a report does not name its cluster
_LABEL: Final = "trivy-operator."
CONTROLLERS: Final = frozenset(
    """
    CronJob DaemonSet Deployment Job Pod ReplicaSet ReplicationController StatefulSet
    """.split()  # noqa: SIM905 - names read better as a paragraph
)


class _Object(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    metadata: Json = None
    report: msgspec.Raw = msgspec.Raw()
    status: msgspec.Raw = msgspec.Raw()


class _Report(msgspec.Struct, rename="camel"):
    update_timestamp: Json = None
    registry: Json = None
    artifact: Json = None
    vulnerabilities: list[msgspec.Raw] | None = None
    checks: list[msgspec.Raw] | None = None
    secrets: list[msgspec.Raw] | None = None


class _Control(msgspec.Struct):
    id: str = ""
    name: str = ""
    severity: str = ""
    checks: list[msgspec.Raw] | None = None


class _Detail(msgspec.Struct):
    results: list[_Control] | None = None


class _Summary(msgspec.Struct, rename="camel"):
    control_check: list[msgspec.Raw] | None = None


class _Status(msgspec.Struct, rename="camel"):
    update_timestamp: Json = None
    detail_report: _Detail | None = None
    summary_report: _Summary | None = None


class _List(msgspec.Struct):
    items: list[msgspec.Raw] | None = None


class _Sbom(msgspec.Struct):
    components: msgspec.Raw


_LIST: Final = msgspec.json.Decoder(_List)
_SBOM: Final = msgspec.json.Decoder(_Sbom)
_OBJECT: Final = msgspec.json.Decoder(_Object)
_REPORT: Final = msgspec.json.Decoder(_Report)
_STATUS: Final = msgspec.json.Decoder(_Status)


class Context(NamedTuple):
    """Where a row stands: about what, run by which workload, under which control."""

    scan: Scan
    topic: str
    runs: Entity | None = None
    control: tuple[str, str, str] | None = None  # id, name and severity


def sniff(head: bytes) -> bool:
    """A report is of the operator's group; an audit of the cluster may speak of one."""
    return GROUP in head and b'SbomReport"' not in head and b'"audit.k8s.io' not in head


def bills(document: bytes) -> Iterator[bytes]:
    """The bill of materials inside each report of one, or of a list of them."""
    items = slices(document, _LIST).items
    for one in [document] if items is None else [bytes(item) for item in items]:
        told = slices(one, _OBJECT)
        if not told.kind.endswith("SbomReport") or not bytes(told.report):
            raise Unreadable("wrong-shape", f"{told.kind[:64]} has no bill of materials")
        yield bytes(slices(bytes(told.report), _SBOM).components)


def raws(objects: list[bytes]) -> Iterator[Raw]:
    """The rows of each report, then the report."""
    return (raw for one in objects for raw in _raws(one))


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One row."""
    context, said = about(raw.context, Context, record)
    found = _FOUND[context.topic](context, said)
    edges = _edges(context.scan.asset, context.runs)
    return Parsed(finding(context.scan, found, evidence, others=(context.runs,), edges=edges), {})


def _raws(document: bytes) -> Iterator[Raw]:
    told = slices(document, _OBJECT)
    if bytes(told.status).startswith(b"{") and "Compliance" in told.kind:
        yield from _compliance(document, told)
        return
    if not bytes(told.report):
        raise Unreadable("wrong-shape", f"{told.kind[:64]} has no report")
    report = slices(bytes(told.report), _REPORT)
    metadata = mapping(told.metadata)
    runs = _workload(metadata)
    packaged = report.vulnerabilities is not None or report.secrets is not None
    asset = (_image(report) if packaged else None) or runs or CLUSTER
    scan = Scan("trivy", _tool(told.kind), asset, _time(report.update_timestamp, metadata))
    place = _named(metadata) if asset == CLUSTER else None
    beside = runs if runs != asset else None
    count = 0
    for topic in ("vulnerabilities", "checks", "secrets"):
        rows: list[msgspec.Raw] = getattr(report, topic) or []
        count += len(rows)
        context = Context(scan, topic, beside, ("", place, "") if place else None)
        yield from (Raw(bytes(row), context) for row in rows)
    if place is None:  # a report of one role says nothing of the cluster's others
        yield Raw(document, Whole(scan, count, "success", (beside,), _edges(asset, beside)))


def _compliance(document: bytes, told: _Object) -> Iterator[Raw]:
    status = slices(bytes(told.status), _STATUS)
    metadata = mapping(told.metadata)
    time = _time(status.update_timestamp, metadata)
    scan = Scan("trivy", f"{_tool(told.kind)}/{text(metadata.get('name'), 64)}", CLUSTER, time)
    count = 0
    for control in (status.detail_report or _Detail()).results or ():
        of = (control.id[:128], control.name[:256], control.severity[:16])
        count += len(control.checks or ())
        for row in control.checks or ():
            yield Raw(bytes(row), Context(scan, "control", None, of))
    for row in (status.summary_report or _Summary()).control_check or ():
        count += 1
        yield Raw(bytes(row), Context(scan, "summary"))
    yield Raw(document, Whole(scan, count))


def _tool(kind: str) -> str:
    """Each kind of report is a scan of its own: the one does not close what another found."""
    kind = kind[:64].removesuffix("Report").removeprefix("Cluster")
    return f"trivy-operator/{kind.lower()}"


def _time(updated: Json, metadata: dict[str, Json]) -> int:
    return dated(updated, metadata.get("creationTimestamp"))


def _labels(metadata: dict[str, Json]) -> dict[str, Json]:
    return mapping(metadata.get("labels")) | mapping(metadata.get("annotations"))


def _workload(metadata: dict[str, Json]) -> Entity | None:
    labels = _labels(metadata)
    kind = text(labels.get(f"{_LABEL}resource.kind"), 64)
    name = labels.get(f"{_LABEL}resource.name")
    namespace = labels.get(f"{_LABEL}resource.namespace") or metadata.get("namespace")
    return workload(namespace, kind, name) if kind in CONTROLLERS else None


def _named(metadata: dict[str, Json]) -> str:
    """What in the cluster a report is about: `Role/shop/reader`."""
    labels = _labels(metadata)
    keys = ("kind", "namespace", "name")
    parts = [text(labels.get(f"{_LABEL}resource.{key}"), 128) for key in keys]
    return "/".join(filter(None, parts)) or text(metadata.get("name"), 256) or "cluster"


def _image(report: _Report) -> Entity | None:
    artifact, kept = mapping(report.artifact), mapping(report.registry)
    path, tag = text(artifact.get("repository"), 256), text(artifact.get("tag"), 128)
    if path is None:
        return None
    server = text(kept.get("server"), 256)
    name = f"{server}/{path}" if server else path
    return container(f"{name}:{tag}" if tag else name, digests=[artifact.get("digest")])


def _edges(asset: Entity, runs: Entity | None) -> tuple[Edge, ...]:
    if runs is None or asset.kind != "image":
        return ()
    return (edge(runs, "runs_image", asset),)


def _vulnerability(_: Context, said: dict[str, Json]) -> Found:
    of = needed(said, "vulnerabilityID")
    package = text(said.get("resource"), 256)
    version = text(said.get("installedVersion"), 256)
    return Found(
        sort="vulnerability",
        of=of,
        title=text(said.get("title"), 512) or f"{of} in {package} {version}",
        severity=level(said.get("severity"), number(said.get("score"))),
        package=package,
        place=text(said.get("packagePath"), 512) or text(said.get("target"), 512),
        attributes={
            "vulnerability.cvss": number(said.get("score")),
            "package.version": version,
            "package.fixed_version": text(said.get("fixedVersion"), 256),
            "package.purl": text(said.get("packagePURL"), 512),
        },
    )


def _check(context: Context, said: dict[str, Json]) -> Found:
    title = text(said.get("title"), 512)
    of = text(said.get("checkID"), 128) or title
    if of is None:
        raise Unreadable("wrong-shape", "a check has checkID")
    place = context.control[1] if context.control else None
    messages = [text(one, 256) for one in listing(said.get("messages"))]
    return Found(
        sort="compliance",
        of=of,
        title=title or of,
        severity=level(said.get("severity")),
        place=place,
        mark="|".join(filter(None, (place, *messages))) or None,
        closed=said.get("success") is True,
        attributes={"check.id": of, "check.category": text(said.get("category"), 128)},
    )


def _secret(_: Context, said: dict[str, Json]) -> Found:
    """Where a secret lies and of which sort it is; itself stays unread."""
    of = needed(said, "ruleID")
    return Found(
        sort="data",
        of=of,
        title=text(said.get("title"), 512) or of,
        severity=level(said.get("severity")),
        place=text(said.get("target"), 512),
        attributes={"secret.rule": of, "secret.category": text(said.get("category"), 128)},
    )


def _control(context: Context, said: dict[str, Json]) -> Found:
    """A check below a control; of one that passed the report says nothing but that."""
    control, name, severity = context.control or ("", "", "")
    check, target = text(said.get("checkID"), 128), text(said.get("target"), 256)
    messages = [text(one, 256) for one in listing(said.get("messages"))]
    of = ":".join(filter(None, (control, check)))
    if not of:
        raise Unreadable("wrong-shape", "a control has an id")
    return Found(
        sort="compliance",
        of=of,
        title=text(said.get("title"), 512) or name or of,
        severity=level(said.get("severity"), severity),
        place=target,
        mark="|".join(filter(None, (target, *messages))) or None,
        closed=said.get("success") is True,
        attributes={
            "check.id": check or control,
            "check.resource": target,
            "check.category": name or None,
            "compliance.requirements": [control] if control else None,
        },
    )


def _summary(_: Context, said: dict[str, Json]) -> Found:
    of = needed(said, "id")
    return Found(
        sort="compliance",
        of=of,
        title=text(said.get("name"), 512) or of,
        severity=level(said.get("severity")),
        closed=said.get("totalFail") == 0,
        attributes={"check.id": of, "compliance.requirements": [of]},
    )


_FOUND: Final = {
    "vulnerabilities": _vulnerability,
    "checks": _check,
    "secrets": _secret,
    "control": _control,
    "summary": _summary,
}
