"""Outlook: what is likely next on a system, issued as forecasts that are verified later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from correlators import feasibility
from correlators.alerting import Open
from correlators.atlas import fold, technique
from correlators.forecast import Forecaster, likely
from schemas.alert import NextStep
from schemas.canonical import digest
from schemas.convergence import Convergence
from schemas.times import DAY, HOUR, MINUTE, SECOND, rfc3339

STEPS = 3  # next steps that an alert names


class Forecast(msgspec.Struct, array_like=True, frozen=True):
    """One issued probability, in thousandths: `technique` follows in (issued, until]."""

    id: str
    alert: str
    system: str
    issued: int
    technique: str
    probability: int
    horizon: str
    until: int


def look(
    forecaster: Forecaster, convergence: Convergence, alert: Open, kinds: Sequence[str]
) -> list[dict[str, Any]]:
    """Puts the next steps into the alert; returns those of them that were not said before."""
    observed = tuple(id_ for tag in alert.techniques if (id_ := technique(tag)) is not None)
    steps = _next(forecaster, observed, tuple(kinds), span(convergence.window))
    now = [step.body() for step in steps]
    known = {step["technique"] for step in alert.next}
    alert.next, alert.likely = now, likely(steps)
    return [step for step in now if step["technique"] not in known]


@lru_cache(maxsize=4_096)  # asked at each look, and the techniques of an alert change seldom
def _next(
    forecaster: Forecaster, observed: tuple[str, ...], kinds: tuple[str, ...], horizon: str
) -> tuple[NextStep, ...]:
    return forecaster.next(observed, feasibility.on(kinds), horizon, STEPS)


def issue(
    alert: Open,
    system: str,
    convergence: Convergence,
    steps: Iterable[Mapping[str, Any]],
    time: int,
) -> Iterator[Forecast]:
    """One forecast for each new step: its horizon is the window of the convergence."""
    for step in steps:
        yield Forecast(
            id=digest("forecast", alert.id, step["technique"], time),
            alert=alert.id,
            system=system,
            issued=time,
            technique=step["technique"],
            probability=round(step["probability"] * 1000),
            horizon=step["horizon"],
            until=time + convergence.window,
        )


def hits(forecasts: Mapping[str, Forecast], seen: Sequence[str], time: int) -> list[Forecast]:
    """The open forecasts that came true at `time`; sub-techniques count as their technique."""
    names = {fold(id_) for tag in seen if (id_ := technique(tag)) is not None}
    return [
        f
        for _, f in sorted(forecasts.items())
        if f.issued < time <= f.until and f.technique in names
    ]


def body(forecast: Forecast, outcome: str, time: int | None) -> dict[str, Any]:
    """The record of a forecast; outcome open, hit or false_alarm."""
    said: dict[str, Any] = {
        "id": forecast.id,
        "alert": forecast.alert,
        "system": forecast.system,
        "issued": rfc3339(forecast.issued),
        "technique": forecast.technique,
        "probability": forecast.probability / 1000,
        "horizon": forecast.horizon,
        "until": rfc3339(forecast.until),
        "outcome": outcome,
    }
    if time is not None:
        said["outcome_time"] = rfc3339(time)
    return said


def span(micros: int) -> str:
    """`90m`, `36h`, `7d`: the largest unit that says it exactly."""
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE)):
        if micros % size == 0:
            return f"{micros // size}{unit}"
    return f"{micros // SECOND}s"
