"""Quick: the matches of a run of raw records by the values of the few fields that rules read.

Each combination of values is judged once and remembered: audit logs repeat themselves. A record
that is unusual in any way (another shape, a number where a text is usual) is left to the Matcher.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from correlators.sigma.matcher import Matcher
from correlators.sigma.narrow import Scan
from correlators.sigma.projection import Projection, fits
from correlators.sigma.rule import Rule
from correlators.sigma.values import MISSING
from streams.source import Narrow, Unreadable

_REMEMBERED: Final = 65_536  # combinations
_TRIED: Final = 2_000  # records after which it shows whether this way is the quicker one

T = TypeVar("T")


class Quick(Generic[T]):
    """Scans as a Matcher does, and keeps until the next scan what it saw.

    `columns`: the values of the records by path, each a text, None or MISSING. `found`: what stands
    for the rules that match each record, the same tuple for the same rules; None where the hits of
    the scan tell what may.
    """

    def __init__(
        self, matcher: Matcher, narrow: Narrow, paths: Collection[str], of: Callable[[Rule], T]
    ) -> None:
        """`paths` are further ones to decode; `possible` says whether there is such a way."""
        self._matcher, self._narrow, self._of = matcher, narrow, of
        self._reads = tuple(sorted(_deciding(matcher, narrow)))
        self._projection = Projection(_all(matcher, narrow, paths))
        self._known: dict[tuple[Any, ...], tuple[T, ...] | None] = {}
        self._tuples: dict[tuple[int, ...], tuple[T, ...]] = {}
        self._seen = self._slow = 0
        self.columns: Mapping[str, Sequence[Any]] = {}
        self.found: Sequence[tuple[T, ...] | None] = ()

    @property
    def worth_it(self) -> bool:
        """False once most records turned out to be unusual."""
        return self._seen < _TRIED or self._slow * 2 < self._seen

    def scan(self, records: Sequence[bytes]) -> Scan:
        """As a Matcher's, of which there are hits for unusual records only."""
        columns, unusual = self._projection.columns(records)
        found = self._judged([columns[path] for path in self._reads])
        self.columns, self.found = columns, found
        for n in unusual:
            found[n] = None
        time = columns[self._narrow.time]
        scan = Scan([None if text is MISSING else text for text in time], [], [])
        slow = [n for n, rules in enumerate(found) if rules is None]
        self._seen += len(records)
        self._slow += len(slow)
        if slow:
            whole = self._matcher.scan([records[n] for n in slow])
            for n, text in zip(slow, whole.times, strict=True):
                scan.times[n] = text
            scan.hits.extend((slow[n], rules) for n, rules in whole.hits)
            scan.faults.extend(slow[n] for n in whole.faults)
        return scan

    def _judged(self, keys: Sequence[Sequence[Any]]) -> list[tuple[T, ...] | None]:
        known = self._known
        if len(known) > _REMEMBERED:
            known.clear()
        found: list[tuple[T, ...] | None] = []
        left = zip(*keys, strict=True)
        total = len(keys[0])
        while len(found) < total:
            try:
                found.extend(map(known.__getitem__, left))
            except KeyError:
                key = tuple(column[len(found)] for column in keys)
                known[key] = rules = self._judge(key)
                found.append(rules)
        return found

    def _judge(self, key: tuple[Any, ...]) -> tuple[T, ...] | None:
        record = {p: v for p, v in zip(self._reads, key, strict=True) if v is not MISSING}
        rules = self._matcher.match(record)
        if (rules or self._matcher.relevant(record)) and self._narrow.check is not None:
            try:
                self._narrow.check(record)
            except Unreadable:
                return None
        # One tuple for equal ones: who asks may know them by identity.
        return self._tuples.setdefault(
            tuple(map(id, rules)), tuple(self._of(rule) for rule in rules)
        )


def possible(matcher: Matcher, narrow: Narrow, paths: Collection[str]) -> bool:
    """True if the rules read some fields only, of which none leads through another."""
    if (
        narrow.check is None
        or narrow.named is None
        or any(rule.reads is None for rule in matcher.rules)
    ):
        return False
    return fits(_all(matcher, narrow, paths))


def _all(matcher: Matcher, narrow: Narrow, paths: Collection[str]) -> list[str]:
    named = narrow.named[:1] if narrow.named else ()
    return sorted({*_deciding(matcher, narrow), *paths, *named, narrow.time})


def _deciding(matcher: Matcher, narrow: Narrow) -> set[str]:
    """What decides over matches, and over whether a record is sound."""
    read = {path for rule in matcher.rules for path in rule.reads or ()}
    return read | set(narrow.looks) | set(narrow.relevant)
