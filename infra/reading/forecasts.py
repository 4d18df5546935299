"""How forecasts came out: the figures by which weather forecasters are judged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Verification(NamedTuple):
    """Counts of issued forecasts, and their Brier score (0 is perfect; None: nothing to judge)."""

    issued: int
    open: int
    hits: int
    false_alarms: int
    brier: float | None

    @property
    def false_alarm_ratio(self) -> float | None:
        """False alarms / (hits + false alarms)."""
        judged = self.hits + self.false_alarms
        return self.false_alarms / judged if judged else None


def verified(outcomes: Iterable[tuple[str, float]]) -> Verification:
    """The verification of (outcome, probability) pairs; outcomes are open, hit, false_alarm.

    An open forecast is not judged yet: it has no part in the Brier score.
    """
    pairs = list(outcomes)
    errors = [(p - (outcome == "hit")) ** 2 for outcome, p in pairs if outcome != "open"]
    hits = sum(outcome == "hit" for outcome, _ in pairs)
    return Verification(
        issued=len(pairs),
        open=len(pairs) - len(errors),
        hits=hits,
        false_alarms=len(errors) - hits,
        brier=sum(errors) / len(errors) if errors else None,
    )


class Bin(NamedTuple):
    """Judged forecasts whose probabilities lie in one tenth: how many, what was said, what came."""

    tenth: int
    judged: int
    said: float
    came: float


def reliability(outcomes: Iterable[tuple[str, float]]) -> list[Bin]:
    """The reliability diagram as rows: forecasts are honest where `came` is near `said`."""
    tenths: dict[int, list[tuple[float, bool]]] = {}
    for outcome, probability in outcomes:
        if outcome != "open":
            tenth = min(int(probability * 10), 9)
            tenths.setdefault(tenth, []).append((probability, outcome == "hit"))
    return [
        Bin(
            tenth,
            len(judged),
            sum(probability for probability, _ in judged) / len(judged),
            sum(hit for _, hit in judged) / len(judged),
        )
        for tenth, judged in sorted(tenths.items())
    ]
