"""Assessing: rows of one AI system, and the alerts that they give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from correlators.assess import Assess
from correlators.forecast import Forecaster
from correlators.priority import complete
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from schemas.convergence import Convergence
from schemas.rows import Output, Row
from schemas.times import MINUTE, rfc3339
from tests.correlators.stage import ZERO, bodies, whole
from tests.correlators.stories import AGENT, story

SYSTEM = "application:chat"
QUIET = Forecaster([], {"end": ()})  # foretells nothing

USE = {"class": "runtime"}
EXPOSED = {"class": "posture", "fact": "exposed", "on": "agent"}
STORY = story({"use": USE, "deploy": {"class": "change"}, "weak": EXPOSED})


def leg(
    minute: float,
    of: str = "use",
    entities: Sequence[str] = (AGENT,),
    entity: str = AGENT,
    at: float | None = None,
    tags: Sequence[str] = (),
    family: str = "",
) -> Row:
    at = minute if at is None else at
    body = {
        "of": of,
        "title": f"Title of {of}",
        "level": "high",
        "confidence": 700,
        "family": family or of,
        "tags": list(tags),
        "signals": [f"signal-{of}-{at}"],
        "evidence": [[f"event-{of}-{at}", ZERO]],
        "entities": list(entities),
        "leg": f"{of}@{at}",
        "at": round(at * MINUTE),
        "entity": entity,
        "path": [[SYSTEM, "runs", AGENT]],
    }
    time = round(minute * MINUTE)
    return Row("assess", 0, SYSTEM, time, f"leg-{of}-{at}-{entity}", "leg", body)


def fact(
    minute: float, state: str = "open", name: str = "exposed", instance: str = "", on: str = AGENT
) -> Row:
    body = {
        "name": name,
        "instance": instance,
        "state": state,
        "since": round(minute * MINUTE),
        "title": f"Title of {name}",
        "severity": "medium",
        "family": name,
        "confidence": 900,
        "tags": [],
        "evidence": [[f"event-{name}-{minute}", ZERO]],
        "entity": on,
        "path": [[SYSTEM, "runs", AGENT]],
    }
    id_ = f"fact-{name}-{instance}-{state}-{minute}"
    return Row("assess", 0, SYSTEM, round(minute * MINUTE), id_, "posture", body)


def leaves(minute: float, entity: str = AGENT) -> Row:
    body = {"entity": entity, "path": []}
    return Row("assess", 0, SYSTEM, round(minute * MINUTE), f"leave-{minute}", "leave", body)


def logic(*stories: Convergence, forecaster: Forecaster = QUIET) -> Assess:
    routes = Routes(Ruleset(convergences=stories))
    return Assess(stories, routes, complete, forecaster)


def assess(
    *rows: Row,
    until: float = 10 * 60,
    stories: Sequence[Convergence] = (STORY,),
    forecaster: Forecaster = QUIET,
) -> list[Output]:
    return whole(logic(*stories, forecaster=forecaster), list(rows), round(until * MINUTE))


def alerts(*rows: Row, **how: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as `assess` has them
    return bodies(assess(*rows, **how), "alert")


def lines(alert: dict[str, Any]) -> list[tuple[float, str]]:
    """The timeline, times in minutes."""
    told = {rfc3339(n * MINUTE): n for n in range(24 * 60)}
    return [(told[line["time"]], line["text"]) for line in alert["timeline"]]


def at(minute: float) -> str:
    return rfc3339(round(minute * MINUTE))
