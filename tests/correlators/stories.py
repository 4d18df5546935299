"""Stories: small convergences, hits and facts, as tests of legs, standing and assess need them."""

from __future__ import annotations

from typing import Any

from correlators.legs import Held, Instance, add
from correlators.standing import OpenFact
from schemas.convergence import Convergence
from schemas.times import MINUTE
from tests.correlators.stage import ZERO

AGENT = "agent:a"


def story(legs: dict[str, dict[str, Any]], **more: Any) -> Convergence:  # noqa: ANN401 - JSON
    """A convergence on an agent with a window of ten minutes; a leg `x` is filled by rule `x`."""
    stated = {
        "id": "story",
        "title": "Story",
        "summary": "Something happened.",
        "join": "agent",
        "window": 10 * MINUTE,
        "ttl": 60 * MINUTE,
        "legs": {
            name: leg if "levels" in leg or leg["class"] == "posture" else {"of": (name,), **leg}
            for name, leg in legs.items()
        },
    }
    return Convergence.model_validate(stated | more)


def hit(
    minute: float,
    of: str = "use",
    family: str = "",
    level: str = "high",
    confidence: int = 700,
    leg: str = "",
) -> Held:
    time = round(minute * MINUTE)
    return Held(
        at=time,
        start=time,
        leg=leg or f"{of}@{minute}",
        of=of,
        title=f"Title of {of}",
        level=level,
        family=family or of,
        confidence=confidence,
        tags=(),
        signals=(f"signal-{of}-{minute}",),
        evidence=((f"event-{of}-{minute}", ZERO),),
        entities=(AGENT,),
        finding=None,
    )


def open_fact(
    name: str = "exposed", entity: str = AGENT, family: str = "", severity: str = "high"
) -> OpenFact:
    return OpenFact(
        entity=entity,
        name=name,
        instance="",
        since=0,
        title=f"Title of {name}",
        severity=severity,
        family=family or name,
        confidence=900,
        tags=(),
        evidence=((f"event-{name}", ZERO),),
        path=[],
    )


def take(convergence: Convergence, instance: Instance, one: Held, via: str = AGENT) -> bool:
    """Take a hit at its own time into the leg that is called like its rule."""
    return add(convergence, instance, one.of, one, via, [], one.at)


def filled(convergence: Convergence, *hits: Held) -> Instance:
    instance = Instance()
    for one in hits:
        take(convergence, instance, one)
    return instance
