from correlators.normal import CATEGORIES, logsource, normal_form
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Client, Event, EventEvidence, ScanFinding
from schemas.times import parse

EVENT = Event(
    uid="e1",
    time=parse("2026-07-01T08:30:00Z"),
    source="otel",
    class_uid=6003,
    class_name="API Activity",
    activity="execute_tool",
    status="success",
    message="execute_tool fetch",
    actor=Entity(kind="principal", id="kim"),
    client=Client(ip="10.0.0.1"),
    entities=(
        Entity(kind="tool", id="desk/fetch"),
        Entity(kind="agent", id="desk"),
        Entity(kind="tool", id="desk/second"),
    ),
    finding=ScanFinding(uid="f1", title="weak", package="left-pad"),
    attributes={"gen_ai.tool.name": "fetch", "status": "fake", "actor.id": "fake"},
    evidence=EventEvidence(origin="file:x#1", sha256="0" * 64),
)


def test_the_normal_form_has_attributes_private_content_and_the_events_own_fields() -> None:
    assert normal_form(EVENT, {"gen_ai.tool.call.result": "a page"}) == {
        "gen_ai.tool.name": "fetch",
        "gen_ai.tool.call.result": "a page",
        "time": "2026-07-01T08:30:00.000000Z",
        "source": "otel",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "execute_tool",
        "status": "success",
        "severity": "informational",
        "message": "execute_tool fetch",
        "actor.kind": "principal",
        "actor.id": "kim",
        "client.ip": "10.0.0.1",
        "finding.uid": "f1",
        "finding.title": "weak",
        "finding.state": "open",
        "finding.package": "left-pad",
        "entity.tool": "desk/fetch",
        "entity.agent": "desk",
    }


def test_what_is_unknown_is_absent() -> None:
    bare = EVENT.model_copy(
        update={"actor": None, "client": None, "finding": None, "entities": (), "attributes": {}}
    )
    assert set(normal_form(bare, {})) == {
        "time",
        "source",
        "class_uid",
        "class_name",
        "activity",
        "status",
        "severity",
        "message",
    }


def test_rules_reach_the_normal_form_by_class_and_source() -> None:
    assert logsource(EVENT) == Logsource(
        product="barograph", category="api_activity", service="otel"
    )
    assert logsource(EVENT).category in CATEGORIES
