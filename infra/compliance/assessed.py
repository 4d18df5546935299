"""Assessed: what a store says of the controls of one framework, and whether it still holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from correlators.known import ESTATE
from correlators.standards import standards
from infra.reading.reader import Reader
from schemas.errors import Mistake
from schemas.framework import STATUSES, Control, Framework
from schemas.times import parse, rfc3339

Body = Mapping[str, Any]

ROWS: Final = 1_000_000
STALE: Final = "held until {}, and nothing was heard since"
EMPTY: Final = (
    "{} holds nothing that could be assessed; `barograph demo` fills a store to look at,"
    " `barograph replay` reads your files"
)
OLD: Final = (
    "{} was written before controls were assessed in it; replay its input, or start `barograph run`"
    " on it, once more"
)
_THERE: Final = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'criteria'"
_NEWEST: Final = "SELECT time FROM newest"
_SCOPES: Final = "SELECT root FROM systems WHERE $system IN (root, name) ORDER BY root"
_CONTROLS: Final = """
SELECT body FROM controls WHERE framework = $framework AND ($scope IS NULL OR scope = $scope)"""
_CRITERIA: Final = "SELECT body FROM criteria ORDER BY criterion, scope"
_ORIGINS: Final = "SELECT uid, origin FROM events WHERE list_contains($events, uid)"


class Answer(NamedTuple):
    """One control in one scope, as it stands at the time that was asked about.

    `status` is that of the body unless time has ended it; `reason` says so then.
    """

    control: Control
    body: Body
    status: str
    reason: str

    @property
    def scope(self) -> str:
        """ESTATE or the root of an AI system."""
        return str(self.body["scope"])


class Assessment(NamedTuple):
    """Answers in the order of the framework, their criteria, and where the evidence lies.

    `time`: when it was assessed, in event time; `at`: the time for which it is told.
    """

    framework: Framework
    time: int
    at: int
    answers: Sequence[Answer]
    criteria: Sequence[Body]
    origins: Mapping[str, str]

    @property
    def counts(self) -> Counter[str]:
        """Answers by status."""
        return Counter(dict.fromkeys(STATUSES, 0)) + Counter(
            answer.status for answer in self.answers
        )


def framework(name: str) -> Framework:
    """The framework of that id or alias; an unknown one is a Mistake that lists what there is."""
    found = standards().framework(name)
    if found is None:
        there = ", ".join(sorted(standards().frameworks))
        raise Mistake(f"no framework is called {name!r}; there are {there}")
    return found


def assessment(
    reader: Reader, store: str, of: Framework, at: int | None = None, system: str | None = None
) -> Assessment:
    """What the store says of this framework, at `at` (default: as assessed).

    `system`: of one AI system only, by its name or root, or of ESTATE. Without any answer, for a
    system that is not there, and for a time before the assessment it is a Mistake.
    """
    ((there,),) = reader.run(_THERE).rows
    ((newest,),) = reader.run(_NEWEST).rows
    if newest is None:
        raise Mistake(EMPTY.format(store))
    asked = {"framework": of.id, "scope": None if system is None else _scope(reader, system)}
    rows = reader.run(_CONTROLS, asked, rows=ROWS).rows if there else []
    if not rows:
        raise Mistake(OLD.format(store))
    bodies: list[Body] = [orjson.loads(row[0]) for row in rows]
    time = max(parse(body["assessed_at"]) for body in bodies)
    if at is not None and at < time:
        raise Mistake(
            f"{store} was assessed as of {rfc3339(time)}; for an earlier time give `barograph"
            " replay` the same input with --until, and ask its store"
        )
    at = time if at is None else at
    answers = _answers(of, bodies, at)
    used = {(c["criterion"], c["scope"]) for body in bodies for c in body.get("criteria", ())}
    criteria: list[Body] = [orjson.loads(row[0]) for row in reader.run(_CRITERIA, rows=ROWS).rows]
    criteria = [one for one in criteria if (one["criterion"], one["scope"]) in used]
    events = {e["event"] for one in (*bodies, *criteria) for e in one.get("evidence", ())}
    return Assessment(of, time, at, answers, criteria, origins(reader, events))


def origins(reader: Reader, events: Collection[str]) -> dict[str, str]:
    """Where the records of these events lie."""
    return dict(reader.run(_ORIGINS, {"events": sorted(events)}, rows=len(events)).rows)


def _answers(of: Framework, bodies: Sequence[Body], at: int) -> list[Answer]:
    places = {control.ref: number for number, control in enumerate(of.controls)}
    known = [body for body in bodies if body["control"] in places]
    # The estate first, then its systems.
    known.sort(key=lambda one: (places[one["control"]], one["scope"] != ESTATE, one["scope"]))
    return [_answer(of.controls[places[body["control"]]], body, at) for body in known]


def _answer(control: Control, body: Body, at: int) -> Answer:
    until = body.get("fresh_until")
    if until is not None and parse(until) < at:
        return Answer(control, body, "not_assessed", STALE.format(until))
    return Answer(control, body, body["status"], body["reason"])


def _scope(reader: Reader, system: str) -> str:
    if system == ESTATE:
        return system
    found = reader.run(_SCOPES, {"system": system}).rows
    if not found:
        raise Mistake(
            f"the store knows no AI system {system!r}; `barograph query 'FROM systems'` lists them"
        )
    return str(found[0][0])
