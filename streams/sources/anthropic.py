"""Anthropic compliance activity feed: who did what with Claude, its keys, projects and connectors.

Read are pages of the activity feed (`{"data": [...], "has_more": ...}`), a list of activities, and
one activity alone. Every type is read, known or not: a type is a word and its things are in keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity, Kind
from schemas.event import Client, Edge, Event, EventEvidence
from schemas.times import HOUR
from streams.names import mcp
from streams.records import envelope
from streams.records.untrusted import distinct, edge, entity, listing, mapping, moment, number, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "anthropic"
TITLE: Final = "Anthropic compliance activity feed"
LOGSOURCE: Final = Logsource(product="anthropic", service="activity")
LATENESS: Final = HOUR  # it is asked for, mostly once in some minutes
VERSIONS: Final = "compliance API of 2026-03 (revision I) to 2026-09"
GAPS: Final = (
    "Chats, files and projects that the content endpoints of the API give are not read.",
    "A connector is known by its id where the activity says no URL.",
    "A sign-in that went well is kept only where a rule for Anthropic's log asks for it.",
)
CATEGORIES: Final = frozenset({"api_activity", "authentication"})
ATTRIBUTES: Final = frozenset(
    """
    anthropic.actor.type anthropic.artifact.id anthropic.audience anthropic.directory.id
    anthropic.enabled anthropic.file.id anthropic.resource.id anthropic.resource.type anthropic.role
    anthropic.target.type api.operation api.service asset.state cloud.account.id
    gen_ai.conversation.id gen_ai.provider.name user.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)

# Keys of an activity -> what they name, the first of a kind that is there.
_KEYS: Final[tuple[tuple[str, Kind], ...]] = (
    ("admin_api_key_id", "apikey"),
    ("api_key_id", "apikey"),
    ("scoped_api_key_id", "apikey"),
    ("service_key_id", "apikey"),
    ("skill_id", "skill"),
    ("platform_skill_id", "skill"),
    ("agent_id", "agent"),
    ("platform_agent_id", "agent"),
    ("claude_chat_id", "session"),
    ("session_id", "session"),
    ("memory_store_id", "datastore"),
    ("claude_project_id", "application"),
    ("workspace_id", "account"),
)
_NAMES: Final = {"skill": "skill_name", "agent": "agent_name", "application": "project_name"}
# Whom it is about, by e-mail where that is said.
_WHOM: Final = ("deleted_user_email", "invited_email", "deleted_user_id")
_LOGINS: Final = ("_login_succeeded", "_login_failed", "_login_initiated", "_logged_out")
_FAILED: Final = ("_failed", "_blocked", "_rejected", "_invalid")
_ENDED: Final = ("_deleted", "_revoked", "_disconnected", "_archived")
# What a type is about, in its words before those: a version, a file, a rate limit is only a part.
_WORDS: Final[dict[Kind, tuple[str, ...]]] = {
    "agent": ("agent",),
    "apikey": ("api_key", "service_key"),
    "application": ("claude_project",),
    "datastore": ("memory_store",),
    "mcp_server": ("mcp_server", "integration_user"),
    "session": ("claude_chat", "session"),
    "skill": ("skill",),
}
_STARTED: Final = ("_created", "_connected", "_replaced")
_PEOPLE: Final = frozenset({"member", "organization_member", "user"})


# A sign-in says nothing of what is done with AI then; one that failed is kept.
_ORDINARY: Final = frozenset(
    {
        *("magic_link_login_initiated", "magic_link_login_succeeded", "social_login_succeeded"),
        *("sso_login_initiated", "sso_login_succeeded", "user_logged_out"),
    }
)


def _uid(record: Json, sha256: str) -> str:
    return text(mapping(record).get("id"), 128) or sha256


NARROW: Final = Narrow(time="created_at", relevant={}, ordinary={"type": _ORDINARY}, uid=_uid)


def sniff(head: bytes) -> bool:
    """An activity has an actor of a type that only these have, or ids of its own kind."""
    if b'"created_at"' not in head or b'"actor"' not in head:
        return False
    actors = (b'_actor"', b'"activity_', b'"claude_chat_id"')
    return b'"organization_id"' in head and any(mark in head for mark in actors)


