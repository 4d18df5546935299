"""Footnotes: the evidence of one alert, numbered in the order in which the claims name it."""

from __future__ import annotations

from schemas.alert import Alert
from schemas.finding import Evidence


def footnotes(alert: Alert) -> dict[Evidence, int]:
    """Each distinct piece and its number from 1: the ledger's, then the timeline's, then others."""
    told = [*(term.evidence for term in alert.why), *(line.evidence for line in alert.timeline)]
    pieces = dict.fromkeys(piece for claim in (*told, alert.evidence) for piece in claim)
    return {piece: number for number, piece in enumerate(pieces, start=1)}
