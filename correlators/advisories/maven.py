"""Maven: the order of versions of Java packages, as the POM reference has it."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest
from typing import Final, NamedTuple

_PIECES: Final = re.compile(r"[.-]|[0-9]+|[^0-9.-]+")
_RANKS: Final = {
    "alpha": 0,
    "beta": 1,
    "milestone": 2,
    "rc": 3,
    "cr": 3,
    "snapshot": 4,
    "": 5,
    "final": 5,
    "ga": 5,
    "release": 5,
    "sp": 6,
}
_SHORT: Final = {"a": "alpha", "b": "beta", "m": "milestone"}
_UNKNOWN: Final = 7


class Token(NamedTuple):
    """A part of a version and what stands before it; `number` is None of a word."""

    hyphen: bool
    number: int | None
    word: str

    @property
    def empty(self) -> bool:
        """It says no more than its absence."""
        return self.number == 0 if self.number is not None else _RANKS.get(self.word) == _RANKS[""]

    @property
    def key(self) -> tuple[int, int, str]:
        """As it compares; `.word` < `-word` < `-number` < `.number`."""
        if self.number is not None:
            return (2 if self.hyphen else 3, self.number, "")
        rank = _RANKS.get(self.word, _UNKNOWN)
        return (1 if self.hyphen else 0, rank, self.word if rank == _UNKNOWN else "")


@lru_cache(maxsize=16_384)
def tokens(text: str) -> tuple[Token, ...] | None:
    """The parts of a text of bounded length; None of what is no version."""
    lower = text.strip().lower()
    if not lower or any(one.isspace() for one in lower) or not any(map(_digits, lower)):
        return None
    found: list[Token] = []
    pieces = _PIECES.findall(lower)
    hyphen, waits = False, True
    for piece, behind in zip_longest(pieces, pieces[1:], fillvalue=""):
        if piece in {".", "-"}:
            if waits:
                found.append(Token(hyphen, 0, ""))
            hyphen, waits = piece == "-", True
            continue
        hyphen = hyphen or not waits  # from digits to letters and back is a hyphen
        if _digits(piece):
            found.append(Token(hyphen, int(piece), ""))
        else:
            found.append(
                Token(hyphen, None, _SHORT.get(piece, piece) if _digits(behind) else piece)
            )
        hyphen, waits = False, False
    if waits:
        found.append(Token(hyphen, 0, ""))
    return tuple(_trimmed(found))


def compared(one: tuple[Token, ...], other: tuple[Token, ...]) -> int:
    """Below zero, zero or above it."""
    for left, right in zip_longest(one, other):
        mine, theirs = (left or _nothing(right)).key, (right or _nothing(left)).key
        if mine != theirs:
            return 1 if mine > theirs else -1
    return 0


def _digits(piece: str) -> bool:
    return piece.isascii() and piece.isdecimal()


def _nothing(beside: Token) -> Token:
    """What a version that is shorter has in that place."""
    return Token(beside.hyphen, 0 if beside.number is not None else None, "")


def _trimmed(found: list[Token]) -> list[Token]:
    """Without what says nothing at the end, and before each hyphen."""
    kept: list[Token] = []
    for at in range(len(found) - 1, -1, -1):
        ends = not kept or kept[0].hyphen
        if found[at].empty and ends and at > 0:
            continue
        kept.insert(0, found[at])
    return kept