def split(document: bytes) -> Iterator[Raw]:
    """The activities of a page, of a list, or the one activity."""
    return envelope.records(document, "data")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One activity."""
    said = mapping(record)
    kind = text(said.get("type"), 128)
    if kind is None or not isinstance(said.get("actor"), dict):
        raise Unreadable("wrong-shape", "an activity has `type` and `actor`")
    time = moment(said.get("created_at"))
    who = mapping(said.get("actor"))
    actor = _actor(who)
    organisation = entity("account", said.get("organization_id") or said.get("organization_uuid"))
    targets = _targets(said)
    address, agent = text(who.get("ip_address"), 256), text(who.get("user_agent"), 512)
    login = kind.endswith(_LOGINS)
    person = actor if actor is not None and actor.kind == "principal" else None
    return Parsed(
        Event(
            uid=_uid(said, evidence.sha256),
            time=time,
            source=NAME,
            class_uid=3002 if login else 6003,
            class_name="Authentication" if login else "API Activity",
            activity=kind,
            status="failure" if kind.endswith(_FAILED) or _refused(said) else "success",
            message=kind + (f" by {actor.id}" if actor else ""),
            actor=actor,
            client=Client(ip=address, user_agent=agent) if address or agent else None,
            entities=distinct((*targets, actor, organisation))
            or distinct((entity("account", "anthropic"),)),
            edges=tuple(_edges(kind, targets, person, organisation)),
            attributes={
                key: value
                for key, value in _attributes(said, kind, who).items()
                if value is not None
            }
            | ({"asset.state": "deleted"} if _gone(kind, targets) else {}),
            evidence=evidence,
        ),
        {},
    )


def _refused(said: dict[str, Json]) -> bool:
    code = number(said.get("status_code"))  # of a call of the compliance API itself
    return code is not None and code >= 400


def _actor(who: dict[str, Json]) -> Entity | None:
    """A person by e-mail, else a key, a service account, a directory or a process by its id."""
    mail = text(who.get("email_address") or who.get("unauthenticated_email_address"), 256)
    key = entity("apikey", who.get("api_key_id") or who.get("admin_api_key_id"))
    ids = (who.get(name) for name in ("user_id", "service_account_id", "service", "directory_id"))
    other = next((one for value in ids if (one := text(value, 256))), None)
    if mail is None and other is None and key is None and who.get("type") == "anthropic_actor":
        other = "anthropic"
    return entity("principal", mail.lower()) if mail else key or entity("principal", other)


def _targets(said: dict[str, Json]) -> list[Entity]:
    found: list[Entity] = []
    url, title = said.get("mcp_server_url"), said.get("mcp_server_name")
    server = mcp.server(url=url, title=title) if url or title else None
    number = text(said.get("mcp_server_id"), 256)
    if server is not None and text(url) is None and number:
        server = entity("mcp_server", number, title)
    found += [one for one in (server or entity("mcp_server", number),) if one]
    tool = text(said.get("tool_name"), 128)
    if tool and found:
        found[:0] = [one for one in (entity("tool", f"{found[0].id}/{tool}", tool),) if one]
    for key, kind in _KEYS:
        if key in said and all(one.kind != kind for one in found):
            found += [
                one for one in (entity(kind, said.get(key), said.get(_NAMES.get(kind, ""))),) if one
            ]
    if text(said.get("target_type"), 64) in _PEOPLE:
        found += [one for one in (entity("principal", said.get("target_id")),) if one]
    whom = next(filter(None, (text(said.get(key), 256) for key in _WHOM)), None)
    found += [one for one in (entity("principal", whom and whom.lower()),) if one]
    return found


def _edges(
    kind: str, targets: list[Entity], person: Entity | None, organisation: Entity | None
) -> Iterator[Edge]:
    """Keys that are made belong to who made them; connectors and skills to the organisation."""
    ended = kind.endswith(_ENDED)
    if not targets or not (ended or kind.endswith(_STARTED)):
        return
    first = targets[0]
    if ended and not _about(kind, first):
        return
    if first.kind == "apikey" and person is not None:
        yield edge(person, "owns", first, declared=True, ended=ended)
    if first.kind in ("mcp_server", "skill"):
        user = person if kind.startswith("integration_user") else organisation
        if user is not None:
            yield edge(user, "uses", first, declared=True, ended=ended)


def _about(kind: str, thing: Entity) -> bool:
    """True if the type is about the thing as a whole: `claude_skill_deleted` about a skill."""
    return kind.rpartition("_")[0].endswith(_WORDS.get(thing.kind, ()))


def _gone(kind: str, targets: list[Entity]) -> bool:
    """A connector that an organisation lets go is there for others."""
    if not targets or targets[0].kind == "mcp_server" or not _about(kind, targets[0]):
        return False
    revoked = targets[0].kind == "apikey" and kind.endswith("_revoked")
    return kind.endswith("_deleted") or revoked


def _attributes(said: dict[str, Json], kind: str, who: dict[str, Json]) -> dict[str, Json]:
    enabled = said.get("is_enabled")
    audience = [text(mapping(one).get("type"), 64) for one in listing(said.get("audience"))[:32]]
    return {
        "anthropic.actor.type": text(who.get("type"), 64),
        "anthropic.artifact.id": text(said.get("claude_artifact_id"), 128),
        "anthropic.audience": [one for one in audience if one] or None,
        "anthropic.directory.id": text(who.get("directory_id"), 128),
        "anthropic.enabled": enabled if isinstance(enabled, bool) else None,
        "anthropic.file.id": text(said.get("claude_file_id"), 128),
        "anthropic.resource.id": text(said.get("resource_id"), 256),
        "anthropic.resource.type": text(said.get("resource_type"), 128),
        "anthropic.role": text(said.get("role") or said.get("new_role"), 128),
        "anthropic.target.type": text(said.get("target_type"), 128),
        "api.operation": kind,
        "api.service": "api.anthropic.com",
        "cloud.account.id": text(said.get("organization_id"), 128),
        "gen_ai.conversation.id": text(said.get("claude_chat_id"), 128),
        "gen_ai.provider.name": "anthropic",
        "user.id": text(who.get("user_id"), 128),
    }
