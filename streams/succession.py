"""Succession: one rule set follows another; what is known of each, and the row that records it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from correlators.ruleset import Ruleset
from schemas.times import BEGINNING, rfc3339
from streams.outdated import Stated, is_habit, stated

SHOWN: Final = 100  # rules that a row names of each list


class Known(msgspec.Struct, array_like=True, frozen=True):
    """What a driver saves of the rules that its state belongs to.

    `meanings`: hashes of detections by id, see `Ruleset`.
    """

    sha256: str = ""
    rules: dict[str, Stated] = {}
    meanings: dict[str, str] = {}

    @property
    def count(self) -> int:
        """How many rules there are."""
        return len(self.hashes())

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all rules."""
        return frozenset(name.partition(" ")[2] for name in self.hashes())

    def hashes(self) -> dict[str, str]:
        """By kind and id, what is equal where a rule does the same."""
        found = {f"detection {id_}": meaning for id_, meaning in self.meanings.items()}
        # A habit is its detection.
        own = {name: rule for name, rule in self.rules.items() if not is_habit(name)}
        return found | {name: rule.fingerprint for name, rule in own.items()}


class Named(msgspec.Struct, frozen=True):
    """Rules by kind and id: how many, and the first of them."""

    count: int
    first: list[str]


class Succession(msgspec.Struct, frozen=True):
    """The row of a change: these rules hold from `watermark` on, the highest of any stage.

    It is None where time has not begun. The change lies behind so many `read` records of each
    input. `changed` are rules that say something else, in their own text or in what they refer to;
    `time` is that of the wall clock.
    """

    sha256: str
    rules: int
    watermark: str | None
    time: str
    read: dict[str, int]
    added: Named
    changed: Named
    removed: Named


def known(ruleset: Ruleset) -> Known:
    """What is known of these rules."""
    return Known(ruleset.sha256, stated(ruleset), dict(ruleset.meanings))


def succession(
    before: Known, now: Known, watermark: int, read: Mapping[str, int], time: int
) -> Succession:
    """The row of the change from `before` to `now`."""
    old, new = before.hashes(), now.hashes()
    return Succession(
        sha256=now.sha256,
        rules=now.count,
        watermark=rfc3339(watermark) if watermark > BEGINNING else None,
        time=rfc3339(time),
        read=dict(read),
        added=_named(new.keys() - old.keys()),
        changed=_named(name for name in new.keys() & old.keys() if new[name] != old[name]),
        removed=_named(old.keys() - new.keys()),
    )


def _named(rules: Iterable[str]) -> Named:
    found = sorted(rules)
    return Named(len(found), found[:SHOWN])
