"""Answers: the records of a describe or list answer, and what is said of the thing that each is.

    answer -> records -> Thing -> one Event that declares it, and one for each check it answers

An answer is one record, a list, an object with lists by name, or pages of such.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.entity import Entity
from schemas.event import Edge, Event, EventEvidence
from schemas.times import rfc3339
from streams.described.checks import CHECKS
from streams.records.clocks import clock
from streams.records.untrusted import decode, distinct, listing, mapping, plain, slices, text
from streams.reports.listed import Listing, listed
from streams.reports.scans import Found, Scan, finding
from streams.source import Json, Parsed, Raw, Unreadable

THINGS: Final = (5023, "Cloud Resources Inventory Info")
PEOPLE: Final = (5003, "User Inventory Info")
CATEGORIES: Final = frozenset(
    {
        "application_security_posture_finding",
        *("cloud_resources_inventory_info", "user_inventory_info"),
    }
)
ATTRIBUTES: Final = frozenset(
    """
    asset.created asset.data asset.encrypted asset.environment asset.exposure asset.last_used
    asset.location asset.model_data asset.network_isolated asset.owner asset.region asset.role
    asset.size asset.state asset.status asset.type asset.version check.id check.resource scan.tool
    time.unknown
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_LIMITS: Final = Limits()
_LEVELS: Final = 5  # lists in pages in lists
_MOST: Final = 256  # tags of one thing
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
# How people call the tags and labels that say whose a thing is, and what is in it.
_TAGS: Final = {
    "data-class": "data",
    "data-classification": "data",
    "dataclassification": "data",
    "env": "environment",
    "environment": "environment",
    "owned-by": "owner",
    "owner": "owner",
    "owner-email": "owner",
    "stage": "environment",
    "team": "owner",
}


class Thing(NamedTuple):
    """What a record describes.

    `about`: the thing first, then what hangs on it. `sort`: what its vendor calls it. `said`: its
    `asset.` attributes without that prefix; None says nothing. `times`: when it was made, changed,
    used; the latest counts, the first is its making. `checks`: which of CHECKS it fails (True) and
    passes (False); None where the record does not say.
    """

    about: tuple[Entity | None, ...]
    sort: str
    edges: Iterable[Edge] = ()
    said: Mapping[str, Json] = MappingProxyType({})
    times: tuple[Json, ...] = ()
    checks: Mapping[str, bool | None] = MappingProxyType({})
    kind: tuple[int, str] = THINGS
    gone: bool = False


class Context(NamedTuple):
    """The name of the list that holds a record, empty of none; `check`: what is told of it."""

    within: str
    check: str | None = None


Reader = Callable[[dict[str, Json], str], Thing | None]


def split(document: bytes, read: Reader, lists: Collection[str]) -> Iterator[Raw]:
    """The things of an answer, each followed by the checks that it answers, the oldest first.

    An answer lists them by name; here they are in the order of their times, so that none is late.
    `lists` are the names of the lists and objects that hold records. Raises Unreadable.
    """
    found = _records(document.strip(), "", lists, _LEVELS)
    told = [_told(within, data, read) for within, data in found]
    told.sort(key=lambda one: one[0])
    return (raw for _, raws in told for raw in raws)


def event(name: str, raw: Raw, record: Json, evidence: EventEvidence, read: Reader) -> Parsed:
    """The Event of a thing of the source `name`, or of a check. Raises Unreadable: wrong-shape."""
    context = raw.context if isinstance(raw.context, Context) else Context("")
    if not isinstance(record, dict):
        raise Unreadable("wrong-shape", "a thing is an object")
    thing = read(mapping(record), context.within)
    if thing is None or not distinct(thing.about):
        raise Unreadable("wrong-shape", "it describes nothing that an AI estate is made of")
    asset = distinct(thing.about)[0]
    at = _at(thing)
    if context.check is not None:
        return Parsed(_checked(name, asset, at, thing, context.check, evidence), {})
    said: dict[str, Json] = {
        "type": thing.sort,
        "created": rfc3339(made) if (made := _time(next(iter(thing.times), None))) else None,
        "state": "deleted" if thing.gone else None,
        **thing.said,
    }
    if used := _time(said.get("last_used")):
        said["last_used"] = rfc3339(used)
    edges = () if thing.gone else tuple(thing.edges)
    told = listed(
        Listing(name, at, (context.within,)),
        (*thing.about, *(end for one in edges for end in (one.from_, one.to))),
        evidence,
        f"{thing.sort} {asset.name or asset.id}",
        edges=edges,
        attributes={f"asset.{key}": plain(one) for key, one in said.items()},
        kind=thing.kind,
    )
    return Parsed(told, {})


