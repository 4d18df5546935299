"""OCSF: a control that was assessed, as a Compliance Finding (2003) of OCSF 1.8.

One event for each control and scope, of the same `finding_info.uid` whenever it is assessed again:
a consumer keeps the newest. OCSF has no word for "not assessed"; it is 99 with that caption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from schemas.canonical import digest
from schemas.times import parse
from sinks.formats.ocsf import SEVERITIES, VERSION, filled, product

CLASS_UID: Final = 2003
_STATUSES: Final = {
    "pass": (1, "Pass"),
    "fail": (3, "Fail"),
    "not_assessed": (99, "Not assessed"),
}
_FINDINGS: Final = {"fail": (1, "New"), "pass": (4, "Resolved"), "not_assessed": (0, "Unknown")}
_UNMAPPED: Final = ("applies_from", "body_sha256", "criteria", "fresh_until", "missing", "scope")


def control_finding(
    body: Mapping[str, Any],
    status: str,
    reason: str,
    at: int,
    evidence: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The event of a control whose `status` at `at` (microseconds) is this, for that `reason`.

    `evidence`: what it rests on, each with `text`, `time` and the `events` behind it. Times are
    milliseconds of event time.
    """
    activity, activity_name = (3, "Close") if status == "pass" else (1, "Create")
    severity = body.get("severity") if status == "fail" else None
    severity_id, severity_name = SEVERITIES[severity or "informational"]
    status_id, status_name = _FINDINGS[status]
    judged_id, judged = _STATUSES[status]
    time, assessed = at // 1000, parse(body["assessed_at"]) // 1000
    uid = digest("control", body["framework"], body["control"], body["scope"])
    related = list(_related(evidence))
    named = f"{body['control']} {body['title']}"
    return filled(
        {
            "activity_id": activity,
            "activity_name": activity_name,
            "category_name": "Findings",
            "category_uid": 2,
            "class_name": "Compliance Finding",
            "class_uid": CLASS_UID,
            "compliance": {
                "control": body["control"],
                "desc": body["rationale"],
                "requirements": [named],
                "standards": [f"{body['framework_title']} {body['framework_version']}"],
                "status": judged,
                "status_details": [reason],
                "status_id": judged_id,
            },
            "finding_info": filled(
                {
                    "created_time": assessed,
                    "desc": reason,
                    "modified_time": time,
                    "related_events": related,
                    "related_events_count": len(related),
                    "src_url": body.get("url"),
                    "title": named,
                    "types": ["Control"],
                    "uid": uid,
                }
            ),
            "message": f"{judged}: {named}",
            "metadata": {
                "event_code": f"{body['framework']}/{body['control']}",
                "log_name": "controls",
                "log_provider": "barograph",
                "log_version": "1",
                "original_event_uid": body["id"],
                "product": product(),
                "uid": digest(uid, body["body_sha256"], status, at),
                "version": VERSION,
            },
            "resources": _resources(body["scope"]),
            "severity": severity_name,
            "severity_id": severity_id,
            "status": status_name,
            "status_detail": status,
            "status_id": status_id,
            "time": time,
            "type_name": f"Compliance Finding: {activity_name}",
            "type_uid": 100 * CLASS_UID + activity,
            "unmapped": {name: body[name] for name in _UNMAPPED if body.get(name)},
        }
    )


def _resources(scope: str) -> list[dict[str, Any]]:
    """The AI system; the estate is no resource."""
    kind, colon, id_ = scope.partition(":")
    if not colon:
        return []
    return [{"name": id_, "role": "Target", "role_id": 1, "type": kind, "uid": id_}]


def _related(evidence: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each event where it is named first."""
    found: dict[str, dict[str, Any]] = {}
    for one in evidence:
        for event in one.get("events", ()):
            seen = parse(one["time"]) // 1000
            found.setdefault(event, {"desc": one["text"], "first_seen_time": seen, "uid": event})
    return list(found.values())
