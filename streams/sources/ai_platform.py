"""AI platforms: people, projects and keys, as the admin APIs of OpenAI and Anthropic list them.

Read are answers of OpenAI's administration API (users, projects, their members, service accounts,
project and admin keys) and of Anthropic's Admin API (users, workspaces, their members, keys): pages
(`data`), lists, single objects, NDJSON. A key itself is never kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import Edge, EventEvidence
from schemas.times import DAY
from streams.records.clocks import clock
from streams.records.envelope import records
from streams.records.untrusted import edge, entity, mapping, text
from streams.reports.listed import Listing, listed
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "ai_platform"
TITLE: Final = "Admin APIs of AI platforms"
LOGSOURCE: Final = Logsource(product="ai_platform")
LATENESS: Final = DAY  # lists are fetched now and then
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"cloud_resources_inventory_info", "user_inventory_info"})
ATTRIBUTES: Final = frozenset({"asset.role", "asset.state", "asset.status", "time.unknown"})
VERSIONS: Final = "OpenAI administration API v1 and Anthropic Admin API v1, of 2026"
GAPS: Final = (
    "A list says what there is, not when it was fetched: a thing has the time of its last change.",
    "What a list no longer names is not ended by it.",
    "A list of members does not say of which project; with `project_id` beside each it is read.",
)

_OPENAI: Final = re.compile(
    rb'"object"\s*:\s*"(?:object: )?organization\.(?:admin_api_key|project|service_account|user)\b'
)
_PEOPLE: Final = (5003, "User Inventory Info")
_THINGS: Final = (5023, "Cloud Resources Inventory Info")
_GONE: Final = frozenset({"archived", "deleted"})
_TIMES: Final = ("archived_at", "last_used_at", "created_at", "added_at")


class Told(NamedTuple):
    """What an object is: the thing first, then what hangs on it."""

    about: tuple[Entity | None, ...]
    edges: tuple[Edge, ...] = ()
    kind: tuple[int, str] = _THINGS


def sniff(head: bytes) -> bool:
    """OpenAI names its objects, Anthropic its types; each with an id of its own form."""
    if _OPENAI.search(head):
        return True
    ours = (b'"workspace_member"', b'"workspace"', b'"api_key"', b'"user"')
    named = any(mark in head for mark in (b'"wrkspc_', b'"user_', b'"apikey_'))
    listed_ = b'"added_at"' in head or b'"display_color"' in head or b'"partial_key_hint"' in head
    return named and (listed_ or b'"workspace_role"' in head) and any(one in head for one in ours)


def split(document: bytes) -> Iterator[Raw]:
    """The objects of a page, a list, or one alone."""
    return records(document, "data")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One user, project, membership or key."""
    said = mapping(record)
    kind = (text(said.get("object"), 64) or text(said.get("type"), 64) or "").rpartition(" ")[2]
    read = _KINDS.get(kind)
    if read is None:
        raise Unreadable("wrong-shape", "an object is a user, project, workspace, member or key")
    found = read(said)
    if found.about[0] is None:
        raise Unreadable("wrong-shape", f"a {kind} has an id")
    times = [clock(said[name]) for name in _TIMES if said.get(name)]
    status = text(said.get("status"), 32)
    gone = said.get("archived_at") or (status or "").lower() in _GONE
    kept: dict[str, Json] = {
        "asset.role": text(said.get("role") or said.get("workspace_role"), 64),
        "asset.status": status,
        "asset.state": "deleted" if gone else None,
    }
    message = f"{kind} {text(said.get('name'), 256) or found.about[0].id}"
    listing = Listing(NAME, max(times, default=0), (kind,))
    return Parsed(
        listed(
            listing,
            found.about,
            evidence,
            message,
            edges=() if gone else found.edges,
            attributes=kept,
            kind=found.kind,
        ),
        {},
    )


def _person(said: dict[str, Json]) -> Told:
    """By e-mail where there is one; keys name their owners by number: two ids of one."""
    mail = text(said.get("email"), 256)
    number = entity("principal", said.get("id") or said.get("user_id"), said.get("name"))
    person = entity("principal", mail.lower(), said.get("name")) if mail else number
    edges = [edge(person, "same_as", number, declared=True)] if person and mail and number else []
    project = entity("account", said.get("project_id") or said.get("workspace_id"))
    if person and project:
        edges.append(edge(person, "member_of", project, declared=True))
    return Told((person, number, project), tuple(edges), _PEOPLE)


def _project(said: dict[str, Json]) -> Told:
    return Told((entity("account", said.get("id"), said.get("name")),))


def _key(said: dict[str, Json]) -> Told:
    held = mapping(said.get("owner")) or mapping(said.get("created_by"))
    inner = mapping(held.get("user")) or mapping(held.get("service_account")) or held
    key = entity("apikey", said.get("id"), said.get("name"))
    number = entity("principal", inner.get("id"), inner.get("name"))
    mail = text(inner.get("email"), 256)
    owner = entity("principal", mail.lower(), inner.get("name")) if mail else number
    project = entity("account", said.get("project_id") or said.get("workspace_id"))
    edges: list[Edge] = []
    if owner and number and mail:
        edges.append(edge(owner, "same_as", number, declared=True))
    if key and owner:
        edges.append(edge(owner, "owns", key, declared=True))
    if key and project:
        edges.append(edge(project, "hosts", key, declared=True))
    return Told((key, owner, project), tuple(edges))


_KINDS: Final[dict[str, Callable[[dict[str, Json]], Told]]] = {
    "api_key": _key,
    "organization.admin_api_key": _key,
    "organization.project": _project,
    "organization.project.api_key": _key,
    "organization.project.service_account": _person,
    "organization.project.user": _person,
    "organization.user": _person,
    "user": _person,
    "workspace": _project,
    "workspace_member": _person,
}