def tagged(*tags: Json) -> dict[str, Json]:
    """Owner, environment and class of data, as tags or labels say them."""
    found: dict[str, Json] = {}
    for key, value in (pair for one in tags for pair in _pairs(one)):
        name = _TAGS.get((text(key, 64) or "").lower().replace("_", "-"))
        known = text(value, 256)
        if name is not None and known is not None:
            found.setdefault(name, known.lower() if name == "data" else known)
    return found


def no(value: Json) -> bool | None:
    """True of a switch that is off, False of one that is on, None of what is no switch."""
    return None if not isinstance(value, bool) else not value


def yes(value: Json) -> bool | None:
    """True of a switch that is on, False of one that is off, None of what is no switch."""
    return value if isinstance(value, bool) else None


def word(value: Json, *bad: str) -> bool | None:
    """True if a word is one of the bad ones, in small letters; None where there is none."""
    known = text(value, 64)
    return None if known is None else known.lower() in bad


def _checked(
    name: str, asset: Entity, at: int, thing: Thing, of: str, evidence: EventEvidence
) -> Event:
    title, level = CHECKS[of]
    row = Found(
        "posture",
        of,
        f"{title}: {thing.sort} {asset.name or asset.id}"[:256],
        level,
        closed=thing.gone or not thing.checks.get(of),
        attributes={"check.id": of, "check.resource": thing.sort},
    )
    return finding(Scan(name, name, asset, at), row, evidence)


def _told(within: str, data: bytes, read: Reader) -> tuple[int, list[Raw]]:
    """The time of a record, and what it gives."""
    raws = [Raw(data, Context(within))]
    try:
        record = decode(data, _LIMITS)
        thing = read(mapping(record), within) if isinstance(record, dict) else None
    except Unreadable:  # it is a record all the same, and will be rejected as one
        return 0, raws
    if thing is None or not distinct(thing.about):
        return 0, raws
    said = [of for of, failed in thing.checks.items() if failed is not None]
    return _at(thing), raws + [Raw(data, Context(within, of)) for of in said]


def _at(thing: Thing) -> int:
    """The latest of its times; 0 where none can be read."""
    return max(map(_time, thing.times), default=0)


def _records(
    data: bytes, within: str, lists: Collection[str], left: int
) -> Iterator[tuple[str, bytes]]:
    if data.startswith(b"[") and left:
        for one in slices(data, _LIST):
            yield from _records(bytes(one), within, lists, left - 1)
        return
    if data.startswith(b"{") and left:
        held = {name: bytes(one) for name, one in slices(data, _OBJECT).items() if name in lists}
        inside = {name: one for name, one in held.items() if one[:1] in {b"[", b"{"}}
        if inside:
            for name, part in inside.items():
                yield from _records(part, name, lists, left - 1)
            return
    yield within, data


def _pairs(tags: Json) -> Iterator[tuple[Json, Json]]:
    yield from list(mapping(tags).items())[:_MOST]
    for one in map(mapping, listing(tags)[:_MOST]):
        yield one.get("Key") or one.get("key"), one.get("Value") or one.get("value")


def _time(value: Json) -> int:
    """Microseconds; 0 of what says no time: a thing of a wrong time is still there."""
    try:
        return clock(value)
    except Unreadable:
        return 0
