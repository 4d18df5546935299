"""Verdict: whether a tool call would be all right, as advice with its reasons."""

from __future__ import annotations

from typing import Final, Literal

from infra.api.answers import Moment, dicts
from infra.api.route import Asked, Route
from infra.verdict.call import Call
from infra.verdict.rules import Word
from infra.verdict.verdict import reasons, word
from schemas.alert import Stage
from schemas.event import Record
from schemas.times import SECOND

_ALERTS: Final = """
SELECT id, title, stage, priority, system FROM open_alerts WHERE list_contains($ids, id)
ORDER BY priority DESC, id"""


class Said(Record):
    """What one rule found. `evidence`: ids of alerts, facts and edges, or names of things."""

    rule: str
    verdict: Word
    text: str
    evidence: tuple[str, ...]


class Concerned(Record):
    """An open alert that speaks against the call."""

    id: str
    title: str | None
    stage: Stage
    priority: int | None
    system: str | None


class Verdict(Record):
    """Advice: nothing is blocked by it. `age_seconds`: how old the snapshot is that it rests on."""

    verdict: Word
    reasons: tuple[Said, ...]
    alerts: tuple[Concerned, ...]
    snapshot: Moment
    age_seconds: float
    advice: Literal[True] = True


def verdict(asked: Asked, call: Call) -> Verdict:
    """Whether a tool call would be all right: allow, warn, deny or unknown. Advice only."""
    found = reasons(asked.reader, call, asked.approved, asked.seconds)
    ids = [id_ for reason in found if reason.rule.endswith("_open") for id_ in reason.evidence]
    alerts = asked.reader.run(_ALERTS, {"ids": ids}, rows=asked.rows, seconds=asked.seconds)
    return Verdict(
        verdict=word(found),
        reasons=tuple(Said(**reason._asdict()) for reason in found),
        alerts=tuple(Concerned.model_validate(row) for row in dicts(alerts)),
        snapshot=asked.taken,
        age_seconds=max(0, asked.now - asked.taken) / SECOND,
    )


ROUTES: Final = (Route("post", "/verdict", verdict),)
