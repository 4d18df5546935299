"""Declared: the systems of the configuration as rows of an input of their own."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.config import SystemConfig
from schemas.rows import Output, Row, Tick
from schemas.times import BEGINNING, END
from schemas.topics import FACTS

DECLARED = "@config"  # the name of the input; no user's name
Edge = tuple[str, str]  # keys of two entities


def edges(systems: Iterable[SystemConfig]) -> list[Edge]:
    """What the configuration declares, sorted."""
    return sorted({(s.root.key, member.key) for s in systems for member in s.members})


def said(before: Iterable[Edge], now: Iterable[Edge], time: int) -> list[Output]:
    """What the configuration declares now, and what it no longer does.

    It holds from `time` on: the beginning, or a time that no stage has passed. Nothing waits for
    this input afterwards.
    """
    old, new = set(before), set(now)
    rows = [
        _row(root, member, state, time)
        for state, found in (("closed", old - new), ("open", new - old))
        for root, member in sorted(found)
    ]
    return [*rows, Tick(DECLARED, 0, END, BEGINNING)]


def _row(root: str, member: str, state: str, time: int) -> Row:
    body = {"relation": "uses", "to": member, "declared": True, "state": state, "at": time}
    return Row(FACTS, 0, root, time, f"declared|{member}|{state}", "edge", body)
