"""OpenAI audit log: who changed what in an organisation of the API platform.

Read are pages of the audit logs API (`{"object": "list", "data": [...]}`), a list of its objects,
and one object alone; details under `role_assignment_created` as well as `role.assignment.created`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity, Kind
from schemas.event import Client, Edge, Event, EventEvidence
from schemas.times import HOUR, SECOND
from streams.records import envelope
from streams.records.untrusted import (
    distinct,
    edge,
    entity,
    listing,
    mapping,
    moment,
    number,
    sane,
    text,
)
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "openai"
TITLE: Final = "OpenAI audit log"
LOGSOURCE: Final = Logsource(product="openai", service="audit")
LATENESS: Final = HOUR  # it is asked for, mostly once in some minutes
VERSIONS: Final = "audit logs API, objects of 2024-08 to 2026-08"
GAPS: Final = (
    "Of a change the names of what was asked for are kept, of their values only scopes and roles.",
    "Audit logs of ChatGPT workspaces are another format.",
    "A sign-in or sign-out that went well is kept only where a rule for OpenAI's log asks for it.",
)
CATEGORIES: Final = frozenset({"api_activity", "authentication"})
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.service asset.state client.asn client.country client.ja4 cloud.account.id
    error.code gen_ai.provider.name openai.actor.type openai.changes openai.configs
    openai.project.id openai.resource.id openai.resource.type openai.role openai.scopes
    """.split()  # noqa: SIM905 - names read better as a paragraph
)

# First word of an event type -> the kind of thing that its details are of.
_KINDS: Final[dict[str, Kind]] = {
    "api_key": "apikey",
    "external_key": "apikey",
    "organization": "account",
    "project": "account",
    "rate_limit": "model",
    "scim": "account",
    "service_account": "principal",
    "user": "principal",
}
_ENDED: Final = frozenset({"archived", "deleted", "removed"})
# Deleted are things; a user only leaves, and a rate limit is of a model that stays.
_GONE: Final = frozenset({"api_key.deleted", "project.deleted", "service_account.deleted"})
_LOGINS: Final = frozenset({"login", "logout"})
_MOST: Final = 32


def _time(value: Json) -> int:
    """Seconds since 1970, as a number or its text; exports write RFC 3339."""
    if value.__class__ is int and -1e12 < value < 1e12:  # nearly all
        return sane(value * SECOND)
    seconds = number(value)
    if isinstance(value, str) and value.isdecimal() and len(value) <= 12:
        seconds = float(value)
    if seconds is None:
        return moment(value)
    if not abs(seconds) < 1e12:
        raise Unreadable("bad-time", "the time is no number of seconds")
    return sane(int(seconds * SECOND))


def _uid(record: Json, sha256: str) -> str:
    return text(mapping(record).get("id"), 128) or sha256


NARROW: Final = Narrow(
    time="effective_at",
    relevant={},
    ordinary={"type": frozenset({"login.succeeded", "logout.succeeded"})},
    counted=True,
    clock=_time,
    uid=_uid,
)


def sniff(head: bytes) -> bool:
    """An object says when it took effect, and has an id or details that only these have."""
    if b'"effective_at"' not in head or b'"actor"' not in head:
        return False
    return b'"audit_log' in head or b'"organization.audit_log"' in head or _acts(head)


