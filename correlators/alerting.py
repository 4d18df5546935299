"""Alerting: the life of one alert, from the first leg that holds to its end, and its body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from correlators.evidence import SHOWN, Pair, listed, shown, union
from correlators.legs import Instance, Path
from correlators.standing import Standing, Strand
from correlators.surroundings import Surroundings
from schemas.alert import STAGES, AlertStatus, Stage
from schemas.canonical import digest
from schemas.convergence import Convergence
from schemas.times import rfc3339


class Line(msgspec.Struct, array_like=True, frozen=True):
    """One line of the timeline."""

    time: int
    text: str
    evidence: tuple[Pair, ...] = ()


class Open(msgspec.Struct, array_like=True):
    """An open alert.

    Lists hold the first and last `SHOWN` different items in the order in which they came.
    """

    id: str
    onset: int
    first: int
    last: int
    stage: Stage
    peak: Stage
    join: str
    standing: Standing
    timeline: list[Line] = []
    evidence: list[Pair] = []
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
    """What the ledger needs of an alert.

    Travels as JSON text in the body until the batch is completed.
    """

    at: int
    standing: Standing
    surroundings: Surroundings
    likely: bool


def begin(
    convergence: Convergence, system: str, cause: str, join: str, standing: Standing, time: int
) -> Open:
    """The alert of the first time at which the convergence holds.

    `cause` is the smallest row id of that time: it makes the id.
    """
    return Open(
        id=digest("alert", system, convergence.id, cause),
        onset=time,
        first=min((s.at for s in standing.strands if s.class_ != "posture"), default=time),
        last=time,
        stage=standing.stage,
        peak=standing.stage,
        join=join,
        standing=standing,
        timeline=[Line(time, f"{standing.stage}: {_legs(standing)}", _evidence(standing.strands))],
    )


def move(alert: Open, standing: Standing, time: int, reason: str) -> None:
    """Take over what holds now.

    A change of stage is a line of the timeline (of a fall, `reason` says why), else each family
    that is new.
    """
    alert.timeline = shown(alert.timeline, _lines(alert, standing, time, reason))
    alert.stage, alert.standing = standing.stage, standing
    if STAGES.index(alert.peak) < STAGES.index(alert.stage):
        alert.peak = alert.stage


def _lines(alert: Open, standing: Standing, time: int, reason: str) -> Iterator[Line]:
    if standing.stage == alert.stage:
        known = {strand.family for strand in alert.standing.strands}
        for strand in standing.strands:
            if strand.family not in known:
                yield Line(time, f"more evidence: {strand.title}", strand.evidence[:SHOWN])
    elif STAGES.index(standing.stage) > STAGES.index(alert.stage):
        fresh = [strand for strand in standing.strands if strand not in alert.standing.strands]
        text = f"{alert.stage} -> {standing.stage}: {_legs(standing)}"
        yield Line(time, text, _evidence(fresh))
    else:
        yield Line(time, f"{alert.stage} -> {standing.stage}: {reason}")


def remember(alert: Open, instance: Instance, facts: Sequence[tuple[str, Path]]) -> None:
    """Keep what carries the alert: evidence, findings, entities, tags and its lineage path.

    `facts`: the entities that posture speaks of, with the paths to them.
    """
    held = {hit.leg: hit for hits in instance.hits.values() for hit in hits}
    hits = sorted(held.values(), key=lambda hit: (hit.at, hit.leg))
    strands = alert.standing.strands
    alert.evidence = shown(alert.evidence, (pair for strand in strands for pair in strand.evidence))
    alert.evidence = shown(alert.evidence, (pair for hit in hits for pair in hit.evidence))
    alert.findings = shown(alert.findings, (hit.finding for hit in hits if hit.finding))
    alert.walked = shown(alert.walked, (entity for hit in hits for entity in hit.entities))
    alert.entities = shown(alert.entities, (entity for hit in hits for entity in hit.entities))
    alert.entities = shown(alert.entities, (entity for entity, _ in facts))
    alert.tags = shown(alert.tags, (tag for hit in hits for tag in hit.tags))
    alert.techniques = [tag for hit in hits for tag in hit.tags if tag.startswith("atlas.")]
    paths = [path for via in instance.via.values() for path in via.values()]
    paths += [path for _, path in facts]
    alert.path = shown(alert.path, (step for path in paths for step in path))


def draft(
    convergence: Convergence, system: str, alert: Open, status: AlertStatus, time: int
) -> dict[str, Any]:
    """The body without its scores; its `draft` is what `correlators.priority` needs to add them."""
    end = [] if status == "open" else [Line(time, f"{status} at {alert.stage}")]
    walked = {*alert.walked, system}
    scored = Draft(alert.last, alert.standing, alert.surroundings, alert.likely)
    covered = {"superseded_by": alert.superseded_by} if status == "superseded" else {}
    return {
        "id": alert.id,
        "thread": digest("thread", system, convergence.id),
        "convergence": convergence.id,
        "stage": alert.stage,
        "peak_stage": alert.peak,
        "status": status,
        **covered,
        "system": system,
        "title": convergence.title,
        "summary": f"{convergence.summary.strip()} Holding on {alert.join or system}: "
        f"{_legs(alert.standing)}.",
        "severity": convergence.severity,
        "entities": [
            {"kind": k, "id": i} for k, _, i in (e.partition(":") for e in alert.entities)
        ],
        "findings": alert.findings,
        "timeline": [
            {"time": rfc3339(line.time), "text": line.text, "evidence": listed(line.evidence)}
            for line in (*alert.timeline, *end)
        ],
        "path": [
            {"from": f, "relation": r, "to": t, "state": "walked" if {f, t} <= walked else "open"}
            for f, r, t in alert.path
        ],
        "next": alert.next,
        "tags": sorted({*alert.tags, *convergence.tags}),
        "first_time": rfc3339(alert.first),
        "onset_time": rfc3339(alert.onset),
        "last_time": rfc3339(alert.last),
        "expires_at": rfc3339(alert.last + convergence.ttl),
        "evidence": listed(alert.evidence),
        "draft": msgspec.json.encode(scored).decode(),
    }


def _legs(standing: Standing) -> str:
    titles = dict.fromkeys(strand.title for strand in standing.strands)
    return "; ".join(titles)


def _evidence(strands: Iterable[Strand]) -> tuple[Pair, ...]:
    return union(strand.evidence for strand in strands)[:SHOWN]
