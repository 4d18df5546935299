"""The rules of a run, made ready for each kind of record once."""

from __future__ import annotations

from correlators.document import Document
from correlators.ruleset import parse
from schemas.event import Event, EventEvidence
from streams.matchers import Matchers
from streams.source import named

TRAIL = """\
title: trail
name: trail
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteGuardrail}, condition: s}
"""
FORM = """\
title: form
name: form
logsource: {product: barograph, category: api_activity}
detection: {s: {activity: DeleteGuardrail}, condition: s}
"""
RULES = parse([Document("trail.yml", TRAIL), Document("form.yml", FORM)]).rules


def event(class_name: str, source: str = "cloudtrail") -> Event:
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    return Event(
        uid="1",
        time=0,
        source=source,
        class_uid=6003,
        class_name=class_name,
        activity="DeleteGuardrail",
        evidence=evidence,
    )


def test_raw_records_are_for_the_rules_of_their_vendor() -> None:
    matchers = Matchers(RULES)
    matcher = matchers.raw(named("cloudtrail"))
    assert matcher is not None
    found = matcher.match({"eventName": "DeleteGuardrail", "activity": "DeleteGuardrail"})
    assert [rule.detection.id for rule in found] == ["trail"]
    assert matchers.raw(named("cloudtrail")) is matcher
    assert matchers.raw(named("trivy")) is None  # it has no raw form of single records


def test_events_are_for_the_rules_of_their_class() -> None:
    matchers = Matchers(RULES)
    form = {"eventName": "DeleteGuardrail", "activity": "DeleteGuardrail"}
    matcher = matchers.normal(event("API Activity"))
    assert [rule.detection.id for rule in matcher.match(form)] == ["form"]
    assert matchers.normal(event("API Activity")) is matcher
    assert matchers.normal(event("Authentication")).match(form) == []
    assert matchers.normal(event("API Activity", "otel")) is not matcher