def split(document: bytes) -> Iterator[Raw]:
    """The objects of a page, of a list, or the one object."""
    return envelope.records(document, "data")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One action of a user, a service account or a key."""
    said = mapping(record)
    kind = text(said.get("type"), 128)
    if kind is None or "actor" not in said:
        raise Unreadable("wrong-shape", "an object has `type` and `actor`")
    time = _time(said.get("effective_at"))
    details = _details(said, kind)
    who = mapping(said.get("actor"))
    session, key = mapping(who.get("session")), mapping(who.get("api_key"))
    actor = _user(session.get("user")) or _user(key.get("user")) or _service(key) or _user(who)
    used = entity("apikey", key.get("id"))
    project = entity("account", _id(said.get("project")), _named(said.get("project")))
    targets = _targets(kind, details)
    address, agent = _client(session, who)
    login = kind.partition(".")[0] in _LOGINS
    failed = kind.endswith((".failed", "_failed"))
    return Parsed(
        Event(
            uid=_uid(said, evidence.sha256),
            time=time,
            source=NAME,
            class_uid=3002 if login else 6003,
            class_name="Authentication" if login else "API Activity",
            activity=kind,
            status="failure" if failed else "success",
            message=kind + (f" by {actor.id}" if actor else ""),
            actor=actor or used,
            client=Client(ip=address, user_agent=agent) if address or agent else None,
            entities=distinct((*targets, actor, used, project)) or _nobody(said),
            edges=tuple(_edges(kind, targets, actor, used)),
            attributes={
                name: value
                for name, value in _attributes(said, kind, details, who).items()
                if value is not None
            }
            | ({"asset.state": "deleted"} if kind in _GONE and targets else {}),
            evidence=evidence,
        ),
        {},
    )


def _acts(head: bytes) -> bool:
    return b'"session"' in head and b'"ip_address"' in head


def _details(said: dict[str, Json], kind: str) -> dict[str, Json]:
    keys = (kind, kind.replace(".", "_"))
    return mapping(next((said[key] for key in keys if key in said), None))


def _targets(kind: str, details: dict[str, Json]) -> list[Entity]:
    """What was acted upon: a thing that is known elsewhere too, else whom it was about."""
    what = _KINDS.get(kind.partition(".")[0])
    data = mapping(details.get("data"))
    name = details.get("name") or data.get("name") or data.get("title")
    asset = entity(what, details.get("id"), name) if what else None
    if kind.startswith("rate_limit"):
        asset = entity("model", mapping(details.get("changes_requested")).get("model"))
    whom = text(details.get("principal_id") or data.get("email"), 256)
    if kind.startswith("checkpoint"):
        asset = entity("model", data.get("fine_tuned_model_checkpoint") or details.get("id"))
        whom = None
    if kind.startswith("organization"):
        whom = None
    others = (
        entity("principal", whom.lower() if whom else None),
        entity("account", details.get("resource_id") or data.get("project_id")),
    )
    return [one for one in (asset, *others) if one is not None]


def _edges(
    kind: str, targets: list[Entity], actor: Entity | None, used: Entity | None
) -> Iterator[Edge]:
    if actor is not None and used is not None:
        yield edge(actor, "owns", used)
    first = targets[0] if targets else None
    if first is None or actor is None or not kind.startswith("api_key."):
        return
    ended = kind.rpartition(".")[2] in _ENDED
    if kind == "api_key.created" or ended:
        # Who deletes a key need not be who owned it.
        yield edge(actor, "owns", first, declared=True, ended=ended)


def _attributes(
    said: dict[str, Json], kind: str, details: dict[str, Json], who: dict[str, Json]
) -> dict[str, Json]:
    asked = mapping(details.get("changes_requested"))
    data = mapping(details.get("data"))
    session = mapping(who.get("session"))
    place = mapping(session.get("ip_address_details"))
    scopes = asked.get("scopes") or data.get("scopes")
    several = listing(details.get("configs")) or listing(details.get("certificates"))
    configs = [_id(one) for one in several[:_MOST]]
    assigned = text(details.get("id"), 256) if kind.startswith("role.assignment.") else None
    return {
        "api.operation": kind,
        "api.service": "api.openai.com",
        "client.asn": text(place.get("asn"), 32),
        "client.country": text(place.get("country"), 64),
        "client.ja4": text(session.get("ja4"), 128),
        "error.code": text(details.get("error_code"), 128),
        "gen_ai.provider.name": "openai",
        "openai.actor.type": text(who.get("type"), 64),
        "openai.changes": sorted(key[:128] for key in asked)[:_MOST] or None,
        "openai.configs": [one for one in configs if one] or None,
        "openai.project.id": _id(said.get("project")),
        "openai.resource.id": text(details.get("resource_id") or details.get("id"), 256),
        "openai.resource.type": text(details.get("resource_type"), 128),
        "openai.role": text(asked.get("role") or data.get("role") or _role(assigned), 128),
        "openai.scopes": [one for one in map(text, listing(scopes)[:_MOST]) if one] or None,
    }


def _role(assignment: str | None) -> str | None:
    """`role_assignment_<role>__<resource>__<whom>` -> the role."""
    role, _, _ = (assignment or "").removeprefix("role_assignment_").partition("__")
    return role or None


def _user(user: Json) -> Entity | None:
    said = mapping(user)
    name = text(said.get("email"), 256) or text(said.get("id"), 256)
    return entity("principal", name.lower() if name else None)


def _service(key: dict[str, Json]) -> Entity | None:
    return entity("principal", _id(key.get("service_account")))


def _client(session: dict[str, Json], who: dict[str, Json]) -> tuple[str | None, str | None]:
    address = text(session.get("ip_address") or who.get("ip_address"), 256)
    return address, text(session.get("user_agent") or who.get("user_agent"), 512)


def _nobody(said: dict[str, Json]) -> tuple[Entity, ...]:
    return distinct((entity("account", said.get("organization_id") or "openai"),))


def _id(thing: Json) -> str | None:
    return text(mapping(thing).get("id"), 256)


def _named(thing: Json) -> str | None:
    return text(mapping(thing).get("name"), 256)
