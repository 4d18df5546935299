"""Scanned: raw records that were judged before they are decoded whole, and the times they tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from correlators.sigma.narrow import Scan, Told
from correlators.sigma.rule import Rule
from schemas.event import Reject
from streams.records.untrusted import moment
from streams.source import Json, Raw, Source, Unreadable


class Scans(Protocol):
    """What judges raw records without decoding all of each."""

    def scan(self, records: Sequence[bytes]) -> Scan:
        """The times and candidates of these records."""
        ...


class Scanned(NamedTuple):
    """The records of a chunk that are judged before they are decoded, each with its number.

    A record that is all of its document is that document. `times` is None where the scan saw no
    text; `moments`: each of them in microseconds, None where it is no time; `candidates`: the rules
    that may match, by place (None: all); `sure`: where each does.
    """

    records: Sequence[bytes | Raw | Reject]
    numbers: Sequence[int]
    times: Sequence[Told]
    moments: Mapping[Told, int | None]
    candidates: dict[int, Sequence[Rule] | None]
    sure: frozenset[int]

    def record(self, place: int) -> Raw | Reject:
        """The record there: of most nobody asks."""
        record = self.records[place]
        return Raw(record) if isinstance(record, bytes) else record


def clock(source: Source) -> Callable[[Json], int]:
    """What knows the time that a scan saw."""
    return (source.NARROW and source.NARROW.clock) or moment


def moments(source: Source, texts: Iterable[Told]) -> dict[Told, int | None]:
    """What texts are as times. They repeat: audit logs have one-second times."""
    tells, found = clock(source), dict[Told, int | None]()
    for text in set(texts):
        try:
            found[text] = tells(text)
        except Unreadable:
            found[text] = None
    return found
