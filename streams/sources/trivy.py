"""Trivy: the findings of one scan, and the scan itself, which closes what it no longer finds.

Read are JSON reports of schema version 2, those of a cluster (`trivy k8s`), the bare list of
results that Trivy wrote before 0.20, and the reports of the operator: one object of Kubernetes, or
a list of them. Each vulnerability, misconfiguration, secret and licence is a record; the last
record is the whole report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.detection import Logsource
from schemas.entity import MAX_ID, Entity, Kind
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names.artifacts import UNNAMED, container, repository, workload
from streams.records.untrusted import moment, slices, text
from streams.reports import scans, trivy_operator
from streams.reports.scans import Found, Scan, Sort, finding, level
from streams.reports.trivy import ROWS, Topic
from streams.reports.whole import Ended, Whole, about, empty, whole
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "trivy"
TITLE: Final = "Trivy report"
LOGSOURCE: Final = Logsource(product="trivy")
LATENESS: Final = DAY  # a report comes when its pipeline has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(
    {
        "compliance_finding",
        "data_security_finding",
        "scan_activity",
        "vulnerability_finding",
    }
)
ATTRIBUTES: Final = scans.ATTRIBUTES | {
    "check.category",
    "compliance.requirements",
    "license.category",
    "license.name",
}
VERSIONS: Final = (
    "0.18 to 0.69, k8s, operator 0.17 and 0.18; the bare list of results as documented"
)
GAPS: Final = (
    "A scan of a folder goes by the folder's name: give each repository one of its own.",
    (
        "Reports of the operator do not name their cluster: what is about no workload is about the "
        "account `kubernetes`."
    ),
    "The packages that a report lists without a finding are not read.",
)

_KINDS: Final[dict[str, Kind]] = {
    "aws_account": "account",
    "container_image": "image",
    "vm": "host",
}  # every other artifact is files: a repository, a folder, a bill of materials
_CLOSED: Final = frozenset({"PASS", "EXCEPTION", "not_affected"})

_Found = tuple[Topic, str, list[msgspec.Raw]]
_TOPICS: Final[dict[str, Topic]] = {
    "license": "Licenses",
    "misconfiguration": "Misconfigurations",
    "secret": "Secrets",
    "vulnerability": "Vulnerabilities",
}
_SORTS: Final[dict[Topic, Sort]] = {
    "Vulnerabilities": "vulnerability",
    "Misconfigurations": "compliance",
    "Secrets": "data",
    "Licenses": "compliance",
}


class _Modified(msgspec.Struct, rename="pascal"):
    """What the user, or a VEX document, set aside: `--show-suppressed`."""

    type: str = ""
    finding: msgspec.Raw = msgspec.Raw()


class _Result(msgspec.Struct, rename="pascal"):
    target: str = ""
    vulnerabilities: list[msgspec.Raw] | None = None
    misconfigurations: list[msgspec.Raw] | None = None
    secrets: list[msgspec.Raw] | None = None
    licenses: list[msgspec.Raw] | None = None
    experimental_modified_findings: list[_Modified] | None = None

    def found(self) -> Iterator[_Found]:
        target = self.target[:512]
        yield "Vulnerabilities", target, self.vulnerabilities or []
        yield "Misconfigurations", target, self.misconfigurations or []
        yield "Secrets", target, self.secrets or []
        yield "Licenses", target, self.licenses or []

    def suppressed(self) -> Iterator[_Found]:
        """What was found and is not to be told, by its topic."""
        for one in self.experimental_modified_findings or ():
            topic = _TOPICS.get(one.type)
            if topic is not None and bytes(one.finding):
                yield topic, self.target[:512], [one.finding]


class _Metadata(msgspec.Struct):
    digests: list[str] | None = msgspec.field(default=None, name="RepoDigests")
    tags: list[str] | None = msgspec.field(default=None, name="RepoTags")
    image: str = msgspec.field(default="", name="ImageID")
    address: str = msgspec.field(default="", name="RepoURL")  # since 0.60


class _Resource(msgspec.Struct, rename="pascal"):
    namespace: str = ""
    kind: str = ""
    name: str = ""
    results: list[_Result] | None = None

    def scan(self) -> Scan:
        """That of a workload, or of a part of the cluster: there each part is a scan of its own."""
        if self.kind in trivy_operator.CONTROLLERS:
            asset = workload(self.namespace, self.kind, self.name) or UNNAMED
            return Scan(NAME, NAME, asset, 0)
        part = "/".join(filter(None, (self.kind, self.namespace, self.name)))
        return Scan(NAME, f"{NAME} {part}"[:MAX_ID], trivy_operator.CLUSTER, 0)


class _Form(msgspec.Struct):
    """As much of a document as tells which it is."""

    cluster: str | None = msgspec.field(default=None, name="ClusterName")
    api: str | None = msgspec.field(default=None, name="apiVersion")
    items: list[msgspec.Raw] | None = None


class _Cluster(msgspec.Struct, rename="pascal"):
    vulnerabilities: list[_Resource] | None = None
    misconfigurations: list[_Resource] | None = None
    resources: list[_Resource] | None = None


class _Report(msgspec.Struct, rename="pascal"):
    schema_version: int
    created_at: str = ""
    artifact_name: str = ""
    artifact_type: str = ""
    metadata: _Metadata | None = None
    results: list[_Result] | None = None


_REPORT: Final = msgspec.json.Decoder(_Report)
_FORM: Final = msgspec.json.Decoder(_Form)
_CLUSTER: Final = msgspec.json.Decoder(_Cluster)
_RESULTS: Final = msgspec.json.Decoder(list[_Result])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Context(NamedTuple):
    """Where in a report a finding stands."""

    scan: Scan
    topic: Topic
    target: str
    suppressed: bool = False


def sniff(head: bytes) -> bool:
    """A report names its artifact, early; a list or a cluster has results of targets."""
    return (
        b'"ArtifactName"' in head
        and (b'"SchemaVersion"' in head or b'"ArtifactType"' in head or b'"Results"' in head)
    ) or (
        trivy_operator.sniff(head)
        or (b'"ClusterName"' in head and b'"Results"' in head and b'"Target"' in head)
        or (head.lstrip().startswith(b"[") and b'"Target"' in head and b'"VulnerabilityID"' in head)
    )


def split(document: bytes) -> Iterator[Raw]:
    """The findings of a report, in its order, and the report."""
    if empty(document):
        return iter(())
    if document.lstrip().startswith(b"["):
        parts = [bytes(one) for one in slices(document, _LIST)]
        if all(b'"apiVersion"' in one for one in parts):
            return trivy_operator.raws(parts)
        return _legacy(document, slices(document, _RESULTS))
    form = slices(document, _FORM)
    if form.api is not None:
        items = [document] if form.items is None else [bytes(one) for one in form.items]
        return trivy_operator.raws(items)
    if form.cluster is not None:
        return _of_cluster(document, slices(document, _CLUSTER))
    report = slices(document, _REPORT)
    if report.schema_version != 2:
        raise Unreadable("wrong-shape", f"schema version {report.schema_version}, not 2")
    # Before 0.49 Trivy did not say when: that holds from the beginning, as an undated bill does.
    time = moment(report.created_at) if report.created_at else 0
    return _raws(document, _scan(report, time), report.results or [])


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One finding, or the scan."""
    if isinstance(raw.context, Whole):
        return raw.context.event(evidence)
    if isinstance(raw.context, trivy_operator.Context):
        return trivy_operator.event(raw, record, evidence)
    context, said = about(raw.context, Context, record)
    row = ROWS[context.topic](said)
    found = Found(
        sort=_SORTS[context.topic],
        of=row.of,
        title=row.title,
        severity=level(said.get("Severity")),
        package=row.package,
        place=":".join(filter(None, (context.target, *row.place))),
        closed=context.suppressed or text(said.get("Status")) in _CLOSED,
        attributes=row.attributes,
    )
    return Parsed(finding(context.scan, found, evidence), {})


