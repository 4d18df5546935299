"""Verification: what became of the forecasts that were issued, and how good they were.

Everything stored is an integer; the scores are exact fractions of these integers. They are counted
as for severe weather warnings: false alarms over forecasts, misses over what happened, since
several forecasts may foretell one event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

import msgspec

from correlators.atlas import fold

BINS = 10  # of reliability: 0-99 per mille, 100-199, ... 900-1000

Outcome = Literal["hit", "false_alarm", "open"]


class Forecast(NamedTuple):
    """One next step as it was issued: when, what, with how many per mille, within how long.

    `time` and `horizon` in microseconds.
    """

    time: int
    technique: str
    probability: int
    horizon: int

    @property
    def deadline(self) -> int:
        """The last moment at which the technique makes this a hit."""
        return self.time + self.horizon


class Seen(NamedTuple):
    """A technique that evidence shows at a time."""

    time: int
    technique: str


class Verdict(NamedTuple):
    """What became of a forecast; `lead` of a hit: microseconds from the issue to the evidence."""

    forecast: Forecast
    outcome: Outcome
    lead: int | None = None


class Verified(NamedTuple):
    """One system: its forecasts in order of issue, the lead of each event foretold, the misses."""

    verdicts: tuple[Verdict, ...]
    leads: tuple[int, ...]
    misses: tuple[Seen, ...]


class Board(msgspec.Struct, frozen=True):
    """Counts that add up over systems and days, and the scores that follow from them.

    `lead` and `squares` are sums: microseconds over the events foretold, squared errors in
    millionths over the forecasts that are no longer open. `bins`: forecasts, their per mille, hits.
    A score of nothing is None.
    """

    hits: int = 0
    false_alarms: int = 0
    open: int = 0
    foretold: int = 0
    misses: int = 0
    lead: int = 0
    squares: int = 0
    bins: tuple[tuple[int, int, int], ...] = ((0, 0, 0),) * BINS

    def __add__(self, other: Board) -> Board:
        return Board(
            self.hits + other.hits,
            self.false_alarms + other.false_alarms,
            self.open + other.open,
            self.foretold + other.foretold,
            self.misses + other.misses,
            self.lead + other.lead,
            self.squares + other.squares,
            tuple(
                (n + m, p + q, h + i)
                for (n, p, h), (m, q, i) in zip(self.bins, other.bins, strict=True)
            ),
        )

    @property
    def brier(self) -> Fraction | None:
        """Mean squared error of the probabilities: 0 is perfect, always 50 % gets 1/4."""
        return _ratio(self.squares, 1_000_000 * (self.hits + self.false_alarms))

    @property
    def pod(self) -> Fraction | None:
        """Probability of detection: the share of events that were foretold."""
        return _ratio(self.foretold, self.foretold + self.misses)

    @property
    def far(self) -> Fraction | None:
        """False alarm ratio: the share of forecasts that nothing met."""
        return _ratio(self.false_alarms, self.hits + self.false_alarms)

    @property
    def csi(self) -> Fraction | None:
        """Critical success index, 1 / (1/POD + 1/(1 - FAR) - 1); 0 where nothing was foretold."""
        if self.pod is None or self.far is None:
            return None
        return (
            1 / (1 / self.pod + 1 / (1 - self.far) - 1) if self.pod and self.hits else Fraction(0)
        )

    @property
    def mean_lead(self) -> Fraction | None:
        """Mean microseconds from the earliest forecast of an event to the event."""
        return _ratio(self.lead, self.foretold)

    @property
    def reliability(self) -> tuple[tuple[Fraction, Fraction, int], ...]:
        """Mean forecast, observed frequency and number of each bin that has any, lowest first."""
        return tuple((Fraction(p, 1000 * n), Fraction(h, n), n) for n, p, h in self.bins if n)


def verify(forecasts: Iterable[Forecast], seen: Iterable[Seen], until: int) -> Verified:
    """Hold the forecasts of one system against what was seen on it up to `until`.

    Sub-techniques are folded. A technique seen after the issue and no later than the deadline makes
    a hit; a deadline before `until` that nothing met, a false alarm; anything else is open.
    An event is the first time of a technique, except the opening, which nothing could foretell. An
    event that no forecast foretold is a miss; its lead is that of the earliest that did.
    """
    issued = sorted(f._replace(technique=fold(f.technique)) for f in forecasts)
    known = sorted(Seen(s.time, fold(s.technique)) for s in seen if s.time <= until)
    verdicts = tuple(_verdict(forecast, known, until) for forecast in issued)
    first: dict[str, Seen] = {}
    for one in known:
        first.setdefault(one.technique, one)
    events = [event for event in first.values() if event.time > known[0].time]
    earliest = [next((f for f in issued if _met(f, event)), None) for event in events]
    pairs = list(zip(events, earliest, strict=True))
    return Verified(
        verdicts,
        leads=tuple(event.time - f.time for event, f in pairs if f is not None),
        misses=tuple(event for event, f in pairs if f is None),
    )


def board(verified: Verified) -> Board:
    """Count one system's verdicts, events and misses."""
    outcomes = Counter(verdict.outcome for verdict in verified.verdicts)
    squares = 0
    bins = [(0, 0, 0)] * BINS
    for forecast, outcome, _ in verified.verdicts:
        if outcome != "open":
            hit = int(outcome == "hit")
            squares += (forecast.probability - 1000 * hit) ** 2
            place = min(forecast.probability * BINS // 1000, BINS - 1)
            n, p, h = bins[place]
            bins[place] = (n + 1, p + forecast.probability, h + hit)
    return Board(
        hits=outcomes["hit"],
        false_alarms=outcomes["false_alarm"],
        open=outcomes["open"],
        foretold=len(verified.leads),
        misses=len(verified.misses),
        lead=sum(verified.leads),
        squares=squares,
        bins=tuple(bins),
    )


def _met(forecast: Forecast, seen: Seen) -> bool:
    return seen.technique == forecast.technique and forecast.time < seen.time <= forecast.deadline


def _verdict(forecast: Forecast, known: Sequence[Seen], until: int) -> Verdict:
    met = next((seen for seen in known if _met(forecast, seen)), None)
    if met is not None:
        return Verdict(forecast, "hit", met.time - forecast.time)
    return Verdict(forecast, "false_alarm" if forecast.deadline < until else "open")


def _ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None
