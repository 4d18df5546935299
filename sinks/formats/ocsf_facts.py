"""OCSF: a scanner's finding as a Vulnerability (2002) or a Compliance Finding (2003) of OCSF 1.8.

One event when it opens and one when it is over, of the same `finding_info.uid`; each time that it
opens again it is another one. Only what is final is said: what late records can disprove is not.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from schemas.rows import Result
from schemas.times import parse
from sinks.formats.ocsf import SEVERITIES, VERSION, confidence, filled, product

Class = Literal[2002, 2003]
_NAMES: Final[dict[Class, str]] = {2002: "Vulnerability Finding", 2003: "Compliance Finding"}
_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE | re.ASCII)
_UNMAPPED: Final = ("fixed_version", "instance", "location", "package", "tool")


def class_of(result: Result) -> Class | None:
    """The class of a fact; None for one that is no finding of a scanner, or may still change."""
    body = result.body
    if body["name"] != "finding" or result.state != "final":
        return None
    if body.get("vulnerability"):
        return 2002
    return 2003 if body.get("check") else None


def moment(result: Result) -> int:
    """When what it says became true, in microseconds."""
    return parse(result.body.get("until") or result.body["since"])


def fact_finding(result: Result, class_uid: Class) -> dict[str, Any]:
    """The event of a fact whose class this is; times are milliseconds of event time."""
    body = result.body
    kind, _, thing = body["entity"].partition(":")
    detail = str(body["state"])
    is_open = detail == "open"
    activity, status_id, status = (1, 1, "New") if is_open else (3, 4, "Resolved")
    activity_name = "Create" if is_open else "Close"
    severity_id, severity = SEVERITIES[body["severity"]]
    confidence_id, confidence_name = confidence(body["confidence"])
    since, time = parse(body["since"]) // 1000, moment(result) // 1000
    events = [{"uid": one["event"]} for one in body.get("evidence", ())]
    told: dict[str, Any] = {
        "activity_id": activity,
        "activity_name": activity_name,
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": _NAMES[class_uid],
        "class_uid": class_uid,
        "confidence": confidence_name,
        "confidence_id": confidence_id,
        "confidence_score": round(100 * body["confidence"]),
        "finding_info": {
            "created_time": since,
            "data_sources": [body["tool"] or "unknown"],
            "first_seen_time": since,
            "modified_time": time,
            "related_events": events,
            "related_events_count": len(events),
            "title": body["title"],
            "types": ["Vulnerability" if class_uid == 2002 else "Misconfiguration"],
            "uid": result.id,
        },
        "message": body["title"],
        "metadata": {
            "event_code": body.get("vulnerability") or body["check"],
            "log_name": "facts",
            "log_provider": "barograph",
            "log_version": "1",
            "original_event_uid": events[0]["uid"] if events else None,
            "product": product(),
            "uid": f"{result.id}-{detail}",
            "version": VERSION,
        },
        "observables": [
            {"name": "resources[0].uid", "type": "Resource UID", "type_id": 10, "value": thing}
        ],
        "resources": [
            {"name": thing, "role": "Affected", "role_id": 3, "type": kind, "uid": thing}
        ],
        "severity": severity,
        "severity_id": severity_id,
        "start_time": since,
        "status": status,
        "status_detail": detail,
        "status_id": status_id,
        "time": time,
        "type_name": f"{_NAMES[class_uid]}: {activity_name}",
        "type_uid": 100 * class_uid + activity,
        "unmapped": {name: body[name] for name in _UNMAPPED if body.get(name)},
    }
    told["finding_info"] = filled(told["finding_info"])
    told["metadata"] = filled(told["metadata"])
    if class_uid == 2002:
        told["vulnerabilities"] = [_vulnerability(body, severity, since)]
    else:
        told["compliance"] = _compliance(body, passes=not is_open)
    return told


def _vulnerability(body: dict[str, Any], severity: str, since: int) -> dict[str, Any]:
    id_, fixed = body["vulnerability"], body.get("fixed_version")
    update = {"desc": f"Update {body.get('package') or 'it'} to {fixed}"} if fixed else None
    return filled(
        {
            "cve" if _CVE.fullmatch(id_) else "advisory": {"uid": id_},
            "first_seen_time": since,
            "is_fix_available": bool(fixed),
            "remediation": update,
            "severity": severity,
            "title": body["title"],
        }
    )


def _compliance(body: dict[str, Any], *, passes: bool) -> dict[str, Any]:
    return {
        "control": body["check"],
        "desc": body["title"],
        "status": "Pass" if passes else "Fail",
        "status_id": 1 if passes else 3,
    }
