"""OCSF: an alert as a Detection Finding (2004) of OCSF 1.8 (https://schema.ocsf.io/1.8.0).

One event per revision. `finding_info.uid` is the alert's id, `metadata.uid` the id of this revision
of it, so a consumer keeps the newest `metadata.sequence` of each `finding_info.uid`. What an alert
knows and OCSF has no place for is in `unmapped`, under the alert's own names.

It is no Incident Finding (2005): that one is a case of people, and has to name an assignee.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from schemas.times import parse
from sinks.formats.attacks import Attack, Named, attacks
from sinks.formats.product import NAME, version

VERSION: Final = "1.8.0"
CLASS_UID: Final = 2004
UNMAPPED: Final = (
    "body_sha256",
    "convergence",
    "expires_at",
    "findings",
    "next",
    "peak_stage",
    "stage",
    "system",
    "why",
)
_ACTIVITIES: Final = {1: "Create", 2: "Update", 3: "Close"}
_SEVERITIES: Final = {
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_STATUSES: Final = {
    "open": (1, "New"),
    "verified": (4, "Resolved"),
    "resolved": (4, "Resolved"),
    "expired": (5, "Archived"),
    "superseded": (5, "Archived"),
    "withdrawn": (
        3,
        "Suppressed",
    ),  # late evidence disproved it; consumers of 1.5 know no 6 Deleted
}
_RISKS: Final = ((80, 4, "Critical"), (60, 3, "High"), (40, 2, "Medium"), (20, 1, "Low"))
_CONFIDENCES: Final = ((0.8, 3, "High"), (0.5, 2, "Medium"), (0.0, 1, "Low"))
_TYPES: Final = {"agent": "ai_agent", "model": "ai_model"}  # OCSF's own agent is a sensor
_TARGET, _ACTOR, _RELATED = (1, "Target"), (2, "Actor"), (4, "Related")
_ACTORS: Final = frozenset(("principal", "apikey", "session"))


def status(body: Mapping[str, Any]) -> str:
    """What became of the alert: its status, or `withdrawn`."""
    return "withdrawn" if body["meta"]["state"] == "withdrawn" else str(body["status"])


def ended(body: Mapping[str, Any]) -> bool:
    """True if a receiver is to show the alert as closed."""
    return status(body) != "open"


def detection_finding(body: Mapping[str, Any], shortened: Sequence[str] = ()) -> dict[str, Any]:
    """The event that says this revision of an alert; `body` is the alert with its `meta`.

    `shortened`: the parts of it that are missing or cut, which the event says.
    Times are milliseconds. `time` is when we said it, which is what a SIEM looks for; the
    underlying activity lies between `start_time` and `end_time`.
    """
    meta = body["meta"]
    activity = 3 if ended(body) else 1 if meta["revision"] == 1 else 2
    severity_id, severity = _SEVERITIES[body["severity"]]
    status_id, status_name = _STATUSES[status(body)]
    risk_id, risk = _level(_RISKS, body["priority"], (0, "Info"))
    confidence_id, confidence = _level(_CONFIDENCES, body["confidence"], (0, "Unknown"))
    event: dict[str, Any] = {
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Detection Finding",
        "class_uid": CLASS_UID,
        "confidence": confidence,
        "confidence_id": confidence_id,
        "confidence_score": round(100 * body["confidence"]),
        "end_time": _ms(body["last_time"]),
        "evidences": [
            {"uid": one["event"], "data": {"sha256": one["sha256"]}}
            for one in body.get("evidence", ())
        ],
        "finding_info": _finding_info(body),
        "is_alert": not ended(body) and body["stage"] != "outlook",
        "message": f"{body['stage']}: {body['title']}",
        "metadata": _metadata(body, shortened),
        "observables": list(_observables(body)),
        "remediation": _remediation(body),
        "resources": [_resource(entity) for entity in body.get("entities", ())],
        "risk_details": _risk_details(body),
        "risk_level": risk,
        "risk_level_id": risk_id,
        "risk_score": body["priority"],
        "severity": severity,
        "severity_id": severity_id,
        "start_time": _ms(body["first_time"]),
        "status": status_name,
        "status_detail": status(body),
        "status_id": status_id,
        "time": _said(body),
        "type_name": f"Detection Finding: {_ACTIVITIES[activity]}",
        "type_uid": 100 * CLASS_UID + activity,
        "unmapped": {name: body[name] for name in UNMAPPED if name in body},
    }
    return _filled(event)


def _finding_info(body: Mapping[str, Any]) -> dict[str, Any]:
    related = list(_related(body))
    return _filled(
        {
            "analytic": {
                "category": "Convergence",
                "name": body["title"],
                "type": "Rule",
                "type_id": 1,
                "uid": body["convergence"],
            },
            "attack_graph": _graph(body),
            "attacks": [
                said for attack in attacks(body.get("tags", ())) for said in _by_tactic(attack)
            ],
            "created_time": _ms(body["onset_time"]),
            "desc": body["summary"],
            "first_seen_time": _ms(body["first_time"]),
            "last_seen_time": _ms(body["last_time"]),
            "modified_time": _said(body),
            "related_events": related,
            "related_events_count": len(related),
            "tags": list(_tags(body.get("tags", ()))),
            "title": body["title"],
            "traits": [
                {"category": "Score", "name": term["term"], "values": [str(term["points"])]}
                for term in body.get("why", ())
            ],
            "types": ["AI security posture"],
            "uid": body["id"],
        }
    )


def _metadata(body: Mapping[str, Any], shortened: Sequence[str]) -> dict[str, Any]:
    meta = body["meta"]
    labels = [f"state:{meta['state']}", f"stage:{body['stage']}"]
    told: dict[str, Any] = {
        "correlation_uid": body["thread"],
        "event_code": body["convergence"],
        "labels": labels + [f"shortened:{name}" for name in shortened],
        "log_name": "alerts",
        "log_provider": "barograph",
        "log_version": "1",
        "logged_time": _said(body),
        "original_event_uid": body["id"],
        "original_time": body["last_time"],
        "product": product(),
        "sequence": meta["revision"],
        "uid": f"{body['id']}-{meta['revision']}",
        "version": VERSION,
    }
    return told | ({"is_truncated": True} if shortened else {})


def product() -> dict[str, str]:
    """Who says all this."""
    return {"name": NAME, "uid": "barograph", "vendor_name": NAME, "version": version()}


def _resource(entity: Mapping[str, Any]) -> dict[str, Any]:
    kind = entity["kind"]
    role_id, role = _RELATED
    if kind == "application":
        role_id, role = _TARGET
    elif kind in _ACTORS:
        role_id, role = _ACTOR
    return {
        "name": entity.get("name") or entity["id"],
        "role": role,
        "role_id": role_id,
        "type": _TYPES.get(kind, kind),
        "uid": entity["id"],
    }


def _observables(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Where to turn next from here: each entity by its id."""
    for place, entity in enumerate(body.get("entities", ())):
        name = f"resources[{place}].uid"
        yield {"name": name, "type": "Resource UID", "type_id": 10, "value": entity["id"]}


