"""Outlook: the steps that likely follow on a system, and what becomes of the forecasts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from correlators.forecast import Forecaster
from correlators.outlook import span
from schemas.canonical import digest
from schemas.rows import Row
from schemas.times import DAY, HOUR, MINUTE, SECOND
from tests.correlators.assessing import SYSTEM, USE, alerts, assess, at, leg
from tests.correlators.stage import bodies
from tests.correlators.stories import AGENT, story

TACTICS: dict[str, Sequence[str]] = {"AML.T0051": (), "AML.T0086": (), "end": ()}
# After T0051 comes T0086: surely, or one time in five; otherwise nothing follows.
SURE = Forecaster([["AML.T0051", "AML.T0086"]] * 9 + [["end", "end"]] * 40, TACTICS)
UNSURE = Forecaster(
    [["AML.T0051", "AML.T0086"]] * 4 + [["AML.T0051", "end"]] * 12 + [["end", "end"]] * 40, TACTICS
)


def tagged(minute: float, of: str = "use", tag: str = "t0051") -> Row:
    return leg(minute, of, [AGENT, "tool:mail"], tags=[f"atlas.aml-{tag}"])


def test_a_likely_next_step_makes_a_watch_a_warning() -> None:
    rows = [tagged(1), leg(2, "deploy")]
    (alert,) = alerts(*rows, until=5, forecaster=SURE)
    assert alert["stage"] == "warning"
    assert [step["technique"] for step in alert["next"]] == ["AML.T0086"]
    assert [term["term"] for term in alert["why"] if term["term"] == "likely"] == ["likely"]
    (alert,) = alerts(*rows, until=5, forecaster=UNSURE)
    assert alert["stage"] == "watch"
    assert [step["technique"] for step in alert["next"]] == ["AML.T0086"]


def test_a_next_step_is_a_forecast_for_the_window_of_the_story() -> None:
    (body,) = bodies(assess(tagged(1), until=5, forecaster=SURE), "forecast")
    (alert,) = alerts(tagged(1), until=5, forecaster=SURE)
    assert body == {
        "id": digest("forecast", alert["id"], "AML.T0086", MINUTE),
        "alert": alert["id"],
        "system": SYSTEM,
        "issued": at(1),
        "technique": "AML.T0086",
        "probability": alert["next"][0]["probability"],
        "horizon": "10m",
        "until": at(11),
        "outcome": "open",
    }


def test_what_a_system_has_no_part_for_is_not_foretold() -> None:
    (alert,) = alerts(leg(1, tags=["atlas.aml-t0051"]), until=5, forecaster=SURE)
    assert alert["next"] == []  # T0086 needs a tool


@pytest.mark.parametrize(
    ("minute", "outcome", "time"),
    [(3, "hit", 3), (11, "hit", 11), (11.5, "false_alarm", 11)],
    ids=["in time", "at the end of the horizon", "too late"],
)
def test_a_forecast_comes_true_or_not(minute: float, outcome: str, time: int) -> None:
    rows = [tagged(1), tagged(minute, "deploy", "t0086")]
    (body,) = bodies(assess(*rows, until=12, forecaster=SURE), "forecast")
    assert (body["outcome"], body["outcome_time"]) == (outcome, at(time))


def test_an_everyday_signal_that_fills_no_leg_makes_no_forecast_true() -> None:
    chain = story({"use": USE, "deploy": USE, "sale": {**USE, "after": "deploy"}})
    rows = [tagged(1), tagged(3, "sale", "t0086")]
    (body,) = bodies(assess(*rows, stories=[chain], until=5, forecaster=SURE), "forecast")
    assert body["outcome"] == "open"


def test_an_alert_whose_forecast_came_true_is_verified_in_the_end() -> None:
    rows = [tagged(1), tagged(3, "deploy", "t0086")]
    outputs = assess(*rows, forecaster=SURE)
    assert [body["status"] for body in bodies(outputs, "alert")] == ["verified"]


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (7 * DAY, "7d"),
        (24 * HOUR, "1d"),
        (36 * HOUR, "36h"),
        (90 * MINUTE, "90m"),
        (61 * SECOND, "61s"),
    ],
)
def test_a_span_is_said_in_the_largest_unit_that_fits(micros: int, text: str) -> None:
    assert span(micros) == text
