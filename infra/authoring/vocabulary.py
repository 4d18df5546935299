"""Vocabulary: the fields that the records of a source have, and what a wrong name may mean."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from typing import Final

from correlators import normal
from correlators.sigma.values import is_list, is_object
from streams import source
from streams.source import Json, Source
from streams.telemetry.semconv import renamed

OPEN: Final = "*"  # below it, or as a name by itself: anything
_LIST: Final = "[]"
_NEAR: Final = 0.8  # how alike two names are at least
_DEEPEST: Final = 16  # levels of a sample that are looked at
_MOST: Final = 20_000  # names that samples may add


class Vocabulary:
    """Dotted names; see FIELDS in streams/source.py for how they are written."""

    def __init__(self, names: Iterable[str], *, flat: bool = False) -> None:
        """`flat`: the names are keys as they stand, so that the beginning of one is no name."""
        listed = set(names)
        self._flat = flat
        self.open = OPEN in listed
        self._names: dict[str, bool] = {}  # every name and every prefix of one -> it is no list
        self._open: set[str] = set()  # below these anything may be
        for name in listed - {OPEN}:
            self._add(name)

    def _add(self, name: str) -> None:
        if self._flat and not name.endswith(OPEN):
            self._names[name] = True
            return
        path, single = "", True
        for part in name.split("."):
            if part == OPEN:
                self._open.add(path)
                return
            single = single and not part.endswith(_LIST)
            path = f"{path}.{part}".removeprefix(".").removesuffix(_LIST)
            if not self._flat:
                self._names[path] = self._names.get(path, True) and single

    def learn(self, record: Json) -> None:
        """Take in the names of a record that was seen."""
        stack: list[tuple[str, int, Json]] = [("", 0, record)]
        while stack and len(self._names) < _MOST:
            path, depth, value = stack.pop()
            if is_list(value):
                self._add(path + _LIST)
                stack += [(path + _LIST, depth, one) for one in value]
            elif is_object(value) and depth < _DEEPEST:
                for key, below in value.items():
                    stack.append((f"{path}.{key}".removeprefix("."), depth + 1, below))
            elif path:
                self._add(path)

    def knows(self, name: str) -> bool:
        """True if a record is known to have the field, or to be open where it would be."""
        if name in self._names:
            return True
        above = name
        while above:
            above = above.rpartition(".")[0]
            if above in self._open:
                return True
        return False

    def below_open(self, name: str) -> bool:
        """True if nothing is known of the field but that anything may be where it would be."""
        return name not in self._names and self.knows(name)

    def allows(self, name: str) -> bool:
        """True if a record may have the field."""
        return self.open or self.knows(name)

    def single(self, name: str) -> bool:
        """True if the field never holds more than one value."""
        return self._names.get(name, False) and name not in self._open

    def nearest(self, name: str) -> str | None:
        """The known name that its author may have meant."""
        now = renamed(name)
        if now is not None and self.knows(now):
            return now
        longer = [known for known in self._names if known.startswith(f"{name}.")]
        if longer:
            return min(longer, key=lambda known: (known.count("."), len(known), known))
        found = get_close_matches(name.lower(), self._lower, 1, _NEAR)
        if found:
            return self._lower[found[0]]
        last = name.rpartition(".")[2].lower()
        ends = [known for known in self._names if known.rpartition(".")[2].lower() == last]
        return min(ends, key=lambda known: (known.count("."), known), default=None)

    @cached_property
    def _lower(self) -> dict[str, str]:
        return {name.lower(): name for name in sorted(self._names)}


def raw(of: Source) -> Vocabulary | None:
    """What a vendor's rule may ask of the records of a source; None if nobody has said."""
    names = source.fields(of)
    return None if names is None else Vocabulary(names)


def normalised(of: Source) -> Vocabulary | None:
    """What a rule over the normal form may ask of the events of a source."""
    names = source.event_attributes(of)
    return None if names is None else Vocabulary(normal.NAMES | names, flat=True)
