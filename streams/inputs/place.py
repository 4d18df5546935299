"""Place: where reading a followed file goes on, and what was read up to there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from streams.records.documents import Fault

KNOWN: Final = 256  # bytes at each end by which a file is known again: inodes are used anew
_JSON: Final = msgspec.json.Decoder(msgspec.Raw)  # checks a text without building its values


class Place(NamedTuple):
    """`skip` documents behind byte `at` (uncompressed); `before` documents of the file were given.

    start: of a file of lines, hashes of its first bytes and of the last before the place; of any
    other file, of its first bytes as they lie there. inside: of a line that is too long. version:
    of any other file, once it was taken.
    """

    at: int = 0
    skip: int = 0
    before: int = 0
    start: str = ""
    inside: bool = False
    version: str = ""


class Taken(NamedTuple):
    """Documents, perhaps a fault behind them, and the place behind both.

    before: how many documents the file had before these.
    """

    source: str
    documents: Sequence[bytes]
    before: int
    place: Place
    fault: Fault | None = None


def is_json(data: bytes) -> bool:
    """True if the text is one JSON value."""
    try:
        _JSON.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
