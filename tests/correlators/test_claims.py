"""Claims: what one event says, as rows of the stages behind ingest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest

from correlators.claims import SCAN, facts, signal
from correlators.document import Document
from correlators.routes import Routes
from correlators.ruleset import parse
from schemas.canonical import digest
from schemas.detection import Detection, Logsource, PostureFact
from schemas.entity import Entity
from schemas.event import Edge, Event, EventEvidence, ScanFinding
from schemas.finding import Signal
from schemas.rows import Result, Row
from schemas.times import HOUR, rfc3339
from tests.correlators.stage import ZERO

IMAGE = Entity(kind="image", id="sha256:aa", name="chat:1")
HOST = Entity(kind="workload", id="ecs/prod/chat")
TIME = 400 * HOUR
RULES = parse(
    [
        Document(
            "detections/use.yml",
            "name: use\ntitle: Use\nlogsource: {product: x}\n"
            "detection: {s: {a: b}, condition: s}\ntags: [t]\n",
        ),
        Document(
            "correlations/burst.yml",
            "name: burst\ntitle: Burst\ncorrelation: {type: event_count, rules: [use], "
            "group-by: [user], timespan: 1m, condition: {gte: 2}}",
        ),
        Document(
            "convergences/story.yml",
            "id: story\ntitle: S\nsummary: S.\njoin: image\nwindow: 1h\n"
            "legs: {use: {class: runtime, of: [use]}}",
        ),
    ]
)
ROUTES = Routes(RULES)
USE = RULES.detection("use")


def event(**more: Any) -> Event:  # noqa: ANN401 - any field
    stated: dict[str, Any] = {
        "uid": "e1",
        "time": TIME,
        "source": "trivy",
        "class_uid": 2002,
        "class_name": "Vulnerability Finding",
        "activity": "Create",
        "severity": "high",
        "entities": (IMAGE, HOST),
        "evidence": EventEvidence(origin="file:x#1", sha256=ZERO),
    }
    return Event(**stated | more)


def found(state: Literal["open", "resolved"] = "open", **more: str) -> ScanFinding:
    return ScanFinding(uid="f1", title="A hole", state=state, **more)


def posture(
    state: Literal["open", "closed", "finding"] = "open",
    on: Any = "image",  # noqa: ANN401 - Kind
) -> Detection:
    return Detection(
        id="weak",
        title="Weak",
        level="critical",
        confidence=0.8,
        family="weak",
        tags=("t",),
        logsource=Logsource(),
        fact=PostureFact(name="weakness", on=on, state=state),
    )


def of_kind(kind: str, one: Event, detections: Sequence[Detection] = ()) -> list[Row]:
    return [row for row in facts(one, detections, one.time) if row.kind == kind]


def said(one: Event, *args: Any, late: bool = False) -> tuple[Result, list[Row]]:  # noqa: ANN401
    first, *rest = signal(ROUTES, one, one.body(), *args, late=late)
    assert isinstance(first, Result)
    return first, [row for row in rest if isinstance(row, Row)]


# Signals


def test_a_match_is_a_signal() -> None:
    result, _ = said(event(), USE, {"user": "Ann"})
    assert (result.kind, result.id, result.time, result.state) == (
        "signal",
        digest("signal", "use", "e1"),
        TIME,
        "final",
    )
    assert result.body == {
        "id": digest("signal", "use", "e1"),
        "time": rfc3339(TIME),
        "detection": "use",
        "title": "Use",
        "level": "medium",
        "confidence": 0.6,
        "family": "use",
        "event": "e1",
        "entities": [
            {"kind": "image", "id": "sha256:aa", "name": "chat:1"},
            {"kind": "workload", "id": "ecs/prod/chat"},
        ],
        "fields": {"user": "Ann"},
        "tags": ["t"],
        "evidence": [{"event": "e1", "sha256": ZERO}],
    }
    Signal.model_validate(result.body)


def test_a_signal_is_a_hit_of_correlations_and_a_leg_of_stories() -> None:
    result, (hit, leg) = said(event(), USE, {"user": "Ann"})
    assert (hit.key, hit.kind, hit.time, hit.id) == ('["burst","ann"]', "hit", TIME, result.id)
    assert hit.body == {
        "event": "e1",
        "signals": [result.id],
        "evidence": [["e1", ZERO]],
        "entities": ["image:sha256:aa", "workload:ecs/prod/chat"],
        "families": ["use"],
        "names": ["use"],
    }
    assert (leg.key, leg.kind, leg.time) == ("image:sha256:aa", "signal", TIME)
    assert leg.body["family"] == "use"


def test_a_signal_without_its_group_is_in_no_window() -> None:
    _, rows = said(event(), USE, {})
    assert [row.kind for row in rows] == ["signal"]


def test_a_late_signal_is_a_signal_and_no_more() -> None:
    _, rows = said(event(), USE, {"user": "Ann"}, late=True)
    assert rows == []


@pytest.mark.parametrize(
    ("finding", "family"),
    [
        (found(vulnerability="CVE-2026-1", check="C1"), "CVE-2026-1"),
        (found(check="C1"), "C1"),
        (found(), "use"),
        (None, "use"),
    ],
)
def test_one_weakness_is_one_family_whoever_says_it(
    finding: ScanFinding | None, family: str
) -> None:
    result, _ = said(event(finding=finding), USE, {})
    assert result.body["family"] == family


# Facts


def test_a_scanner_finding_is_a_fact_of_the_first_entity() -> None:
    (row,) = of_kind("fact", event(finding=found(vulnerability="CVE-2026-1")))
    assert (row.topic, row.key, row.time) == ("facts", IMAGE.key, TIME)
    assert row.id == "fact|finding|f1|e1"
    assert row.body == {
        "name": "finding",
        "instance": "f1",
        "state": "open",
        "severity": "high",
        "confidence": 800,
        "title": "A hole",
        "family": "CVE-2026-1",
        "tags": [],
        "tool": "trivy",
        "at": TIME,
        "evidence": [["e1", ZERO]],
        "vulnerability": "CVE-2026-1",
        "finding": {},
    }


def test_a_resolved_finding_closes_its_fact() -> None:
    (row,) = of_kind("fact", event(finding=found("resolved")))
    assert row.body["state"] == "closed"


def test_a_detection_opens_its_fact_with_its_own_level() -> None:
    (row,) = of_kind("fact", event(severity="low"), [posture(on="workload")])
    assert (row.key, row.id) == (HOST.key, "fact|weakness||e1")
    told = {name: row.body[name] for name in ("name", "state", "severity", "confidence", "tags")}
    assert told == {
        "name": "weakness",
        "state": "open",
        "severity": "critical",
        "confidence": 800,
        "tags": ["t"],
    }


@pytest.mark.parametrize(
    ("detection", "finding", "instance", "state"),
    [
        (posture("closed"), None, "", "closed"),
        (posture("finding"), found(), "f1", "open"),
        (posture("finding"), found("resolved"), "f1", "closed"),
        (posture("open"), found("resolved"), "", "open"),
    ],
)
def test_a_fact_follows_the_rule_or_the_finding(
    detection: Detection, finding: ScanFinding | None, instance: str, state: str
) -> None:
    rows = of_kind("fact", event(finding=finding), [detection])
    (row,) = [row for row in rows if row.body["name"] == "weakness"]
    assert (row.body["instance"], row.body["state"]) == (instance, state)


def test_a_fact_on_a_kind_that_the_event_does_not_name_says_nothing() -> None:
    assert of_kind("fact", event(), [posture(on="agent")]) == []


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("internet", ["internet"]),
        (["a", "b"], ["a", "b"]),
        (3, ["3"]),
        ("", []),
        (None, []),
        ([], []),
    ],
)
def test_asset_attributes_are_facts_by_label(value: object, labels: list[str]) -> None:
    rows = of_kind("fact", event(attributes={"asset.data": value, "other": "x"}))
    assert [row.body["instance"] for row in rows] == labels
    assert {row.body["family"] for row in rows} <= {"asset"}


def test_a_scan_is_told_to_its_asset() -> None:
    (row,) = of_kind("scan", event(class_uid=SCAN, status="success"))
    assert (row.key, row.body) == (IMAGE.key, {"tool": "trivy", "at": TIME})
    assert of_kind("scan", event()) == []


def test_every_entity_was_seen_and_the_first_is_spoken_of() -> None:
    rows = of_kind("asset", event(attributes={"asset.exposure": "internet", "x": 1}))
    assert [(row.key, row.body) for row in rows] == [
        (
            IMAGE.key,
            {
                "source": "trivy",
                "at": TIME,
                "name": "chat:1",
                "confidence": 700,
                "attributes": {"asset.exposure": "internet"},
            },
        ),
        (HOST.key, {"source": "trivy", "at": TIME}),
    ]


def test_an_edge_is_told_to_where_it_starts() -> None:
    edge = Edge.model_validate(
        {"from": HOST, "relation": "runs_image", "to": IMAGE, "declared": True, "state": "closed"}
    )
    (row,) = of_kind("edge", event(edges=(edge,)))
    assert row.key == HOST.key
    assert row.body == {
        "relation": "runs_image",
        "to": IMAGE.key,
        "declared": True,
        "state": "closed",
        "at": TIME,
    }


def test_what_came_late_holds_from_when_it_came() -> None:
    late = event(finding=found(), class_uid=SCAN)
    rows = list(facts(late, [posture()], TIME + HOUR))
    assert {row.time for row in rows} == {TIME + HOUR}
    assert {row.body["at"] for row in rows} == {TIME}


def test_an_event_about_nothing_says_nothing_of_assets() -> None:
    assert list(facts(event(entities=(), finding=found()), [posture()], TIME)) == []


# How a thing is known


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ({"class_uid": 5020}, "declared"),
        ({"class_uid": 6003, "status": "success"}, "observed"),
        ({"class_uid": 6003, "status": "failure"}, None),
        ({"class_uid": 2002}, None),
        ({"class_uid": SCAN}, None),
        ({"class_uid": 5021}, None),
    ],
)
def test_an_inventory_declares_and_activity_is_observed(said: Any, way: str | None) -> None:  # noqa: ANN401
    rows = of_kind("asset", event(**said))
    assert [row.body.get("way") for row in rows] == [way, way]


def test_both_ends_of_a_declared_edge_are_declared() -> None:
    edges = (Edge.model_validate({"from": HOST, "relation": "r", "to": IMAGE, "declared": True}),)
    third = Entity(kind="host", id="h")
    rows = of_kind("asset", event(class_uid=6003, edges=edges, entities=(IMAGE, HOST, third)))
    assert [row.body["way"] for row in rows] == ["declared", "declared", "observed"]


def test_a_source_may_be_less_sure_of_what_it_says() -> None:
    sure = [
        of_kind("asset", event(class_uid=5020, attributes={"asset.owner": "ann"} | more))[0].body
        for more in ({}, {"asset.confidence": 0.5})
    ]
    assert [body["confidence"] for body in sure] == [900, 500]
    assert sure[1]["attributes"] == {"asset.owner": "ann"}


@pytest.mark.parametrize(("status", "want"), [("success", [IMAGE.key]), ("failure", [])])
def test_a_deletion_that_was_not_denied_is_a_fact(status: str, want: list[str]) -> None:
    one = event(class_uid=6003, status=status, attributes={"asset.state": "deleted"})
    gone = [row for row in of_kind("fact", one) if row.body["name"] == "asset.state"]
    assert [row.key for row in gone] == want
    assert all("way" not in row.body for row in of_kind("asset", one)[:1])


def test_an_open_finding_tells_its_vulnerability_which_asset_has_it() -> None:
    cve = "CVE-2026-0001"
    (row,) = of_kind("has", event(finding=found(vulnerability=cve)))
    assert (row.key, row.body) == (f"vulnerability:{cve}", {"asset": IMAGE.key, "at": TIME})
    assert of_kind("has", event(finding=found("resolved", vulnerability=cve))) == []
    assert of_kind("has", event(finding=found(vulnerability="AVD-1"))) == []


def test_a_vulnerability_is_no_asset() -> None:
    known = Entity(kind="vulnerability", id="CVE-2026-0001")
    assert of_kind("asset", event(class_uid=5021, entities=(known,))) == []
    assert [row.kind for row in facts(event(class_uid=5021, entities=(known,)), (), TIME)] == [
        "scan"
    ]
