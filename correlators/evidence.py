"""Evidence: which records a claim rests on, and how a body lists them and all else that is long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

SHOWN = 20  # a body names the first and the last 20 of long lists

Pair = tuple[str, str]  # event uid, sha256 of the raw record
Item = TypeVar("Item")


def listed(pairs: Iterable[Pair]) -> list[dict[str, str]]:
    """`[{event, sha256}]`, each once, in the order given."""
    return [{"event": event, "sha256": sha} for event, sha in dict.fromkeys(pairs)]


def shown(kept: Sequence[Item], more: Iterable[Item]) -> list[Item]:
    """`kept` and the new ones of `more`: the first `SHOWN` ever, and the last `SHOWN` since."""
    out = list(kept)
    for item in more:
        if item not in out:
            out.append(item)
            if len(out) > 2 * SHOWN:
                del out[SHOWN]
    return out


def union(parts: Iterable[Iterable[Item]]) -> tuple[Item, ...]:
    """All items once, in order of first appearance."""
    return tuple(dict.fromkeys(item for part in parts for item in part))
