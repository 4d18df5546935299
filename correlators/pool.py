"""Pool: the hits of a finite run by group, of rules that count the same detections by one field.

Each hit is kept once, however many rules count it. What a rule knows of those that were folded is
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from correlators.accumulator.number import numeral
from correlators.correlate import comparable, hit_row, hits_of
from correlators.runs import run_of
from correlators.sightings import Below, Caught, Plain
from correlators.sigma.values import lookup
from correlators.window import Episode, Window
from schemas.correlation import STATISTICS, Correlation
from schemas.rows import Row

_TEXTS: Final = 65_536  # counted values that are remembered

Values = str | tuple[str, ...]  # of a group: the one value, or all
Record = Mapping[str, Any]


class State:
    """What a rule knows of the hits of a group that were folded.

    That is a window; or, of rules that `correlators.runs` has, the hits that still count, and the
    open episode.
    """

    __slots__ = ("episode", "kept", "window")

    def __init__(self) -> None:
        self.window: Window | None = None
        self.kept: Sequence[Plain] = ()
        self.episode: Episode | None = None

    @property
    def says_nothing(self) -> bool:
        """True if it is as a new one."""
        return self.window is None and not self.kept and self.episode is None


class Group:
    """One group: hits that wait, and the states of rules that folded some, by their ids."""

    __slots__ = ("states", "tail")

    def __init__(self) -> None:
        self.tail: list[Plain] = []
        self.states: dict[str, State] | None = None  # of most of a million groups there are none

    def state(self, rule: Correlation) -> State:
        """The state of a rule."""
        if self.states is None:
            self.states = {}
        return self.states.setdefault(rule.id, State())

    def forget(self) -> None:
        """Leave out the states that say nothing."""
        kept = {id_: state for id_, state in (self.states or {}).items() if not state.says_nothing}
        self.states = kept or None


class Pool:
    """The groups of some rules; hits come by its takers, or are `put`."""

    def __init__(self, rules: Sequence[Correlation]) -> None:
        """The rules are `alike`."""
        self.rules = rules
        self.groups: dict[Values, Group] = {}
        self.tails = Tails(self.group)

    def takers(self, name: str) -> Iterator[Taker]:
        """What takes the matches of a detection, if these rules count it."""
        if name in self.rules[0].rules:
            yield Taker(self, name)

    def put(self, row: Row | None, *, place: int = -1, below: Below | None = None) -> bool:
        """Put the hit that a row brings into its group; False if it is in none."""
        if row is None:
            return False
        values: list[str] = orjson.loads(row.key)[1:]
        (hit,) = hits_of([row])
        group = self.group(values[0] if len(values) == 1 else tuple(values))
        group.tail.append((hit.time, hit.id, place, hit.names, hit.value, below))
        return True

    def group(self, values: Values) -> Group:
        """The group of these values, if need be a new one."""
        group = self.groups.get(values)
        if group is None:
            group = self.groups[values] = Group()
        return group


def pools(rules: Iterable[Correlation]) -> list[Pool]:
    """The rules in pools, in the order of their strata.

    Rules over other correlations, and those that windows fold, have pools of their own.
    """
    alike: dict[object, list[Correlation]] = {}
    for rule in sorted(rules, key=lambda rule: rule.level_number):
        shares = rule.level_number == 1 and run_of(rule) is not None
        alike.setdefault(_counted(rule) if shares else rule.id, []).append(rule)
    return [Pool(together) for together in alike.values()]


def _counted(rule: Correlation) -> object:
    """Equal for rules that make the same hits of the same matches."""
    return frozenset((name, _paths(rule, name)) for name in rule.rules)


def _paths(rule: Correlation, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of matches of `name` that a rule groups by, and those that it counts."""

    def of(fields: Iterable[str]) -> tuple[str, ...]:
        return tuple(rule.aliases.get(field, {}).get(name, field) for field in fields)

    return of(rule.group_by), of(rule.fields)


class Taker:
    """Takes the matches of one detection for the rules of a pool.

    `paths`: the fields that it looks at. A plain one groups by one field and counts at most one.
    Told is for how many rules matches are in no group.
    """

    def __init__(self, pool: Pool, name: str) -> None:
        self._pool, self._name = pool, name
        self._rule = pool.rules[0]  # any of them
        grouped, counted = _paths(self._rule, name)
        self.paths = tuple(dict.fromkeys((*grouped, *counted)))
        self.plain = len(grouped) == 1 and len(counted) < 2
        self._grouped = next(iter(grouped), "")
        self._counted = next(iter(counted), None)
        self._texts = _Texts(numeral if self._rule.type in STATISTICS else comparable)

    def raw(self, record: Record, time: int, uid: str, place: int) -> int:
        """A match in a vendor record."""
        fields = {path: lookup(record, path) for path in self.paths}
        return self.fields(fields, time, uid, place)

    def fields(self, fields: Record, time: int, uid: str, place: int) -> int:
        """A match by its fields, by exact name."""
        if not self.plain:
            about = {"time": time, "id": uid, "event": uid}
            row = hit_row(self._rule, fields, self._name, about, "hit")
            return 0 if self._pool.put(row, place=place) else len(self._pool.rules)
        value = comparable(fields.get(self._grouped))
        if value is None:
            return len(self._pool.rules)
        counted = None
        if self._counted is not None:
            counted = self._texts.of(fields.get(self._counted))
        self._pool.group(value).tail.append((time, uid, place, (self._name,), counted, None))
        return 0

    def take(self, columns: Mapping[str, Sequence[Any]], caught: Caught) -> int:
        """Many matches of a plain one.

        `columns`: texts, or what is neither text, number nor list; `caught` stands in them.
        """
        if self._counted is None:
            hits = caught.hits
        else:
            self._texts.bound()
            counted = map(columns[self._counted].__getitem__, caught.stand)
            hits = caught.counting(map(self._texts.__getitem__, counted))
        tails = self._pool.tails
        grouped = map(columns[self._grouped].__getitem__, caught.stand)
        for append, hit in zip(map(tails.__getitem__, grouped), hits, strict=True):
            append(hit)
        lost = len(tails.nowhere)
        tails.nowhere.clear()
        return lost * len(self._pool.rules)


class Tails(dict[object, Callable[[Plain], None]]):
    """What puts a hit into its group, by the value to group by as it stands in records.

    Of all takers of a pool. To be cleared once groups are gone.
    """

    def __init__(self, group: Callable[[Values], Group]) -> None:
        super().__init__()
        self._group = group
        self.nowhere: list[Plain] = []

    def __missing__(self, value: object) -> Callable[[Plain], None]:
        text = comparable(value)
        tail = self.nowhere if text is None else self._group(text).tail
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
