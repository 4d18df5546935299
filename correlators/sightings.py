"""Sightings: the hits of a finite run, one for each match and correlation, by group.

Millions are made: a taker is a closure over what its rule asks for, and what a hit rests on is left
out until somebody shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from correlators.accumulator import Hit
from correlators.correlate import comparable, hit_row, hits_of
from correlators.evidence import union
from correlators.sigma.values import lookup, reader
from correlators.window import Window
from schemas.correlation import Correlation
from schemas.rows import Row
from schemas.times import BEGINNING

_TEXTS: Final = 65_536  # counted values of which one copy is kept
_PLAIN: Final = frozenset({"event_count", "value_count", "temporal", "temporal_ordered"})

Values = str | tuple[str, ...]  # of a group: the one value, or all
Record = Mapping[str, Any]
# Takes a record (or its fields by exact name), its time, uid and place; False: it is in no group.
Take = Callable[[Record, int, str, int], bool]


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
    """One group of one rule: hits that wait, and the window once one was folded.

    `last`: the time of the latest hit that was.
    """

    __slots__ = ("last", "tail", "window")

    def __init__(self) -> None:
        self.tail: list[Sighting] = []
        self.window: Window | None = None
        self.last = BEGINNING


def raw_taker(rule: Correlation, name: str, groups: dict[Values, Group]) -> Take:
    """Takes matches of the detection `name` in vendor records."""
    sources = [rule.aliases.get(field, {}).get(name, field) for field in rule.group_by]
    if len(sources) != 1 or len(rule.fields) > 1 or rule.type not in _PLAIN:
        fields = tuple(dict.fromkeys((*sources, *rule.fields)))
        take = fields_taker(rule, name, groups)
        return lambda record, time, uid, place: take(
            {field: lookup(record, field) for field in fields}, time, uid, place
        )
    group_of, names = reader(sources[0]), (name,)
    counted = reader(rule.fields[0]) if rule.type == "value_count" else None
    texts: dict[str, str] = {}  # one copy of each counted value

    def taken(record: Record, time: int, uid: str, place: int) -> bool:
        value = comparable(group_of(record))
        if value is None:
            return False
        group = groups.get(value)
        if group is None:
            group = groups[value] = Group()
        text = None if counted is None else comparable(counted(record))
        if text is not None:
            if len(texts) > _TEXTS:
                texts.clear()
            text = texts.setdefault(text, text)
        group.tail.append(Sighting(time, uid, names, text, place=place))
        return True

    return taken


def fields_taker(rule: Correlation, name: str, groups: dict[Values, Group]) -> Take:
    """Takes matches of `name` given as fields, by exact name: of any form, for any type of rule."""

    def taken(fields: Record, time: int, uid: str, place: int) -> bool:
        about = {"time": time, "id": uid, "event": uid}
        return put(groups, hit_row(rule, fields, name, about, "hit"), place=place)

    return taken


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
