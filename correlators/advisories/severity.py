"""Severity: the level that an advisory's word or score says."""

from __future__ import annotations

from typing import Final

from schemas.event import Level

_WORDS: Final[dict[str, Level]] = {
    "critical": "critical",
    "high": "high",
    "important": "high",
    "medium": "medium",
    "moderate": "medium",
    "low": "low",
    "info": "informational",
    "informational": "informational",
}
# The bands of CVSS 3 (qualitative severity rating scale).
_BANDS: Final[tuple[tuple[float, Level], ...]] = (
    (9.0, "critical"),
    (7.0, "high"),
    (4.0, "medium"),
    (0.1, "low"),
)


def of_word(word: object) -> Level | None:
    """None of a word that says nothing."""
    return _WORDS.get(word.strip().lower()) if isinstance(word, str) else None


def of_score(score: float | None) -> Level:
    """The level of a base score; informational without one."""
    for least, level in _BANDS:
        if (score or 0) >= least:
            return level
    return "informational"
