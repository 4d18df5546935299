"""Alerting: the life of one alert, from the first leg that holds to its end, and its body."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from correlators.evidence import listed
from correlators.legs import Instance, Path, Standing, Strand
from correlators.surroundings import Surroundings
from schemas.alert import STAGES, AlertStatus, Stage
from schemas.canonical import digest
from schemas.convergence import Convergence
from schemas.times import rfc3339

SHOWN = 20  # a body names the first and the last 20 of long lists

Item = TypeVar("Item")


class Line(msgspec.Struct, array_like=True, frozen=True):
    """One line of the timeline."""

    time: int
    text: str
    evidence: tuple[tuple[str, str], ...] = ()


class Open(msgspec.Struct, array_like=True):
    """An open alert. Lists hold the first and last `SHOWN` different items in the order in which they came."""

    id: str
    onset: int
    first: int
    last: int
    stage: Stage
    peak: Stage
    join: str
    standing: Standing
    timeline: list[Line] = []
    evidence: list[tuple[str, str]] = []
    findings: list[str] = []
    entities: list[str] = []
    walked: list[str] = []
    path: Path = []
    tags: list[str] = []
    techniques: list[str] = []
    next: list[dict[str, Any]] = []
    likely: bool = False
    surroundings: Surroundings = Surroundings()
    verified: bool = False
    superseded_by: str | None = None

    def copy(self) -> Open:
        """A copy that can be changed: lists are replaced, never altered."""
        return msgspec.structs.replace(self)


class Draft(msgspec.Struct, array_like=True, frozen=True):
    """What the ledger needs of an alert; travels as JSON text in the body until the batch is completed."""

    at: int
    standing: Standing
    surroundings: Surroundings
    likely: bool


def begin(
    convergence: Convergence, system: str, cause: str, join: str, standing: Standing, time: int
) -> Open:
    """The alert of the first time at which the convergence holds; `cause` is the smallest row id of that time."""
    alert = Open(
        id=digest("alert", system, convergence.id, cause),
        onset=time,
        first=min((s.at for s in standing.strands if s.class_ != "posture"), default=time),
        last=time,
        stage=standing.stage,
        peak=standing.stage,
        join=join,
        standing=standing,
    )
    alert.timeline = [
        Line(time, f"{standing.stage}: {_legs(standing)}", _evidence(standing.strands))
    ]
    return alert


def move(alert: Open, standing: Standing, time: int, reason: str) -> None:
    """Take over what holds now; a change of stage is a line of the timeline."""
    if standing.stage != alert.stage:
        rose = STAGES.index(standing.stage) > STAGES.index(alert.stage)
        fresh = [s for s in standing.strands if s not in alert.standing.strands]
        text = f"{alert.stage} -> {standing.stage}: {_legs(standing) if rose else reason}"
        alert.timeline = shown(alert.timeline, [Line(time, text, _evidence(fresh) if rose else ())])
    else:
        for strand in standing.strands:
            if strand.family not in {s.family for s in alert.standing.strands}:
                line = Line(time, f"more evidence: {strand.title}", strand.evidence[:SHOWN])
                alert.timeline = shown(alert.timeline, [line])
    alert.stage = standing.stage
    if STAGES.index(alert.peak) < STAGES.index(alert.stage):
        alert.peak = alert.stage
    alert.standing = standing


def remember(alert: Open, instance: Instance, facts: Iterable[tuple[str, Path]]) -> None:
    """Keep what carries the alert: evidence, findings, entities, tags, and the lineage path it lies on."""
    hits = sorted(
        {h.leg: h for hits in instance.hits.values() for h in hits}.values(),
        key=lambda h: (h.at, h.leg),
    )
    alert.evidence = shown(
        alert.evidence, (pair for s in alert.standing.strands for pair in s.evidence)
    )
    alert.evidence = shown(alert.evidence, (pair for h in hits for pair in h.evidence))
    alert.findings = shown(alert.findings, (h.finding for h in hits if h.finding))
    alert.walked = shown(alert.walked, (e for h in hits for e in h.entities))
    alert.entities = shown(alert.entities, (e for h in hits for e in h.entities))
    alert.entities = shown(alert.entities, (entity for entity, _ in facts))
    alert.tags = shown(alert.tags, (tag for h in hits for tag in h.tags))
    alert.techniques = [tag for h in hits for tag in h.tags if tag.startswith("atlas.")]
    paths = [path for via in instance.via.values() for path in via.values()] + [
        path for _, path in facts
    ]
    alert.path = shown(alert.path, (step for path in paths for step in path))


def draft(
    convergence: Convergence, system: str, alert: Open, status: AlertStatus, time: int
) -> dict[str, Any]:
    """The body without its scores; `draft` holds what `correlators.priority` needs to complete it."""
    timeline = alert.timeline
    if status != "open":
        timeline = [*timeline, Line(time, f"{status} at {alert.stage}")]
    return {
        "id": alert.id,
        "thread": digest("thread", system, convergence.id),
        "convergence": convergence.id,
        "stage": alert.stage,
        "peak_stage": alert.peak,
        "status": status,
        "system": system,
        "title": convergence.title,
        "summary": f"{convergence.summary.strip()} Holding on {alert.join or system}: {_legs(alert.standing)}.",
        "severity": convergence.severity,
        "entities": [
            {"kind": k, "id": i} for k, _, i in (e.partition(":") for e in alert.entities)
        ],
        "findings": alert.findings,
        "timeline": [
            {"time": rfc3339(line.time), "text": line.text, "evidence": listed(line.evidence)}
            for line in timeline
        ],
        "path": [
            {
                "from": f,
                "relation": r,
                "to": t,
                "state": "walked" if {f, t} <= {*alert.walked, system} else "open",
            }
            for f, r, t in alert.path
        ],
        "next": alert.next,
        "tags": sorted({*alert.tags, *convergence.tags}),
        "first_time": rfc3339(alert.first),
        "onset_time": rfc3339(alert.onset),
        "last_time": rfc3339(alert.last),
        "expires_at": rfc3339(alert.last + convergence.ttl),
        "evidence": listed(alert.evidence),
        "draft": msgspec.json.encode(
            Draft(alert.last, alert.standing, alert.surroundings, alert.likely)
        ).decode(),
    }


def shown(kept: Sequence[Item], more: Iterable[Item]) -> list[Item]:
    """`kept` and the new ones of `more`: the first `SHOWN` ever, and the last `SHOWN` since."""
    out = list(kept)
    for item in more:
        if item not in out:
            out.append(item)
            if len(out) > 2 * SHOWN:
                del out[SHOWN]
    return out


def _legs(standing: Standing) -> str:
    titles = dict.fromkeys(strand.title for strand in standing.strands)
    return "; ".join(titles)


def _evidence(strands: Iterable[Strand]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(pair for s in strands for pair in s.evidence))[:SHOWN]
