"""Clauses: a condition over rule names, `a and (b or not c)`, as the ways to fulfil it."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from correlators.sigma.condition import MAX_CONDITION, MAX_NESTING

MAX_CLAUSES: Final = 32

_TOKEN: Final = re.compile(r"[()]|[^\s()]+")
_WORDS: Final = frozenset({"and", "or", "not", "(", ")"})


class Way(NamedTuple):
    """One way to fulfil a condition: the rules that have a hit, and those that have none."""

    present: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()


class Expression(NamedTuple):
    """A condition: the names in it, in the order in which they appear, and how to fulfil it."""

    names: tuple[str, ...]
    ways: tuple[Way, ...]


def expression(text: str) -> Expression:
    """A condition with the ways to fulfil it, none of which holds another; or ValueError says why.

    The grammar is that of pySigma: `not` binds closest, then `and`, then `or`. A name is whatever
    is no operator and no bracket.
    """
    if len(text) > MAX_CONDITION:
        raise ValueError(f"the condition is longer than {MAX_CONDITION} characters")
    tokens = _TOKEN.findall(text)
    if sum(token.lower() in ("(", "not") for token in tokens) > MAX_NESTING:
        raise ValueError(f"the condition has more than {MAX_NESTING} brackets and `not`")
    names = dict.fromkeys(token for token in tokens if token.lower() not in _WORDS)
    return Expression(tuple(names), tuple(_Parsing(tokens).whole()))


class _Parsing:
    """A condition while it is read; `negative`: an odd number of `not` stands before."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0

    def whole(self) -> list[Way]:
        found = self._any(negative=False)
        if (token := self._peek()) is not None:
            raise ValueError(f"`{token[:40]}` is not expected there: join names by `and` or `or`")
        return found

    def _any(self, *, negative: bool) -> list[Way]:
        found = self._all(negative=negative)
        while self._takes("or"):
            other = self._all(negative=negative)
            found = _both(found, other) if negative else _either(found, other)
        return found

    def _all(self, *, negative: bool) -> list[Way]:
        found = self._one(negative=negative)
        while self._takes("and"):
            other = self._one(negative=negative)
            found = _either(found, other) if negative else _both(found, other)
        return found

    def _one(self, *, negative: bool) -> list[Way]:
        if self._takes("not"):
            return self._one(negative=not negative)
        if self._takes("("):
            found = self._any(negative=negative)
            if not self._takes(")"):
                raise ValueError("a bracket is not closed")
            return found
        name = self._peek()
        if name is None or name.lower() in _WORDS:
            raise ValueError(f"the name of a rule is missing {_where(name)}")
        self._place += 1
        alone = frozenset((name,))
        return [Way(absent=alone) if negative else Way(present=alone)]

    def _peek(self) -> str | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _takes(self, word: str) -> bool:
        token = self._peek()
        if token is None or token.lower() != word:
            return False
        self._place += 1
        return True


def _where(token: str | None) -> str:
    return "at the end of the condition" if token is None else f"before `{token}`"


def _either(some: list[Way], others: list[Way]) -> list[Way]:
    return _fewest(iter((*some, *others)))


def _both(some: list[Way], others: list[Way]) -> list[Way]:
    return _fewest(
        Way(one.present | other.present, one.absent | other.absent)
        for one in some
        for other in others
    )


def _fewest(ways: Iterator[Way]) -> list[Way]:
    """Without those that ask for a rule and for none of it, and those that ask for more."""
    kept: list[Way] = []
    for way in ways:
        if way.present & way.absent or any(_asks_less(known, way) for known in kept):
            continue
        kept = [known for known in kept if not _asks_less(way, known)]
        kept.append(way)
        if len(kept) > MAX_CLAUSES:
            raise ValueError(f"the condition can be fulfilled in more than {MAX_CLAUSES} ways")
    return kept


def _asks_less(one: Way, other: Way) -> bool:
    return one.present <= other.present and one.absent <= other.absent
