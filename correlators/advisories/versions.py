"""Versions: how those of an ecosystem compare; what is no version of it compares with nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, Literal

from correlators.advisories import dpkg, maven, pep440

Order = Literal["pep440", "semver", "maven", "dpkg", "open"]

LONGEST: Final = 128  # characters of a version
ORDERS: Final[dict[str, Order]] = {
    "": "open",
    "PyPI": "pep440",
    "Maven": "maven",
    "Debian": "dpkg",
    "npm": "semver",
    "Go": "semver",
    "crates": "semver",
    "NuGet": "semver",
    "Packagist": "semver",
    "RubyGems": "open",
    "Hex": "semver",
    "Pub": "semver",
    "SwiftURL": "semver",
    "GitHub Actions": "semver",
}
# One to four numbers: NuGet has four, a tag like `v4` is `4.0.0`, and Go calls itself `go1.22`.
_SEMVER: Final = re.compile(
    r"(?:[vV=]|go)?(\d+(?:\.\d+){0,3})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII
)
_LOOSE: Final = re.compile(r"[0-9A-Za-z._+~-]+", re.ASCII)
_COMMIT: Final = re.compile(r"(?=\d*[a-f])[0-9a-f]{7,64}", re.ASCII)
_RUNS: Final = re.compile(r"\d+|[a-z]+", re.ASCII)

_Key = tuple[Any, ...]


def known(order: Order, text: str) -> bool:
    """True if the text is a version of that order."""
    return compared(order, text, text) == 0


def compared(order: Order, one: str, other: str) -> int | None:
    """Below zero, zero or above it; None where the two cannot be compared."""
    if len(one) > LONGEST or len(other) > LONGEST:
        return None
    if order == "open":
        return _open(one, other)
    if order == "pep440":
        return _python(one, other)
    if order == "maven":
        left, right = maven.tokens(one), maven.tokens(other)
        return None if left is None or right is None else maven.compared(left, right)
    read = dpkg.debian if order == "dpkg" else _semver
    mine, theirs = read(one), read(other)
    return None if mine is None or theirs is None else (mine > theirs) - (mine < theirs)


def _python(one: str, other: str) -> int | None:
    left, right = pep440.python(one), pep440.python(other)
    return None if left is None or right is None else pep440.compared(left, right)


def _open(one: str, other: str) -> int | None:
    """Of a product that says no ecosystem: what both versions are, compared as such."""
    if pep440.python(one) is not None and pep440.python(other) is not None:
        return _python(one, other)
    mine, theirs = _semver(one), _semver(other)
    if mine is not None and theirs is not None:
        return (mine > theirs) - (mine < theirs)
    # `1.2.3` against `b3561`: two ways to count, and nobody knows which came first.
    if (pep440.python(one) or mine) or (pep440.python(other) or theirs):
        return None
    return _loose(_runs(one), _runs(other))


@lru_cache(maxsize=16_384)
def _semver(text: str) -> _Key | None:
    found = _SEMVER.fullmatch(text.strip())
    if found is None:
        return None
    numbers = [int(number) for number in found.group(1).split(".")]
    numbers += [0] * (4 - len(numbers))
    if found.group(2) is None:
        return (*numbers, (1,))
    parts = found.group(2).split(".")
    before = tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts)
    return (*numbers, (0, before))


@lru_cache(maxsize=16_384)
def _runs(text: str) -> tuple[str, ...]:
    lower = text.strip().lower()
    if not _LOOSE.fullmatch(lower) or _COMMIT.fullmatch(lower):
        return ()
    runs = tuple(_RUNS.findall(lower))
    return runs if any(map(str.isdecimal, runs)) else ()


def _loose(one: tuple[str, ...], other: tuple[str, ...]) -> int | None:
    """Run by run: numbers by size, words only if they are the same."""
    if not one or not other:
        return None
    for left, right in zip(one, other, strict=False):
        if left.isdecimal() and right.isdecimal():
            if int(left) != int(right):
                return 1 if int(left) > int(right) else -1
        elif left != right:
            return None
    rest = one[len(other) :] or other[len(one) :]
    if rest and not rest[0].isdecimal():
        return None
    return (len(one) > len(other)) - (len(one) < len(other))
