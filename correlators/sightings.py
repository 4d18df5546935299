"""Sightings: the hits of a finite run, one for each match and correlation, by group.

Millions are made: what a hit rests on is left out until somebody shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from correlators.accumulator import Hit
from correlators.correlate import comparable, hit_row, hits_of
from correlators.evidence import union
from correlators.sigma.values import lookup
from correlators.window import Window
from schemas.correlation import Correlation
from schemas.rows import Row

_TEXTS: Final = 65_536  # counted values of which one copy is kept
_PLAIN: Final = frozenset({"event_count", "value_count", "temporal", "temporal_ordered"})

Values = str | tuple[str, ...]  # of a group: the one value, or all
Record = Mapping[str, Any]
Add = Callable[[str, object, int, str, int], None]  # group, value, time, uid, place


class Below(NamedTuple):
    """A qualifying time of a lower correlation: its group, its smallest hit, and those shown."""

    key: str
    first: str
    shown: tuple[Hit, ...]


class Sighting(Hit, frozen=True, array_like=True, gc=False):
    """A hit without what it rests on, which `place` finds: the number of its record.

    `parts`: the sightings that became this one, where there are several. `below`: it is no record.
    """

    place: int = -1
    parts: tuple[Sighting, ...] = ()
    below: Below | None = None


class Group:
    """One group of one rule: hits that wait, and the window once one was folded."""

    __slots__ = ("tail", "window")

    def __init__(self) -> None:
        self.tail: list[Sighting] = []
        self.window: Window | None = None


class Taker:
    """Takes the matches of one detection for one correlation.

    `paths`: the fields that it looks at. `add` takes the hits of a plain one, which groups by one
    field and counts at most one: the group as text, the value as it is.
    """

    def __init__(self, rule: Correlation, name: str, groups: dict[Values, Group]) -> None:
        self._rule, self._name, self._groups = rule, name, groups
        read = (*rule.group_by, *rule.fields)
        paths = [rule.aliases.get(field, {}).get(name, field) for field in read]
        grouped, counted = paths[: len(rule.group_by)], paths[len(rule.group_by) :]
        self.paths = tuple(dict.fromkeys(paths))
        self.plain = len(grouped) == 1 and len(counted) < 2 and rule.type in _PLAIN
        self.grouped = next(iter(grouped), "") if self.plain else ""
        self.counted = next(iter(counted), None) if rule.type == "value_count" else None
        self.add = self._adder()

    def raw(self, record: Record, time: int, uid: str, place: int) -> bool:
        """A match in a vendor record; False if it is in no group."""
        if not self.plain:
            fields = {path: lookup(record, path) for path in self.paths}
            return self.fields(fields, time, uid, place)
        value = comparable(lookup(record, self.grouped))
        if value is None:
            return False
        counted = None if self.counted is None else lookup(record, self.counted)
        self.add(value, counted, time, uid, place)
        return True

    def fields(self, fields: Record, time: int, uid: str, place: int) -> bool:
        """A match by its fields, by exact name: of any form, for any type of rule."""
        about = {"time": time, "id": uid, "event": uid}
        row = hit_row(self._rule, fields, self._name, about, "hit")
        return put(self._groups, row, place=place)

    def _adder(self) -> Add:
        groups, names = self._groups, (self._name,)
        texts: dict[str, str] = {}  # what compares equal, in one copy

        def add(value: str, counted: object, time: int, uid: str, place: int) -> None:
            group = groups.get(value)
            if group is None:
                group = groups[value] = Group()
            text = None
            if isinstance(counted, str):
                text = texts.get(counted)
                if text is None:
                    if len(texts) > _TEXTS:
                        texts.clear()
                    text = texts[counted] = counted.casefold()
            elif counted is not None:
                text = comparable(counted)
            group.tail.append(Sighting(time, uid, names, text, (), (), (), (), place))

        return add


def put(
    groups: dict[Values, Group], row: Row | None, *, place: int = -1, below: Below | None = None
) -> bool:
    """Put the hit that a row brings into its group; False if it is in none."""
    if row is None:
        return False
    values: list[str] = orjson.loads(row.key)[1:]
    key = values[0] if len(values) == 1 else tuple(values)
    group = groups.setdefault(key, Group())
    (hit,) = hits_of([row])
    group.tail.append(Sighting(**_values(hit), place=place, below=below))
    return True


def joined(parts: tuple[Sighting, ...]) -> Sighting:
    """The one hit of several sightings of an event, in the order of their rows."""
    values = _values(parts[0])
    values["names"] = union(part.names for part in parts)
    values["value"] = next((part.value for part in parts if part.value is not None), None)
    return Sighting(**values, parts=parts)


def _values(hit: Hit) -> dict[str, Any]:
    return {name: getattr(hit, name) for name in Hit.__struct_fields__}
