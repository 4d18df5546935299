"""Sightings: the hits of a finite run, one for each match and correlation, by group.

Millions are made: they are plain tuples, and what one rests on is left out until somebody shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any, Final, NamedTuple

import orjson

from correlators.accumulator import Hit
from correlators.accumulator.number import numeral
from correlators.correlate import comparable, hit_row, hits_of
from correlators.evidence import union
from correlators.sigma.values import lookup
from correlators.window import Episode, Window
from schemas.correlation import STATISTICS, Correlation
from schemas.rows import Row

_TEXTS: Final = 65_536  # counted values that are remembered

Values = str | tuple[str, ...]  # of a group: the one value, or all
Record = Mapping[str, Any]


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


class Group:
    """One group of one rule: hits that wait, and what is known of those that were folded.

    That is a window; or, of rules that `correlators.runs` has, the hits that still count, and the
    open episode.
    """

    __slots__ = ("episode", "kept", "tail", "window")

    def __init__(self) -> None:
        self.tail: list[Plain] = []
        self.window: Window | None = None
        self.kept: Sequence[Plain] = ()
        self.episode: Episode | None = None

    @property
    def fresh(self) -> bool:
        """True if none of its hits was folded, or none that still counts."""
        return self.window is None and not self.kept and self.episode is None


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


class Taker:
    """Takes the matches of one detection for one correlation.

    `paths`: the fields that it looks at. A plain one groups by one field and counts at most one.
    """

    def __init__(
        self, rule: Correlation, name: str, groups: dict[Values, Group], tails: Tails
    ) -> None:
        self._rule, self._name, self._groups = rule, name, groups
        read = (*rule.group_by, *rule.fields)
        paths = [rule.aliases.get(field, {}).get(name, field) for field in read]
        grouped, counted = paths[: len(rule.group_by)], paths[len(rule.group_by) :]
        self.paths = tuple(dict.fromkeys(paths))
        self.plain = len(grouped) == 1 and len(counted) < 2
        self._grouped = next(iter(grouped), "")
        self.counted = next(iter(counted), None)
        self._tails = tails
        self._texts = _Texts(numeral if rule.type in STATISTICS else comparable)

    def raw(self, record: Record, time: int, uid: str, place: int) -> bool:
        """A match in a vendor record; False if it is in no group."""
        fields = {path: lookup(record, path) for path in self.paths}
        return self.fields(fields, time, uid, place)

    def fields(self, fields: Record, time: int, uid: str, place: int) -> bool:
        """A match by its fields, by exact name; False if it is in no group."""
        if not self.plain:
            about = {"time": time, "id": uid, "event": uid}
            row = hit_row(self._rule, fields, self._name, about, "hit")
            return put(self._groups, row, place=place)
        value = comparable(fields.get(self._grouped))
        if value is None:
            return False
        counted = None
        if self.counted is not None:
            counted = self._texts.of(fields.get(self.counted))
        group = _group(self._groups, value)
        group.tail.append((time, uid, place, (self._name,), counted, None))
        return True

    def take(self, columns: Mapping[str, Sequence[Any]], caught: Caught) -> int:
        """Many matches of a plain one; returns how many are in no group.

        `columns`: texts, or what is neither text, number nor list; `caught` stands in them.
        """
        if self.counted is None:
            hits = caught.hits
        else:
            self._texts.bound()
            counted = map(columns[self.counted].__getitem__, caught.stand)
            hits = caught.counting(map(self._texts.__getitem__, counted))
        append, grouped = self._tails, columns[self._grouped]
        for place, hit in zip(caught.stand, hits, strict=True):
            append[grouped[place]](hit)
        lost = len(append.nowhere)
        append.nowhere.clear()
        return lost


class Tails(dict[object, Callable[[Plain], None]]):
    """What puts a hit into its group, by the value to group by as it stands in records.

    Of all takers of a rule. To be cleared once groups are gone.
    """

    def __init__(self, groups: dict[Values, Group]) -> None:
        super().__init__()
        self._groups = groups
        self.nowhere: list[Plain] = []

    def __missing__(self, value: object) -> Callable[[Plain], None]:
        text = comparable(value)
        tail = self.nowhere if text is None else _group(self._groups, text).tail
        self[value] = append = tail.append
        return append


class _Texts(dict[object, str | None]):
    """What values count as: of those that compare equal, one copy."""

    def __init__(self, of: Callable[[object], str | None]) -> None:
        super().__init__()
        self.of = of
        self._copies: dict[str, str] = {}

    def __missing__(self, value: object) -> str | None:
        text = self.of(value)
        self[value] = text = None if text is None else self._copies.setdefault(text, text)
        return text

    def bound(self) -> None:
        """Forget all of too many."""
        if len(self) > _TEXTS:
            self.clear()
            self._copies.clear()


def put(
    groups: dict[Values, Group], row: Row | None, *, place: int = -1, below: Below | None = None
) -> bool:
    """Put the hit that a row brings into its group; False if it is in none."""
    if row is None:
        return False
    values: list[str] = orjson.loads(row.key)[1:]
    (hit,) = hits_of([row])
    group = _group(groups, values[0] if len(values) == 1 else tuple(values))
    group.tail.append((hit.time, hit.id, place, hit.names, hit.value, below))
    return True


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


def _group(groups: dict[Values, Group], values: Values) -> Group:
    group = groups.get(values)
    if group is None:
        group = groups[values] = Group()
    return group
