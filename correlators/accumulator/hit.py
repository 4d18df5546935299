"""Hit: what a rule sees of an event."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from correlators.evidence import Pair


class Hit(msgspec.Struct, frozen=True, array_like=True):
    """An event, or a qualifying time of a lower correlation, as one rule sees it.

    `names` are the referred rules that it stands for; `value` the counted value, compared as text
    ignoring case, or the number as `correlators.accumulator.number` writes it. `signals` and
    `evidence` say what it rests on; `entities` are keys `kind:id`.
    """

    time: int
    id: str
    names: tuple[str, ...]
    value: str | None = None
    signals: tuple[str, ...] = ()
    evidence: tuple[Pair, ...] = ()
    entities: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


def order(hit: Hit) -> tuple[int, str]:
    """By time, then by id."""
    return hit.time, hit.id


def distinct(hits: Iterable[Hit]) -> list[Hit]:
    """Each hit once, in order."""
    return sorted({(hit.time, hit.id): hit for hit in hits}.values(), key=order)
