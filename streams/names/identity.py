"""Identity: who is behind a call in AWS, how that is known, and how sure.

    principal -assumes-> role session -owns-> apikey
                              |--carries-> agent session
    person    -assumes-> ----'

`identity.link` says what ties a call to more than a role. It is the first of these that holds:

    user              an IAM user, the root user or a federated user called: that is who
    role_session      the name of the role session, or its source identity, tells who or which run
    request_metadata  the metadata of the request names a user, session, agent or application
    trace             a trace id leads to the spans of whoever called
    role_only         only the role is known: any of its sessions may have called
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from schemas.entity import Entity, principal
from schemas.event import Edge
from streams.records.untrusted import edge, entity, mapping, secret, text
from streams.source import Json

Link = Literal["user", "role_session", "request_metadata", "trace", "role_only"]

# What SDKs, services and machines call their sessions: it tells nobody and no run.
_NAMELESS: Final = re.compile(
    r"(?:aws-?(?:cli|sdk|go|java|ruby|php|js|config)|boto|botocore|assumerole|default|session)"
    r"[\w.=@+-]{0,48}|i-[0-9a-f]{8,17}|[0-9._-]{6,}|[0-9a-f]{8}-?[0-9a-f-]{8,27}|[0-9a-f]{16,64}",
    re.IGNORECASE,
)
_MAIL: Final = re.compile(r"[^@\s/]{1,64}@[^@\s/]{1,190}\.[A-Za-z]{2,24}")
# Keys of the metadata of a request, without case and marks -> what they name.
_METADATA: Final = {
    "enduser.id": ("user", "userid", "username", "useremail", "email", "enduser", "enduserid"),
    "gen_ai.agent.id": ("agent", "agentid", "agentname"),
    "gen_ai.conversation.id": (
        *("session", "sessionid", "conversation", "conversationid", "thread", "threadid"),
    ),
    "service.name": ("app", "appid", "appname", "application", "applicationname", "service"),
    "trace.id": ("trace", "traceid", "xamzntraceid"),
}
_KEYS: Final = {key: name for name, keys in _METADATA.items() for key in keys}
_PAIRS: Final = 16  # as many as Bedrock takes
_LONG: Final = 64  # characters of a key
# What a coding agent writes as the user of its requests: `user_<hash>_account_.._session_<uuid>`.
_OF_CODING: Final = re.compile(r"_session_([0-9a-f-]{32,36})\Z")
# How sure a link is. A source identity cannot be changed by who assumes a role, and whoever lets
# roles be assumed can insist on it; a session name is free text of the caller, as is metadata.
_OF_SOURCE_IDENTITY: Final = 0.95
_OF_SESSION_NAME: Final = 0.7
_OF_METADATA: Final = 0.6


class Caller(NamedTuple):
    """What an ARN tells: the link that it makes, its role session, and the person behind that."""

    link: Link
    session: Entity | None = None
    person: Entity | None = None
    confidence: float = 1.0


def caller(arn: Json, source_identity: Json = None) -> Caller:
    """The caller by that ARN, perhaps with the source identity of its session."""
    return _caller(text(arn, 512) or "", text(source_identity, 128))


@lru_cache(maxsize=8_192)  # the same few call again and again
def _caller(known: str, source: str | None) -> Caller:
    parts = known.split(":", 5)
    kind, _, path = parts[5].partition("/") if len(parts) == 6 else ("", "", "")
    if kind in ("user", "root", "federated-user"):
        return Caller("user")
    name = path.partition("/")[2]
    if kind != "assumed-role" or not (source or (name and not _NAMELESS.fullmatch(name))):
        return Caller("role_only")
    session = entity("session", known, name)
    if source:
        return Caller("role_session", session, _person(source), _OF_SOURCE_IDENTITY)
    return Caller("role_session", session, mailed(name), _OF_SESSION_NAME)


def mailed(name: Json) -> Entity | None:
    """The person whose e-mail address that is."""
    known = text(name, 256)
    return entity("principal", known.lower()) if known and _MAIL.fullmatch(known) else None


def link(who: Caller, told: Mapping[str, Json]) -> Link:
    """The first word that holds; `told` is what the metadata of the request says."""
    if who.link != "role_only":
        return who.link
    if _METADATA.keys() & told.keys() - {"trace.id"}:
        return "request_metadata"
    return "trace" if "trace.id" in told else "role_only"


def chain(
    who: Caller,
    principal: Entity | None,
    key: Entity | None = None,
    agent_session: Entity | None = None,
) -> Iterator[Edge]:
    """From the principal over its role session to its key and the session of an agent."""
    session = who.session
    if session is not None:
        if principal is not None:
            yield edge(principal, "assumes", session)
        if who.person is not None:
            yield edge(who.person, "assumes", session, confidence=who.confidence)
        if key is not None:
            yield edge(session, "owns", key)
    holder = session or principal
    if agent_session is not None and holder is not None:
        yield edge(holder, "carries", agent_session, confidence=_OF_METADATA)


def assumed(actor: Entity | None, answered: Json) -> Iterator[Edge]:
    """What the answer of AssumeRole tells: who has which session of the role, by which key."""
    said = mapping(answered)
    arn = text(mapping(said.get("assumedRoleUser")).get("arn"), 512)
    session = entity("session", arn, (arn or "").rpartition("/")[2])
    if arn is None or session is None:
        return
    yield edge(principal(arn), "assumes", session)
    if actor is not None:
        yield edge(actor, "assumes", session)
    key = entity("apikey", mapping(said.get("credentials")).get("accessKeyId"))
    if key is not None:
        yield edge(session, "owns", key)


def metadata(pairs: Json, user: Json = None) -> dict[str, Json]:
    """What the metadata of a request names, as attributes, and all of it that is no secret.

    `user` is the user that the body of an Anthropic model names.
    """
    told: dict[str, Json] = {}
    found: dict[str, Json] = {}
    for key, value in list(mapping(pairs).items())[:_PAIRS]:
        known = text(value, 256)
        if known is None or secret(known):
            continue
        told[key[:256]] = known
        name = _named(key) if len(key) <= _LONG else _name(key)
        if name is not None:
            found.setdefault(name, known)
    session = _OF_CODING.search(text(user, 512) or "")
    if session is not None:
        found.setdefault("gen_ai.conversation.id", session[1])
    return found | ({"aws.bedrock.request_metadata": told} if told else {})


def _name(key: str) -> str | None:
    return _KEYS.get(re.sub(r"[^a-z]", "", key.lower()))


_named: Final = lru_cache(maxsize=1_024)(_name)  # an application has its few keys


def _person(source_identity: str) -> Entity | None:
    return entity("principal", source_identity.lower())
