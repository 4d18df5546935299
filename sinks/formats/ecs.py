"""ECS: an alert as a document of the Elastic Common Schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final, cast

from sinks.formats.attacks import Named, attacks
from sinks.formats.shortening import clipped

VERSION: Final = "9.3.0"
# Characters of one text in `barograph.detail`: what is indexed as one term may have 32766 bytes.
LONGEST: Final = 8000

# field of ECS: field of the alert
FIELDS: Final = {
    "@timestamp": "last_time",
    "message": "title",
    "event.created": "meta.emitted",
    "event.start": "first_time",
    "event.end": "last_time",
    "event.hash": "body_sha256",
    "event.reason": "summary",
    "event.risk_score": "priority",  # `risk.*` has its place below a user or a host only
    "event.risk_score_norm": "priority",
    "rule.id": "convergence",
    "rule.name": "convergence",
    "service.name": "system",
    "tags": "tags",
    "barograph.id": "id",
    "barograph.revision": "meta.revision",
    "barograph.state": "meta.state",
    "barograph.thread": "thread",
    "barograph.convergence": "convergence",
    "barograph.system": "system",
    "barograph.stage": "stage",
    "barograph.peak_stage": "peak_stage",
    "barograph.status": "status",
    "barograph.severity": "severity",
    "barograph.priority": "priority",
    "barograph.confidence": "confidence",
    "barograph.onset_time": "onset_time",
    "barograph.expires_at": "expires_at",
    "barograph.shortened": "shortened",
}
# kind of an entity: field of ECS, and what of the entity stands there
ENTITIES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "principal": {"related.user": ("id", "name")},
    "host": {"related.hosts": ("id", "name")},
    "workload": {"related.hosts": ("id", "name")},
    "agent": {"gen_ai.agent.id": ("id",), "gen_ai.agent.name": ("name",)},
    "model": {"gen_ai.request.model": ("id",)},
    "tool": {"gen_ai.tool.name": ("name",)},
    "image": {"container.image.name": ("name",)},
    "vulnerability": {"vulnerability.id": ("id",)},
}
DETAIL: Final = (
    "entities",
    "findings",
    "timeline",
    "path",
    "why",
    "next",
    "actions",
    "evidence",
)
SEVERITIES: Final = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
_ALWAYS: Final = {
    "ecs.version": VERSION,
    "event.kind": "alert",
    "event.category": ["intrusion_detection"],
    "event.type": ["info"],
    "event.module": "barograph",
    "event.dataset": "barograph.alerts",
    "event.provider": "barograph",
    "observer.vendor": "Barograph",
    "observer.product": "Barograph",
    "observer.type": "correlation",
    "rule.ruleset": "barograph",
}
_TACTIC: Final = re.compile(r"attack\.(?!t\d)([a-z][a-z_-]*)", re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"
    r"|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]))"
)


def document(body: Mapping[str, Any]) -> dict[str, Any]:
    """The alert, nested by the dots of the fields' names.

    A list of it that was left out is left out here. Its own lists are in `barograph.detail`, whole
    but for texts of more than LONGEST characters.
    """
    flat: dict[str, Any] = dict(_ALWAYS)
    for field, path in FIELDS.items():
        value: Any = body
        for name in path.split("."):
            value = value.get(name)
        if value is not None and value != []:
            flat[field] = value
    withdrawn = body["meta"]["state"] == "withdrawn"
    standing = "withdrawn" if withdrawn else body["status"]
    flat["barograph.closed"] = standing != "open"
    flat["event.action"] = f"alert-{standing}"
    flat["event.id"] = f"{body['id']}-{body['meta']['revision']}"
    flat["event.severity"] = SEVERITIES[body["severity"]]
    flat["barograph.detail"] = {name: _cut(body[name]) for name in DETAIL if body.get(name)}
    for field, value in (*_named(body), *_threats(body), *_addresses(body)):
        if value not in flat.setdefault(field, []):
            flat[field].append(value)
    return _nested(flat)


def _named(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for entity in body.get("entities", ()):
        yield "barograph.entities", f"{entity['kind']}:{entity['id']}"
        for field, parts in ENTITIES.get(entity["kind"], {}).items():
            yield from ((field, entity[part]) for part in parts if entity.get(part))


def _threats(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tags = body.get("tags", ())
    for attack in attacks(tags):
        yield "threat.framework", attack.matrix
        yield from _called("threat.technique", attack.technique)
        if attack.sub_technique is not None:
            yield from _called("threat.technique.subtechnique", attack.sub_technique)
        for tactic in attack.tactics:
            yield from _called("threat.tactic", tactic)
    for found in filter(None, map(_TACTIC.fullmatch, tags)):
        yield "threat.framework", "MITRE ATT&CK"
        yield "threat.tactic.name", re.sub("[_-]", " ", found[1]).title()


def _called(field: str, thing: Named) -> Iterator[tuple[str, str]]:
    yield f"{field}.id", thing.uid
    if thing.name is not None:
        yield f"{field}.name", thing.name


def _addresses(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    hosts = (entity["id"] for entity in body.get("entities", ()) if entity["kind"] == "host")
    texts = (moment["text"] for moment in body.get("timeline", ()))
    for text in (*hosts, *texts):
        for found in _ADDRESS.findall(text):
            try:
                address = ip_address(found)
            except ValueError:
                continue  # a time, or something else with dots or colons
            if not address.is_unspecified:
                yield "related.ip", str(address)


def _cut(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case str() if len(value) > LONGEST:
            return clipped(value, LONGEST)
        case dict():
            inside = cast("dict[str, Any]", value)
            return {name: _cut(inner) for name, inner in inside.items()}
        case list() | tuple():
            return [_cut(inner) for inner in cast("list[Any]", value)]
        case _:
            return value


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for field, value in flat.items():
        *above, name = field.split(".")
        place = whole
        for part in above:
            place = place.setdefault(part, {})
        place[name] = value
    return whole
