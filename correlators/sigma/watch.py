"""Watch: the rules that the text of one field calls up."""

from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from correlators.sigma.values import fold, spelled, text
from correlators.sigma.witness import SHORTEST, Atom

_MOST: Final = 8192  # spellings that a memo remembers
_LONGEST: Final = 256  # characters of one
_LENGTHS: Final = 3  # of texts, that can be told apart quicker than the texts
_BOOLEAN: Final = frozenset({"true", "false"})
_FEW: Final = 16  # so many parts are looked for one by one

Plain = str | bool | None  # what a field of a record has; None where it has nothing
T = TypeVar("T")


class Memo(dict[Plain, T], Generic[T]):
    """A function of folded text, worked out once for each spelling; `nothing` for None.

    A dict, because what was seen before then costs one lookup and no call: operations, services
    and kinds of users repeat. What it forgets it works out again.
    """

    def __init__(self, work: Callable[[str], T], nothing: T) -> None:
        super().__init__({None: nothing})
        self._work = work
        self._nothing = nothing

    def __missing__(self, plain: str | bool) -> T:  # noqa: FBT001 - a JSON value
        spelling = text(plain)
        result = self._work(fold(spelling))
        if len(spelling) <= _LONGEST:
            if len(self) > _MOST:
                self.clear()
                self[None] = self._nothing
            self[plain] = result
        return result


class Watch:
    """The rules that wait at one field, by their numbers."""

    def __init__(self) -> None:
        self._whole: dict[str, list[int]] = {}
        self._parts: list[tuple[str, int]] = []
        self._any: list[int] = []
        self._but: list[tuple[frozenset[str], int]] = []
        self._by_start: dict[str, list[tuple[str, int]]] = {}  # the parts, by SHORTEST characters

    @property
    def parts(self) -> list[str]:
        """What one looks for in small letters, if that is all that one looks for, and little."""
        parts = [part for part, _ in self._parts]
        more = self._whole or self._any or self._but or len(parts) > _FEW
        return [] if more or any("\u03c3" in part for part in parts) else parts

    @property
    def lengths(self) -> tuple[int, ...]:
        """How long a text is that calls something up; () if more than these may.

        Only U+0130 changes its length in small letters, and no longer is ASCII then. A number may
        be spelled longer.
        """
        lengths = {len(one) for one in self._whole}
        unknown = self._parts or self._any or self._but or len(lengths) > _LENGTHS or 0 in lengths
        other = not _BOOLEAN.isdisjoint(self._whole) or any(map(str.isdecimal, self._whole))
        plain = not other and all(map(str.isascii, self._whole))
        return () if unknown or not plain else tuple(sorted(lengths))

    @property
    def of_numbers(self) -> bool:
        """True if all that one looks for are whole numbers: a record may well have them as such."""
        return not (self._parts or self._any or self._but) and all(map(str.isdecimal, self._whole))

    @property
    def may_be_boolean(self) -> bool:
        """True if one looks for a text of a boolean, or for any."""
        return not (self.lengths or self.parts) or not _BOOLEAN.isdisjoint(self._whole)

    @property
    def of_texts(self) -> bool:
        """False if all texts call up the same, so that it is enough to know that there is one."""
        return bool(self._whole or self._parts or self._but)

    def add(self, atom: Atom, rule: int) -> None:
        """Let the atom call up the rule."""
        if atom.kind == "is":
            self._whole.setdefault(atom.literal, []).append(rule)
        elif atom.kind == "has":
            part = atom.literal, rule
            self._parts.append(part)
            self._by_start.setdefault(atom.literal[:SHORTEST], []).append(part)
        else:
            self._any.append(rule)

    def add_but(self, values: frozenset[str], rule: int) -> None:
        """Let every text but those, in small letters, call up the rule."""
        self._but.append((values, rule))

    def called(self, folded: str) -> tuple[int, ...]:
        """The rules that a text calls up."""
        parts = (rule for part, rule in self._near(folded) if part in folded)
        whole = (rule for each in spelled(folded) for rule in self._whole.get(each, ()))
        others = (rule for values, rule in self._but if folded not in values)
        return tuple({*whole, *parts, *others, *self._any})

    def _near(self, folded: str) -> Iterable[tuple[str, int]]:
        """The parts that may be in the text: of many only those that start as something in it."""
        if len(self._parts) <= _FEW:
            return self._parts
        starts = {folded[i : i + SHORTEST] for i in range(len(folded) - SHORTEST + 1)}
        shared = self._by_start.keys() & starts
        return [part for start in shared for part in self._by_start[start]]
