"""Lines: the lines of a stretch of a file, each trimmed only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast, overload


class Lines(Sequence[bytes]):
    """Those that are not blank, without the white space around them.

    `raw` are the same lines with what is around them, which a JSON decoder passes over itself: to
    trim each line is to copy it.
    """

    def __init__(self, raw: list[bytes]) -> None:
        blank = any(map(bytes.isspace, raw)) or not all(raw)
        self.raw = [line for line in raw if line and not line.isspace()] if blank else raw

    def __len__(self) -> int:
        return len(self.raw)

    def __iter__(self) -> Iterator[bytes]:
        return map(bytes.strip, self.raw)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Lines: ...
    def __getitem__(self, place: int | slice) -> bytes | Lines:
        if isinstance(place, slice):
            return Lines(self.raw[place])
        return self.raw[place].strip()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return list(self) == list(cast("Sequence[object]", other))

    def __hash__(self) -> int:
        return hash(tuple(self))


def untrimmed(documents: Sequence[bytes]) -> Sequence[bytes]:
    """The same documents, perhaps with white space around them, as quickly as they can be had."""
    return documents.raw if isinstance(documents, Lines) else documents