def _rows(scan: Scan, results: list[_Result]) -> Iterator[Raw]:
    for result in results:
        for topic, target, rows in result.found():
            context = Context(scan, topic, target)
            yield from (Raw(bytes(row), context) for row in rows)
        for topic, target, rows in result.suppressed():
            context = Context(scan, topic, target, suppressed=True)
            yield from (Raw(bytes(row), context) for row in rows)


def _raws(document: bytes, scan: Scan, results: list[_Result]) -> Iterator[Raw]:
    found = list(_rows(scan, results))
    yield from found
    yield from whole(document, Ended(scan, len(found)))


def _legacy(document: bytes, results: list[_Result]) -> Iterator[Raw]:
    """A list of results names its image only in the target of the system packages."""
    names = (one.target.rpartition(" (")[0] for one in results)
    asset = next((found for name in names if (found := container(name))), UNNAMED)
    return _raws(document, Scan(NAME, NAME, asset, 0), results)


def _of_cluster(document: bytes, cluster: _Cluster) -> Iterator[Raw]:
    ends: dict[Scan, int] = {}
    groups = (cluster.vulnerabilities, cluster.misconfigurations, cluster.resources)
    for one in (one for group in groups for one in group or ()):
        scan = one.scan()
        found = list(_rows(scan, one.results or []))
        ends[scan] = ends.get(scan, 0) + len(found)
        yield from found
    yield from whole(document, *(Ended(scan, n) for scan, n in ends.items()))


def _scan(report: _Report, time: int) -> Scan:
    """The scan of an image, or of a folder; of a repository that is known each folder is one."""
    asset, address = _asset(report), (report.metadata or _Metadata()).address
    known = repository(address) if asset.kind == "repo" else None
    if known is None or known == asset:
        return Scan(NAME, NAME, asset, time)
    tool = NAME if asset == UNNAMED else f"{NAME} {report.artifact_name}"[:MAX_ID]
    return Scan(NAME, tool, known, time)


def _asset(report: _Report) -> Entity:
    data = report.metadata or _Metadata()
    kind = _KINDS.get(report.artifact_type, "repo")
    names = [report.artifact_name]
    if kind == "image":
        names = [report.artifact_name, *(data.tags or ())[:1], data.image]
    name = next((name for name in names if text(name)), None)
    if name is None:
        raise Unreadable("wrong-shape", "the report names no artifact")
    if kind == "image":
        return container(*names, digests=data.digests or ()) or UNNAMED
    files = kind == "repo"
    return (repository(name) if files else Entity(kind=kind, id=name[:MAX_ID])) or UNNAMED
