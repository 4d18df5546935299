"""Resting: what a sighting rests on, put back for those that somebody shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from correlators.accumulator import Hit
from correlators.correlate import hits_of, told
from correlators.sightings import Below, Parts, Plain, Sighting, plain
from schemas.canonical import canonical, digest
from schemas.rows import Row
from schemas.topics import SIGNALS

Match = tuple[int, str]  # the place of a record, and a detection that matched it
About = Mapping[Match, Mapping[str, Any]]
# What matches bring to correlations (claims.hit). All at once: it reads the input again.
Look = Callable[[Iterable[Match]], About]


def matches(hit: Plain) -> Iterator[Match]:
    """What a hit rests on in the end."""
    _, _, place, names, _, more = hit
    if isinstance(more, Parts):
        for part in more.parts:
            yield from matches(part)
    elif more is not None:
        for lower in more.shown:
            yield from shown_matches(lower)
    else:
        yield place, names[0]


def shown_matches(hit: Hit) -> Iterator[Match]:
    """The same of a hit that is shown."""
    if isinstance(hit, Sighting):
        yield from matches(plain(hit))


def whole(hit: Hit, about: About, known: dict[Match, Hit]) -> Hit:
    """What the hit rests on, as Correlate would have made it of its rows.

    `known`: those of one match alone, whatever it counts as.
    """
    if not isinstance(hit, Sighting):
        return hit
    if hit.more is not None:
        return _made(plain(hit), about, known)
    match = hit.place, hit.names[0]
    made = known.get(match)
    if made is None:
        made = known[match] = _alone(hit, about.get(match) or _nothing(hit.id, hit.names[0]))
    return made


def _alone(hit: Hit, brought: Mapping[str, Any]) -> Hit:
    """As `_made` for one match, which is what most hits are."""
    return Hit(
        hit.time,
        hit.id,
        hit.names,
        hit.value,
        tuple(brought["signals"]),
        tuple(map(tuple, brought["evidence"])),
        tuple(dict.fromkeys(brought["entities"])),
        tuple(brought["families"]),
    )


def _made(hit: Plain, about: About, known: dict[Match, Hit]) -> Hit:
    rows: dict[str, Row] = {}
    for part in hit[5].parts if isinstance(hit[5], Parts) else (hit,):
        one = row(part, about, known)
        other = rows.get(one.id)
        if other is None or canonical(one.body) < canonical(other.body):
            rows[one.id] = one
    (hit_,) = hits_of([rows[id_] for id_ in sorted(rows)])
    return hit_


def row(hit: Plain, about: About, known: dict[Match, Hit]) -> Row:
    """The row that would have brought the hit."""
    time, uid, place, names, value, more = hit
    if isinstance(more, Below):
        key, first, shown = more
        brought: Mapping[str, Any] = told(
            key, time, first, [whole(lower, about, known) for lower in shown]
        )
    else:
        brought = about.get((place, names[0])) or _nothing(uid, names[0])
    body = {name: value for name, value in brought.items() if name not in ("time", "id")}
    body |= {"event": uid, "names": list(names)}
    if value is not None:
        body["value"] = value
    return Row(SIGNALS, 0, "", time, brought["id"], "hit", body)


def _nothing(uid: str, name: str) -> dict[str, Any]:
    """What a match rests on whose record turned out to be unreadable."""
    id_ = digest("signal", name, uid)
    return {"id": id_, "signals": [id_], "evidence": [], "entities": [], "families": []}
