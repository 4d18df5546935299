"""Mapped: the source that a mapping describes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, cast

import msgspec
import orjson

from schemas.canonical import digest
from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import KINDS, Entity, Kind, image, principal
from schemas.event import (
    LEVELS,
    Client,
    Edge,
    Event,
    EventEvidence,
    ScanFinding,
    Status,
)
from streams.mapping.classes import CLASSES, SAID
from streams.mapping.moments import Format
from streams.mapping.terms import Each, Path, Place, Term, written
from streams.records.envelope import records
from streams.records.untrusted import (
    MOST,
    decode,
    distinct,
    edge,
    entity,
    mapping,
    plain,
    secret,
    slices,
    text,
)
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_LIMITS: Final = Limits()
_SHORT: Final = 64 * 1024  # bytes of a value beside the records that is kept for them
_STATUS: Final = frozenset({"success", "failure", "unknown"})
_RESOLVED: Final = frozenset({"resolved", "closed", "fixed"})


class Thing(NamedTuple):
    """An entity, or one for each element of a list."""

    kind: Term
    id: Term
    name: Term
    each: Each = Each()

    def of(self, place: Place) -> Iterator[Entity]:
        """Those that the record names."""
        for here in self.each.of(place):
            found = self._one(here)
            if found is not None:
                yield found

    def _one(self, place: Place) -> Entity | None:
        kind, identity = self.kind.of(place), written(self.id.of(place))
        if kind not in KINDS or not identity:
            return None
        name = written(self.name.of(place)) or None
        if kind == "image":
            found = image(identity)
            return entity("image", found.id, name or found.name)
        if kind == "principal" and identity.startswith("arn:"):
            return principal(identity)
        if kind == "host" or (kind == "principal" and "@" in identity):
            identity = identity.lower()  # as all sources name them: people by mail, and hosts
        return entity(cast("Kind", kind), identity, name)


class Link(NamedTuple):
    """An edge between things, each by its name in the mapping or described where it stands."""

    source: Thing | str
    relation: Term
    target: Thing | str
    declared: Term = Term()
    ended: Term = Term()
    each: Each = Each()

    def of(self, place: Place, made: dict[str, list[Entity]]) -> Iterator[Edge]:
        """Those of a record; of several things each with each."""
        for here in self.each.of(place):
            relation = text(self.relation.of(here), 64)
            if relation is None:
                continue
            declared, ended = self.declared.of(here) is True, self.ended.of(here) is True
            for one in _things(self.source, here, made):
                for other in _things(self.target, here, made):
                    if one != other:
                        yield edge(one, relation, other, declared=declared, ended=ended)


class Mapping(NamedTuple):
    """What a mapping says; fields are as in docs/generic-source.md."""

    name: str
    title: str
    logsource: Logsource
    lateness: int
    keys: tuple[Path, ...]
    records: Path | None
    uid: Term
    time: Term
    format: Format
    class_: Term
    activity: Term
    status: Term
    severity: Term
    message: Term
    actor: Thing | None
    client: dict[str, Term]
    entities: dict[str, Thing]
    edges: tuple[Link, ...]
    finding: dict[str, Term]
    attributes: dict[str, Term]
    private: dict[str, Term]


class Mapped:
    """A Source (streams.source) made of a Mapping."""

    def __init__(self, said: Mapping) -> None:
        self.NAME, self.TITLE = said.name, said.title
        self.LOGSOURCE, self.LATENESS = said.logsource, said.lateness
        self.NARROW: Narrow | None = None
        self.ATTRIBUTES = frozenset({*said.attributes, *said.private})
        self._said = said
        # Text of a record, unless its writer escapes letters: then name the source.
        self._sniffed = [b'"%b"' % str(one.steps[-1]).encode() for one in said.keys]

    def sniff(self, head: bytes) -> bool:
        """True if all keys of the mapping stand in it; without keys it is never known by itself."""
        return bool(self._sniffed) and all(key in head for key in self._sniffed)

    def split(self, document: bytes) -> Iterator[Raw]:
        """The records of a document, where the mapping says that they lie."""
        if self._said.records is None:
            return records(document)
        return self._inside(document, self._said.records)

    def _inside(self, document: bytes, path: Path) -> Iterator[Raw]:
        data, around = document, dict[str, Json]()
        for number, step in enumerate(path.steps):
            if isinstance(step, int):
                held = slices(data, _LIST)
                found = held[step] if step < len(held) else None
            else:
                members = slices(data, _OBJECT)
                found = members.get(step)
                if found is None and number == 0 and self._alone(members):
                    return iter((Raw(data.strip()),))
                around = around if number else _beside(members, step)
            if found is None:
                raise Unreadable("wrong-shape", f"there is no `{step}` where the records should be")
            data = bytes(found)
        if not data.startswith(b"["):
            return iter((Raw(data, around),))
        return (Raw(bytes(one), around) for one in slices(data, _LIST))

    def _alone(self, members: dict[str, msgspec.Raw]) -> bool:
        """True if the document is a record itself: it has all keys that a record has."""
        keys = self._said.keys
        return bool(keys) and all(one.steps[0] in members for one in keys)

    def event(self, raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
        """What a record says by the mapping. Raises Unreadable."""
        said = self._said
        if not isinstance(record, dict):
            raise Unreadable("wrong-shape", "a record is an object")
        place = Place(record, record, raw.context if raw.context is not None else record)
        for key in said.keys:
            if key.of(place) is None:
                raise Unreadable("wrong-shape", f"the record has no `{key.steps[-1]}`")
        time = said.format.micros(said.time, place)
        made = {name: list(thing.of(place)) for name, thing in said.entities.items()}
        actor = next(said.actor.of(place), None) if said.actor is not None else None
        if actor is not None:
            made.setdefault("actor", [actor])
        class_uid, class_name = self._class(place)
        about = distinct(one for name in said.entities for one in made[name])[:MOST]
        finding = self._finding(place, about)
        severity = written(said.severity.of(place)).lower()
        status = written(said.status.of(place)).lower()
        event = Event(
            uid=text(said.uid.of(place), 512) or digest(said.name, time, evidence.sha256),
            time=time,
            source=said.name,
            class_uid=class_uid,
            class_name=class_name,
            activity=text(said.activity.of(place), 256) or "Other",
            status=cast("Status", status) if status in _STATUS else "unknown",
            severity=severity if severity in LEVELS else "informational",
            message=text(said.message.of(place), 1024) or "",
            actor=actor,
            client=self._client(place),
            entities=about,
            edges=tuple(one for link in said.edges for one in link.of(place, made))[:MOST],
            finding=finding,
            attributes=dict(_kept(said.attributes, place)),
            evidence=evidence,
        )
        private = {name: term.of(place) for name, term in said.private.items()}
        return Parsed(event, {name: value for name, value in private.items() if value is not None})

    def _class(self, place: Place) -> tuple[int, str]:
        said = written(self._said.class_.of(place))
        name = SAID.get(said.lower())
        if name is None:
            raise Unreadable("wrong-shape", f"`class`: {said[:64]!r} is no class that is known")
        return CLASSES[name]

    def _client(self, place: Place) -> Client | None:
        said = {name: text(term.of(place), 512) for name, term in self._said.client.items()}
        return Client(**said) if any(said.values()) else None

    def _finding(self, place: Place, about: tuple[Entity, ...]) -> ScanFinding | None:
        said: dict[str, Any] = {n: written(t.of(place)) for n, t in self._said.finding.items()}
        of = said.get("vulnerability") or said.get("check")
        if not of and not said.get("title"):
            return None
        asset = about[0].key if about else None
        where = (said.get("package"), said.get("location"))
        state = "resolved" if said.pop("state", "").lower() in _RESOLVED else "open"
        uid = said.pop("uid", "") or digest(self._said.name, asset, of or said["title"], *where)
        kept = {name: value for name, value in said.items() if value}
        kept.setdefault("title", of)
        return ScanFinding(uid=uid, state=state, **kept)


def _things(said: Thing | str, place: Place, made: dict[str, list[Entity]]) -> list[Entity]:
    return made.get(said, []) if isinstance(said, str) else list(said.of(place))


def _beside(members: dict[str, msgspec.Raw], step: str) -> dict[str, Json]:
    """What a document says of all its records, where that is short."""
    return {
        name: decode(bytes(value), _LIMITS)
        for name, value in list(members.items())[:MOST]
        if name != step and len(bytes(value)) <= _SHORT
    }


def _kept(terms: dict[str, Term], place: Place) -> Iterator[tuple[str, Json]]:
    """Attributes, bounded; a text that seems to hold a credential is none."""
    for name, term in terms.items():
        value = term.of(place)
        inside = mapping(value).items() if name == "*" else ((name, value),)
        for key, one in list(inside)[:MOST]:
            kept = plain(one)
            if kept is not None and not secret(_dumped(kept)):
                yield key[:512], kept


def _dumped(value: Json) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
