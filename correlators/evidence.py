"""Evidence: which records a claim rests on, as a body lists them."""

from __future__ import annotations

from collections.abc import Iterable

Pair = tuple[str, str]  # event uid, sha256 of the raw record


def listed(pairs: Iterable[Pair]) -> list[dict[str, str]]:
    """`[{event, sha256}]`, each once, in the order given."""
    return [{"event": event, "sha256": sha} for event, sha in dict.fromkeys(pairs)]
