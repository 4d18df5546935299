"""dpkg: the order of versions of Debian packages, as the Debian Policy Manual has it (5.6.12).

`[epoch:]upstream[-revision]`. The epoch counts as a number, 0 where there is none; the revision is
what stands behind the last hyphen, `0` where there is none. Upstream and revision compare part by
part from the left: what are no digits by their characters, then digits as a number. Of characters
`~` comes before all, the end of a part too; letters come before what is none.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

Key = tuple[Any, ...]

_VERSION: Final = re.compile(r"(?:(\d{1,10}):)?([0-9][A-Za-z0-9.+~:-]*)", re.ASCII)
_REVISION: Final = re.compile(r"[A-Za-z0-9.+~]+", re.ASCII)
_PARTS: Final = re.compile(r"(\D*)(\d*)", re.ASCII)
_END: Final = 0  # below all characters but `~`
_BEHIND: Final = 256  # what is no letter comes behind all letters


@lru_cache(maxsize=16_384)  # the bounds of a feed are asked for again and again
def debian(text: str) -> Key | None:
    """The version that a text of bounded length says, as it compares; None of what is none."""
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        return None
    epoch, rest = found.groups()
    head, hyphen, tail = rest.rpartition("-")
    upstream, revision = (head, tail) if hyphen else (rest, "0")
    if not upstream or not _REVISION.fullmatch(revision) or (":" in upstream and epoch is None):
        return None
    return (int(epoch or 0), _key(upstream), _key(revision))


def _key(part: str) -> Key:
    """Words and numbers in turn, a word first and last."""
    key: list[Any] = []
    for word, digits in _PARTS.findall(part):
        if word or digits:
            key += [_word(word), int(digits or 0)]
    return (*key, _word(""))


def _word(text: str) -> tuple[int, ...]:
    return (*map(_rank, text), _END)


def _rank(one: str) -> int:
    if one == "~":
        return _END - 1
    return ord(one) if one.isalpha() else ord(one) + _BEHIND