def _related(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The timeline: each event where it is named for the first time."""
    seen: set[str] = set()
    for moment in body.get("timeline", ()):
        for one in moment.get("evidence", ()):
            if one["event"] not in seen:
                seen.add(one["event"])
                yield {
                    "desc": moment["text"],
                    "first_seen_time": _ms(moment["time"]),
                    "uid": one["event"],
                }


def _graph(body: Mapping[str, Any]) -> dict[str, Any] | None:
    steps = body.get("path", ())
    if not steps:
        return None
    ends = dict.fromkeys(step[end] for step in steps for end in ("from", "to"))
    return {
        "edges": [
            {
                "data": {"state": step["state"]},
                "is_directed": True,
                "name": step["relation"],
                "relation": step["relation"],
                "source": step["from"],
                "target": step["to"],
                "uid": str(place),
            }
            for place, step in enumerate(steps)
        ],
        "is_directed": True,
        "name": "Lineage path",
        "nodes": [
            {"name": end.partition(":")[2] or end, "type": _type(end), "uid": end} for end in ends
        ],
    }


def _type(end: str) -> str:
    kind = end.partition(":")[0]
    return _TYPES.get(kind, kind)


def _by_tactic(attack: Attack) -> Iterator[dict[str, Any]]:
    """OCSF's attack has one tactic."""
    for tactic in attack.tactics or (None,):
        yield _filled(
            {
                "sub_technique": attack.sub_technique and _named(attack.sub_technique),
                "tactic": tactic and _named(tactic),
                "technique": _named(attack.technique),
                "version": attack.version,
            }
        )


def _named(thing: Named) -> dict[str, str]:
    return {"name": thing.name or thing.uid, "uid": thing.uid}


def _tags(tags: Sequence[str]) -> Iterator[dict[str, Any]]:
    """`owasp.llm01` is a value of `owasp`."""
    groups: dict[str, list[str]] = {}
    for tag in tags:
        group, dot, value = tag.partition(".")
        groups.setdefault(group if dot else "tag", []).append(value if dot else tag)
    for group, values in groups.items():
        yield {"name": group, "values": values}


def _remediation(body: Mapping[str, Any]) -> dict[str, Any] | None:
    actions = body.get("actions", ())
    if not actions:
        return None
    lines = (f"{n}. {one['text']} ({one['effect']})" for n, one in enumerate(actions, 1))
    controls = list(dict.fromkeys(one["control"] for one in actions if one.get("control")))
    return _filled({"desc": "\n".join(lines), "references": controls})


def _risk_details(body: Mapping[str, Any]) -> str:
    told = f"stage {body['stage']}, at most {body['peak_stage']}, on {body['system']}"
    for one in body.get("next", ())[:1]:
        told += (
            f"; next may be {one['technique']} {one['name']}"
            f" ({one['probability']:.0%} within {one['horizon']})"
        )
    return told


def _level(
    levels: Sequence[tuple[float, int, str]], value: float, least: tuple[int, str]
) -> tuple[int, str]:
    return next(((id_, name) for floor, id_, name in levels if value >= floor), least)


def _said(body: Mapping[str, Any]) -> int:
    return _ms(body["meta"].get("emitted") or body["last_time"])


def _ms(time: str) -> int:
    return parse(time) // 1000


def _filled(said: dict[str, Any]) -> dict[str, Any]:
    """Without what there is nothing of; 0 and False are something."""
    return {name: value for name, value in said.items() if value not in (None, [], {})}
