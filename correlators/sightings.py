"""Sightings: the hits of a finite run, one for each match and pool of rules that count it.

Millions are made: they are plain tuples, and what one rests on is left out until somebody shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import repeat
from typing import NamedTuple

from correlators.accumulator import Hit
from correlators.evidence import union


class Below(NamedTuple):
    """A qualifying time of a lower correlation: its group, its smallest hit, and those shown."""

    key: str
    first: str
    shown: tuple[Hit, ...]


class Parts(NamedTuple):
    """The sightings of one event that became one, in the order of their rows."""

    parts: tuple[Plain, ...]


# A hit: its time, the uid of its event, the place of its record (-1: it is no record), the rules
# that it stands for, the counted value; `Parts` if it was several, `Below` if it is no record.
Plain = tuple[int, str, int, tuple[str, ...], str | None, Parts | Below | None]


class Sighting(Hit, frozen=True, array_like=True, gc=False):
    """A plain hit as windows want it; `more` is its last part."""

    place: int = -1
    more: Parts | Below | None = None


class Caught:
    """Matches of one detection in many records: their times, uids and places.

    `stand`: where the records stand in their columns.
    """

    def __init__(
        self,
        name: str,
        stand: Sequence[int],
        times: Sequence[int],
        uids: Sequence[str],
        places: Sequence[int],
    ) -> None:
        self._names = (name,)
        self.stand, self.times, self.uids, self.places = stand, times, uids, places

    def each(self) -> Iterator[tuple[int, str, int]]:
        """Time, uid and place of each."""
        return zip(self.times, self.uids, self.places, strict=True)

    @cached_property
    def hits(self) -> list[Plain]:
        """A hit of each, shared by all who count no value."""
        return self.counting(repeat(None))

    def counting(self, values: Iterable[str | None]) -> list[Plain]:
        """A hit of each with its counted value."""
        names, more = repeat(self._names), repeat(None)
        return list(zip(self.times, self.uids, self.places, names, values, more))  # noqa: B905 - two never end


def joined(parts: tuple[Plain, ...]) -> Plain:
    """The one hit of several sightings of an event, in the order of their rows."""
    time, uid, place, *_ = parts[0]
    names = union(part[3] for part in parts)
    value = next((part[4] for part in parts if part[4] is not None), None)
    return time, uid, place, names, value, Parts(parts)


def plain(hit: Sighting) -> Plain:
    """What `sighted` made it of."""
    return hit.time, hit.id, hit.place, hit.names, hit.value, hit.more


def sighted(hits: Iterable[Plain]) -> list[Sighting]:
    """Plain hits as windows and samples want them."""
    return [
        Sighting(time, uid, names, value, place=place, more=more)
        for time, uid, place, names, value, more in hits
    ]
