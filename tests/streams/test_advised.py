"""What a feed says of the software that records name: found, closed, and the same each time."""

from typing import Any

from correlators.advisories.feed import NONE, Feed, feed
from correlators.document import Document
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from schemas.entity import Entity
from schemas.event import Event, EventEvidence, ScanFinding
from schemas.rows import Result, Row
from schemas.times import HOUR
from streams.advised import Advised, closings, findings
from streams.matchers import Matchers
from streams.source import Parsed
from streams.statements import Statements

APP = Entity(kind="application", id="Tide")
MODEL = Entity(kind="model", id="tide-7b")
NOON = 1_772_600_400_000_000
FEED = feed(
    [
        Document(
            "vllm.yaml",
            "info: {name: vllm, cve: CVE-2026-0001, summary: a leak, severity: HIGH}\n"
            'rule: version < "0.9.2"\n',
        ),
        Document(
            "osv.json",
            '{"id": "GHSA-x", "aliases": ["CVE-2026-0002"], "affected": [{"package": {"ecosystem":'
            ' "PyPI", "name": "ray"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced":'
            ' "0"}, {"fixed": "2.8.1"}]}], "database_specific": {"severity": "CRITICAL"}}]}',
        ),
    ]
)


def event(*entities: Entity, **said: Any) -> Event:  # noqa: ANN401 - fields of an Event
    given: dict[str, Any] = {
        "uid": "e1",
        "time": NOON,
        "source": "cyclonedx",
        "class_uid": 5020,
        "class_name": "Software Inventory Info",
        "activity": "Collect",
        "entities": entities or (APP,),
        "evidence": EventEvidence(origin="file:bom.json#2", sha256="ab"),
    }
    return Event(**given | said)


def package(name: str, version: str, purl: str | None = None) -> dict[str, Any]:
    said = {"package.name": name, "package.version": version, "package.purl": purl}
    return {key: value for key, value in said.items() if value is not None}


RAY = package("ray", "2.6.3", "pkg:pypi/ray@2.6.3")


def test_a_component_with_an_advisory_is_a_finding() -> None:
    (found,) = findings(event(attributes=RAY), FEED)
    assert found.body() == {
        "uid": found.uid,
        "time": "2026-03-04T05:00:00.000000Z",
        "source": "cyclonedx",
        "class_uid": 2002,
        "class_name": "Vulnerability Finding",
        "activity": "Create",
        "status": "unknown",
        "severity": "critical",
        "message": "CVE-2026-0002 in ray 2.6.3",
        "entities": [{"kind": "application", "id": "Tide"}],
        "edges": [],
        "finding": {
            "uid": found.finding.uid if found.finding else "",
            "title": "CVE-2026-0002 in ray 2.6.3",
            "state": "open",
            "vulnerability": "CVE-2026-0002",
            "package": "ray",
            "fixed_version": "2.8.1",
        },
        "attributes": {
            **RAY,
            "package.fixed_version": "2.8.1",
            "vulnerability.aliases": ["GHSA-x"],
            "vulnerability.id": "CVE-2026-0002",
            "vulnerability.severity": "critical",
            "scan.tool": "intel/cyclonedx",
            "intel.feed": FEED.sha256[:12],
            "intel.matched_by": "PyPI package",
        },
        "evidence": {"origin": "file:bom.json#2", "sha256": "ab"},
    }


def test_one_thing_is_one_finding_however_often_it_is_named() -> None:
    (one,) = findings(event(attributes=RAY), FEED)
    other = event(attributes=RAY, uid="e2", evidence=EventEvidence(origin="file:x#9", sha256="cd"))
    (again,) = findings(other, FEED)
    (later,) = findings(event(attributes=RAY, time=NOON + 1), FEED)
    assert again.uid == one.uid != later.uid
    assert one.finding
    assert later.finding
    assert one.finding.uid == later.finding.uid


def test_what_is_no_finding() -> None:
    assert not list(findings(event(attributes=package("ray", "2.6.3")), FEED))  # of no ecosystem
    assert not list(findings(event(attributes=package("vllm", "0.9.2")), FEED))
    resolved = ScanFinding(uid="f", title="gone", state="resolved")
    assert not list(findings(event(attributes=RAY, finding=resolved), FEED))
    assert not list(findings(event(attributes=package("vllm", "0.9.1")), NONE))
    assert not list(findings(event(attributes=RAY, class_uid=5021), FEED))  # an advisory itself


def tools(told: Event) -> list[tuple[str, str]]:
    return [(c.attributes["scan.tool"], c.entities[0].key) for c in closings(told, FEED)]


def test_what_closes() -> None:
    assert tools(event()) == [("intel/cyclonedx", "application:Tide")]
    # A model inside the document of an application: what is known of itself, not of its own BOM.
    assert tools(event(MODEL, APP)) == [("intel/cyclonedx/part", "model:tide-7b")]
    scan = {"class_uid": 6007, "source": "trivy", "attributes": {"scan.tool": "trivy"}}
    assert tools(event(status="success", **scan)) == [("intel/trivy", "application:Tide")]
    assert tools(event(status="failure", **scan)) == []
    assert tools(event(class_uid=6003)) == []


def running(version: str, time: int) -> Event:
    said = {"service.name": "vLLM", "service.version": version}
    return event(MODEL, APP, class_uid=6003, source="otel", time=time, attributes=said)


def test_a_service_that_says_its_version_as_it_runs() -> None:
    one, two, three = (
        list(findings(running("0.8.5", at), FEED)) for at in (NOON, NOON + 9, NOON + HOUR)
    )
    assert [found.entities[0] for found in one] == [APP]
    assert one[0].uid == two[0].uid != three[0].uid
    assert tools(running("0.9.2", NOON)) == [("intel/otel/running", "application:Tide")]
    assert not list(findings(running("0.9.2", NOON), FEED))
    unknown = running("1.0", NOON).model_copy(update={"attributes": {"service.name": "shop"}})
    assert tools(unknown) == []


def said(told: Event, known: Feed, watermark: int | None = None) -> list[str]:
    rules = Ruleset()
    advised = Advised(Statements(Matchers(()), Routes(rules)), known)
    outputs = list(advised.of(Parsed(told, {}), None, (), watermark))
    assert [o.time for o in outputs if isinstance(o, Row)] == [watermark or told.time] * sum(
        isinstance(o, Row) for o in outputs
    )
    kinds = [o.kind for o in outputs if isinstance(o, Row | Result)]
    return [kind for kind in kinds if kind in {"event", "fact", "scan"}]


def test_rows_and_results() -> None:
    told = event(attributes=RAY)
    assert said(told, NONE) == ["event"]
    assert said(told, FEED) == ["event", "fact", "event", "scan"]
    assert said(told, FEED, NOON + HOUR) == ["event", "fact", "event", "scan"]


def test_a_part_of_a_bill_that_names_nothing_is_one_of_files_without_a_name() -> None:
    part = event(attributes=RAY, entities=())
    (found,) = findings(part, FEED)
    assert found.entities[0].key == "repo:unnamed"
    assert list(closings(part, FEED)) == []
