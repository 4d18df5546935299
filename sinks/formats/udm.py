"""UDM: an alert as an event of the Unified Data Model of Google SecOps.

One event per revision, with the names of its JSON. `metadata.productLogId` is the alert's id and
revision; the parts that UDM has no field for are in `additional`, under the alert's own names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from schemas.rows import Result
from sinks.formats.attacks import Attack, attacks
from sinks.formats.envelope import change
from sinks.formats.product import NAME, version

_SEVERITIES: Final = {
    "informational": "INFORMATIONAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "critical": "CRITICAL",
}
_ADDITIONAL: Final = (
    "actions",
    "evidence",
    "findings",
    "next",
    "path",
    "tags",
    "timeline",
    "why",
)
_MAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")


def event(result: Result, shortened: Sequence[str] = ()) -> dict[str, Any]:
    """The event that says this revision; `shortened`: the parts of the alert that are cut."""
    body, meta = result.body, result.body["meta"]
    entities = body.get("entities", ())
    people = [entity for entity in entities if entity["kind"] == "principal"]
    told: dict[str, Any] = {
        "metadata": {
            "eventTimestamp": meta["emitted"],
            "eventType": "GENERIC_EVENT",
            "vendorName": NAME,
            "productName": NAME,
            "productVersion": version(),
            "productEventType": f"alert.{change(result)}",
            "productLogId": f"{result.id}-{meta['revision']}",
            "description": body["title"],
        },
        "target": {
            "application": body["system"],
            "resource": {
                "name": body["system"],
                "productObjectId": body["system"],
                "resourceSubtype": "ai_system",
            },
        },
        "securityResult": [_security_result(result)],
        "additional": {name: list(body[name]) for name in _ADDITIONAL if body.get(name)}
        | ({"shortened": list(shortened)} if shortened else {}),
    }
    if people:
        told["principal"] = {"user": _user(people[0])}
    about = [_about(entity) for entity in entities if entity not in people[:1]]
    return told | ({"about": about} if about else {})


def _security_result(result: Result) -> dict[str, Any]:
    body, meta = result.body, result.body["meta"]
    fields = {
        "alert_id": result.id,
        "revision": str(meta["revision"]),
        "change": change(result),
        "state": result.state,
        "status": body["status"],
        "stage": body["stage"],
        "peak_stage": body["peak_stage"],
        "thread": body["thread"],
        "first_time": body["first_time"],
        "onset_time": body["onset_time"],
        "last_time": body["last_time"],
        "expires_at": body["expires_at"],
        "body_sha256": body["body_sha256"],
    }
    alerting = change(result) in ("opened", "updated") and body["stage"] != "outlook"
    told: dict[str, Any] = {
        "ruleId": body["convergence"],
        "ruleName": body["title"],
        "summary": body["title"],
        "description": body["summary"],
        "categoryDetails": [body["convergence"]],
        "severity": _SEVERITIES[body["severity"]],
        "severityDetails": body["severity"],
        "priority": f"{_third(body['priority'] / 100)}_PRIORITY",
        "confidence": f"{_third(body['confidence'])}_CONFIDENCE",
        "confidenceScore": 100.0 * body["confidence"],
        "riskScore": float(body["priority"]),
        "alertState": "ALERTING" if alerting else "NOT_ALERTING",
        "detectionFields": [{"key": key, "value": value} for key, value in fields.items()],
    }
    actions = body.get("actions", ())
    if actions:
        told["actionDetails"] = actions[0]["text"]
    details = _attack_details(attacks(body.get("tags", ())))
    return told | ({"attackDetails": details} if details else {})


def _attack_details(some: Sequence[Attack]) -> dict[str, Any]:
    """Of one matrix: that of the first technique, which for alerts of ours is ATLAS."""
    if not some:
        return {}
    same = [attack for attack in some if attack.matrix == some[0].matrix]
    tactics = {tactic.uid: tactic.name for attack in same for tactic in attack.tactics}
    told: dict[str, Any] = {"techniques": list(_techniques(same))}
    if same[0].version is not None:
        told["version"] = same[0].version
    if tactics:
        told["tactics"] = [{"id": uid, "name": name or uid} for uid, name in tactics.items()]
    return told


def _techniques(some: Iterable[Attack]) -> Iterable[dict[str, str]]:
    for attack in some:
        technique, sub = attack.technique, attack.sub_technique
        told = {"id": technique.uid, "name": technique.name or technique.uid}
        if sub is not None:
            told |= {"subtechniqueId": sub.uid, "subtechniqueName": sub.name or sub.uid}
        yield told


def _user(entity: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"userid": entity["id"]}
    if entity.get("name"):
        told["userDisplayName"] = entity["name"]
    if _MAIL.fullmatch(entity["id"]):
        told["emailAddresses"] = [entity["id"]]
    return told


def _about(entity: Mapping[str, Any]) -> dict[str, Any]:
    if entity["kind"] == "principal":
        return {"user": _user(entity)}
    return {
        "resource": {
            "name": entity.get("name") or entity["id"],
            "productObjectId": entity["id"],
            "resourceSubtype": entity["kind"],
        }
    }


def _third(value: float) -> str:
    return "HIGH" if value >= 0.8 else "MEDIUM" if value >= 0.5 else "LOW"
