"""Listed: the Event of a thing that a bill, a configuration or a catalogue lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from schemas.canonical import digest
from schemas.entity import Entity
from schemas.event import Edge, Event, EventEvidence
from streams.records.untrusted import distinct
from streams.source import Json

SOFTWARE: Final = (5020, "Software Inventory Info")
CALL: Final = (6003, "API Activity")  # a scanner that asked a server what it offers
INTEL: Final = (5021, "OSINT Inventory Info")


class Listing(NamedTuple):
    """What holds for all things of a list. Time 0: it does not say when, and holds from 1970 on.

    `identity` tells lists of one source and time apart that hold the same bytes.
    """

    source: str
    time: int
    identity: tuple[Json, ...] = ()


def listed(
    listing: Listing,
    about: Iterable[Entity | None],
    evidence: EventEvidence,
    message: str,
    *,
    edges: Iterable[Edge] = (),
    attributes: Mapping[str, Json] | None = None,
    kind: tuple[int, str] = SOFTWARE,
    activity: str = "Collect",
) -> Event:
    """The Event of what is listed, `about` it first; attributes of None are left out."""
    class_uid, class_name = kind
    known = distinct(about)
    kept = {**(attributes or {}), "time.unknown": None if listing.time else True}
    key = known[0].key if known else None
    return Event(
        uid=digest(listing.source, *listing.identity, listing.time, key, evidence.sha256),
        time=listing.time,
        source=listing.source,
        class_uid=class_uid,
        class_name=class_name,
        activity=activity,
        status="success",
        message=message,
        entities=known,
        edges=tuple(edges),
        attributes={name: value for name, value in kept.items() if value is not None},
        evidence=evidence,
    )
