"""Normal form: one flat view of an Event, the same names whichever source it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.detection import Logsource
from schemas.event import Event
from schemas.times import rfc3339


def normal_form(event: Event, private: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> JSON value: attributes, content that only detections may see, and the parts of the Event.

    `entity.<kind>` is the id of the first entity of that kind. What is unknown is absent.
    """
    form = dict(event.attributes)
    form.update(private)
    form |= {
        "time": rfc3339(event.time),
        "source": event.source,
        "class_uid": event.class_uid,
        "class_name": event.class_name,
        "activity": event.activity,
        "status": event.status,
        "severity": event.severity,
        "message": event.message,
    }
    for entity in reversed(event.entities):
        form[f"entity.{entity.kind}"] = entity.id
    if event.actor is not None:
        form["actor.kind"], form["actor.id"] = event.actor.kind, event.actor.id
    if event.client is not None:
        form |= {f"client.{name}": value for name, value in event.client.body().items()}
    if event.finding is not None:
        form |= {f"finding.{name}": value for name, value in event.finding.body().items()}
    return form


def logsource(event: Event) -> Logsource:
    """How rules over the normal form name such events."""
    category = event.class_name.lower().replace(" ", "_")
    return Logsource(product="barograph", category=category, service=event.source)
