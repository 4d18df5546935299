"""Verdict: all rules asked of a call; the gravest word of their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from infra.reading.reader import Reader
from infra.verdict.call import Call, situation
from infra.verdict.rules import RULES, WORDS, Word

REASONS: Final = 20  # of one rule


class Reason(NamedTuple):
    """What a rule found; `evidence` are ids of alerts, facts and edges, or names of things."""

    rule: str
    verdict: Word
    text: str
    evidence: tuple[str, ...]


def reasons(
    reader: Reader, call: Call, approved: Sequence[str], seconds: float
) -> tuple[Reason, ...]:
    """What speaks for and against the call, in the order of RULES; the same store, the same."""
    asked: dict[str, Any] = situation(reader, call, seconds)._asdict()
    asked["approved"] = list(approved)
    asked["unseen"] = list(asked["unseen"])
    found: list[Reason] = []
    for rule in RULES:
        given = {name: value for name, value in asked.items() if f"${name}" in rule.query}
        rows = reader.run(rule.query, given, rows=REASONS, seconds=seconds).rows
        found += [Reason(rule.name, rule.verdict, text, tuple(ids)) for text, ids in rows]
    return tuple(found)


def word(found: Sequence[Reason]) -> Word:
    """The gravest word of the reasons; without any it is unknown: absence allows nothing."""
    said = {reason.verdict for reason in found}
    gravest: Word = "unknown"
    for word in reversed(WORDS):
        if word in said:
            gravest = word
    return gravest
