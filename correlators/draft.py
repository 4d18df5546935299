"""Draft: a mapping that is changed on top of what it was; the change costs what it changes.

Laws:
1. `draft` shares what is made and has changes of its own, which nobody else sees.
2. `keep` makes them, in place. Of several drafts of one mapping at most one is kept; the others,
   and what it was drafted from, are forgotten then.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar, cast

from schemas.rows import Row
from schemas.times import END

K = TypeVar("K")
V = TypeVar("V")

Place = tuple[int, str]  # time and id: a copy with another time is another row


class Draft(MutableMapping[K, V]):
    """`changed` is what differs from what was made; None is for what is gone."""

    __slots__ = ("_made", "_size", "changed")

    def __init__(self, made: Mapping[K, V] | None = None) -> None:
        self._made: dict[K, V] = dict(made or {})
        self._size: int = len(self._made)
        self.changed: dict[K, V | None] = {}

    def draft(self) -> Draft[K, V]:
        """One that can be changed while this stays as it is."""
        copy = Draft[K, V]()
        copy._made, copy._size = self._made, self._size
        copy.changed = self.changed.copy()
        return copy

    def keep(self) -> None:
        """Make the changes."""
        if not self.changed:
            return
        for key, value in self.changed.items():
            if value is None:
                self._made.pop(key, None)
            else:
                self._made[key] = value
        self.changed = {}
        if not self._made:
            self._made = {}  # one that was emptied keeps its room

    def __getitem__(self, key: K) -> V:
        found = self.changed[key] if key in self.changed else self._made[key]
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: K, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping has it
        """What lies there; without an exception on the way, most often nothing does."""
        found = self.changed[key] if key in self.changed else self._made.get(key)
        return default if found is None else found

    def __setitem__(self, key: K, value: V) -> None:
        self._size += key not in self
        self.changed[key] = value

    def __delitem__(self, key: K) -> None:
        if key not in self:
            raise KeyError(key)
        self._size -= 1
        if key in self._made:
            self.changed[key] = None
        else:
            del self.changed[key]

    def __contains__(self, key: Any) -> bool:  # noqa: ANN401 - anything may be asked for
        return self.changed[key] is not None if key in self.changed else key in self._made

    def __iter__(self) -> Iterator[K]:
        if not self.changed:
            yield from self._made
            return
        yield from (key for key in self._made if key not in self.changed)
        yield from (key for key, value in self.changed.items() if value is not None)

    def __len__(self) -> int:
        return self._size


class Tail(Draft[Place, Row]):
    """The unsettled rows of a key by place, in order; they leave it in front."""

    __slots__ = ("_added", "_cut", "_order")

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        super().__init__({(row.time, row.id): row for row in rows})
        self._order = sorted(self._made)  # in place of what is made; what is gone is not yet out
        self._added: list[Place] = []  # what is new, in order
        self._cut = 0  # so many have left in front

    def draft(self) -> Tail:
        """One that can be changed while this stays as it is."""
        copy = Tail()
        copy._made, copy._size, copy.changed = self._made, self._size, self.changed.copy()
        copy._order, copy._added, copy._cut = self._order, self._added.copy(), self._cut
        return copy

    def keep(self) -> None:
        """Make the changes."""
        if not self.changed:
            return
        order = self._order
        del order[: self._cut]
        for place, row in self.changed.items():
            if row is None and order and place >= order[0]:
                del order[bisect_left(order, place)]
        for place in self._added:
            insort(order, place)
        self._added, self._cut = [], 0
        super().keep()

    def __setitem__(self, place: Place, row: Row) -> None:
        changed, added = self.changed, self._added
        if place in changed:
            self._size += changed[place] is None
        elif place not in self._made:
            self._size += 1
            if added and place < added[-1]:
                insort(added, place)
            else:
                added.append(place)
        changed[place] = row

    def __delitem__(self, place: Place) -> None:
        super().__delitem__(place)
        if place not in self._made:
            del self._added[bisect_left(self._added, place)]

    def __iter__(self) -> Iterator[Place]:
        return iter(self._between(self._cut, len(self._order), self._added))

    @property
    def first(self) -> int:
        """The time of the first row, the end of time where there is none."""
        order, added = self._order, self._added
        place = self._cut
        while place < len(order) and self.changed.get(order[place], self) is None:
            place += 1
        times = [one[0] for one in (*order[place : place + 1], *added[:1])]
        return min(times, default=END)

    def since(self, time: int) -> list[Row]:
        """The rows from `time` on, in order."""
        start = max(self._cut, bisect_left(self._order, (time, "")))
        added = self._added[bisect_left(self._added, (time, "")) :]
        return self._rows(self._between(start, len(self._order), added))

    def settle(self, watermark: int) -> list[Row]:
        """The rows below the watermark, in order; they leave the tail."""
        end = bisect_left(self._order, (watermark, ""), self._cut)
        added = self._added[: bisect_left(self._added, (watermark, ""))]
        places = self._between(self._cut, end, added)
        rows = self._rows(places)
        made, changed = self._made, self.changed
        for place in places:
            if place in made:
                changed[place] = None
            else:
                del changed[place]
        self._size -= len(places)
        self._cut = end
        del self._added[: len(added)]
        return rows

    def _rows(self, places: Iterable[Place]) -> list[Row]:
        made, changed = self._made, self.changed
        rows = [changed[place] if place in changed else made[place] for place in places]
        return cast("list[Row]", rows)  # what is gone is not among the places

    def _between(self, start: int, end: int, added: list[Place]) -> list[Place]:
        """The places that are there: these of what is made, and these new ones."""
        made = self._order[start:end]
        if self.changed:
            made = [place for place in made if self.changed.get(place, self) is not None]
        return sorted([*made, *added]) if added else made
