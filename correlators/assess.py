"""Assess: the convergences of one AI system; its alerts and forecasts from outlook to their end.

Laws (DESIGN 5, 6):
1. Assessed at row times and deadlines only, never at "now".
2. Stage is what holds, peak the highest. An alert expires `ttl` after it last held.
3. It is resolved when evidence is taken back and nothing holds any more. Evidence that only grew
   old leaves it to expire.
4. Evidence of an alert that ended is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from correlators import alerting, legs, outlook, system
from correlators.alerting import Open
from correlators.deadlines import Deadline, Due, earliest
from correlators.forecast import Forecaster
from correlators.logic import Emit, Logic, in_order
from correlators.outlook import Forecast
from correlators.routes import Routes
from correlators.surroundings import surroundings
from correlators.system import Story, System
from correlators.yielding import Best, best, covering
from schemas.alert import AlertStatus
from schemas.convergence import Convergence
from schemas.rows import Result, Row

# At equal times leaves come first, then facts, then legs.
_RANK = {"leave": 0, "posture": 1, "leg": 2}

Why = Literal["came", "ended", "left"]  # a row; evidence taken back; a hit that left its window


class At(NamedTuple):
    """One system at one time, and where to say what comes of it."""

    key: str
    system: System
    time: int
    emit: Emit


class Assess(Logic):
    """Logic of the assess stage; key = AI system."""

    name = "assess"
    state_type = System
    packed = True

    def __init__(
        self,
        convergences: Sequence[Convergence],
        routes: Routes,
        complete: Callable[[list[Result], Mapping[str, Convergence]], list[Result]],
        forecaster: Forecaster,
    ) -> None:
        """`complete` finishes alert drafts of a batch (`correlators.priority`)."""
        ordered = sorted(convergences, key=lambda c: (c.yields, c.id))  # who yields looks last
        self.convergences = {convergence.id: convergence for convergence in ordered}
        self.routes, self._complete, self.forecaster = routes, complete, forecaster
        self.latent = {convergence.id for convergence in ordered if convergence.latent}
        self.of_fact: dict[str, set[str]] = {}  # who looks at it
        for convergence in ordered:
            for fact in convergence.facts:
                self.of_fact.setdefault(fact, set()).add(convergence.id)

    def apply(self, key: str, state: System, time: int, rows: Sequence[Row], emit: Emit, /) -> None:
        """Fold the rows of one time, then look at every story that they touched."""
        at = At(key, state, time, emit)
        ended: set[str] = set()  # stories that lost something
        touched: set[str] = set()
        ordered = in_order(rows, _RANK)
        for row in ordered:
            if row.kind == "leave":
                names, stories = system.leave(state, row.body["entity"])
                ended |= stories | self._looking(state, names, row.body["entity"])
            elif row.kind == "posture":
                closed = system.turn(state, row.body)
                looking = self._looking(state, [row.body["name"]], row.body["entity"])
                (ended if closed else touched).update(looking)
        taken = self._take(state, time, ordered)
        touched |= {id_ for id_, _ in taken} | ended
        for row in rows:
            system.meet(state, (row.body["entity"], *row.body.get("entities", ())))
        self._hits(at, [row for _, row in taken])
        cause = min(row.id for row in rows)
        for id_, convergence in self.convergences.items():
            if id_ in touched or (touched and convergence.yields):
                self._assess(at, id_, cause, "ended" if id_ in ended else "came")

    def fire(self, key: str, state: System, until: int, emit: Emit, /) -> None:
        """Run absences, hits that leave their window, expiries and forecast horizons."""
        while (
            deadline := earliest(state, self.convergences, ahead=emit.ahead)
        ) is not None and deadline.time < until:
            self._run(At(key, state, deadline.time, emit), deadline)

    def report(self, key: str, state: System, emit: Emit, /) -> None:
        """Say the open alerts and forecasts."""
        for id_, story in state.stories.items():
            if (alert := story.alert) is not None:
                body = alerting.draft(self.convergences[id_], key, alert, "open", alert.last)
                emit.result("alert", alert.id, alert.last, body)
        for forecast in state.forecasts.values():
            body = outlook.body(forecast, "open", None)
            emit.result("forecast", forecast.id, forecast.issued, body)

    def due(self, _key: str, state: System, /) -> int | None:
        """The earliest deadline."""
        deadline = earliest(state, self.convergences, ahead=False)
        return deadline.time if deadline else None

    def idle(self, state: System, /) -> bool:
        """True if nothing is known of the system."""
        stories = state.stories.values()
        return not (state.facts or state.forecasts or any(s.alert or s.instances for s in stories))

    def complete(self, results: list[Result], /) -> list[Result]:
        """Score the alerts of the batch in one frame."""
        return self._complete(results, self.convergences)

    def _looking(self, state: System, facts: Iterable[str], entity: str) -> set[str]:
        """The stories that look at facts of these names; those of posture alone come with them."""
        looking = {id_ for name in facts for id_ in self.of_fact.get(name, ())}
        for id_ in sorted(looking & self.latent):
            system.await_facts(state, self.convergences[id_], entity)
        return looking

    def _take(self, state: System, time: int, rows: Sequence[Row]) -> list[tuple[str, Row]]:
        """Take hits in the order of the legs of each story, so that equal times count as in order.

        Returns those that fill a leg: an everyday signal that fills none is no sign of an attack.
        """
        found = [
            (convergence, leg, row)
            for row in rows
            if row.kind == "leg"
            for convergence, leg in self.routes.legs.get(row.body["of"], ())
        ]
        found.sort(key=lambda f: (f[0].id, list(f[0].legs).index(f[1]), f[2].id))
        return [
            (convergence.id, row)
            for convergence, leg, row in found
            if system.take(state, convergence, leg, row.body, time)
        ]

    def _run(self, at: At, deadline: Deadline) -> None:
        if deadline.due is Due.HORIZON:
            self._end_forecast(at, at.system.forecasts[deadline.of], "false_alarm")
            return
        id_, story = deadline.of, at.system.stories[deadline.of]
        if deadline.due is Due.EXPIRY:
            verified = story.alert is not None and story.alert.verified
            self._end(at, id_, "verified" if verified else "expired")
            return
        instance = story.instances[deadline.join]
        if deadline.due is Due.LEFT:
            legs.prune(self.convergences[id_], instance, at.time + 1)
            if not (instance.hits or instance.waits):
                del story.instances[deadline.join]
            self._assess(at, id_, "", "left")
            return
        at.emit.unforeseen = True  # ahead, absences are not said: any row could still end them
        for name in [name for name, wait in instance.waits.items() if wait.deadline == at.time]:
            hit = legs.lapse(instance, name)
            self._assess(at, id_, hit.leg, "came")

    def _assess(self, at: At, id_: str, cause: str, why: Why) -> None:
        """Look at one story at one time; `cause` is the smallest row id of that time."""
        convergence, story = self.convergences[id_], at.system.stories.get(id_)
        if story is None:
            return
        found = best(at.system, convergence, story, at.time)
        if not (story.instances or story.alert):
            del at.system.stories[id_]
        if found is None:
            self._lost(at, convergence, story, why)
            return
        if story.alert is not None:
            taken_back = why == "ended"
            reason = "evidence was taken back" if taken_back else "older evidence left the window"
            alerting.move(story.alert, found.standing, at.time, reason)
            story.alert.join = found.join
            if why != "left":
                story.alert.last = at.time
        elif why != "left":
            join, holding = found.join, found.standing
            story.alert = alerting.begin(convergence, at.key, cause, join, holding, at.time)
        if story.alert is not None:
            self._fill(at, convergence, story.alert, found, why)

    def _lost(self, at: At, convergence: Convergence, story: Story, why: Why) -> None:
        """Nothing holds any more that is not another alert's."""
        if story.alert is None:
            return
        covered = covering(at.system, convergence, story) if convergence.yields else None
        if covered is not None:
            story.alert.superseded_by = covered
            self._end(at, convergence.id, "superseded")
        elif why == "ended":
            self._end(at, convergence.id, "resolved")

    def _fill(self, at: At, convergence: Convergence, alert: Open, found: Best, why: Why) -> None:
        """What the alert rests on, where, and what is likely next: that can make it a warning."""
        facts = [f for f in at.system.facts.values() if f.name in convergence.facts]
        alerting.remember(alert, found.instance, [(fact.entity, fact.path) for fact in facts])
        alert.surroundings = surroundings(at.system.facts.values())
        fresh = outlook.look(self.forecaster, convergence, alert, tuple(at.system.kinds))
        if alert.stage == "watch" and len(found.standing.strands) > 1 and alert.likely:
            alerting.move(alert, replace(found.standing, stage="warning"), at.time, "")
        if why != "left":
            for forecast in outlook.issue(alert, at.key, convergence, fresh, at.time):
                at.system.forecasts.setdefault(forecast.id, forecast)

    def _hits(self, at: At, rows: Sequence[Row]) -> None:
        """Forecasts that came true now."""
        seen = sorted(
            {tag for row in rows if row.body["at"] == at.time for tag in row.body["tags"]}
        )
        for forecast in outlook.hits(at.system.forecasts, seen, at.time):
            self._end_forecast(at, forecast, "hit")

    def _end(self, at: At, id_: str, status: AlertStatus) -> None:
        alert = at.system.stories.pop(id_).alert
        if alert is not None:
            body = alerting.draft(self.convergences[id_], at.key, alert, status, at.time)
            at.emit.result("alert", alert.id, at.time, body)

    def _end_forecast(self, at: At, forecast: Forecast, outcome: str) -> None:
        del at.system.forecasts[forecast.id]
        at.emit.result("forecast", forecast.id, at.time, outlook.body(forecast, outcome, at.time))
        if outcome == "hit":
            for story in at.system.stories.values():
                if story.alert is not None and story.alert.id == forecast.alert:
                    story.alert.verified = True


def memory(convergences: Sequence[Convergence]) -> int:
    """The longest window: how long attach must remember legs."""
    return max((convergence.window for convergence in convergences), default=0)
