"""Assess: the convergences of one AI system; its alerts and forecasts from outlook to their end.

Laws (DESIGN 5, 6): assessed at row times and deadlines only, never at "now"; stage is what holds, peak the highest;
an alert expires `ttl` after it last held; evidence of an alert that ended is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from correlators import alerting, legs, outlook
from correlators.alerting import Open
from correlators.forecast import Forecaster
from correlators.keyed import Emit
from correlators.legs import Held, Instance, OpenFact, Standing
from correlators.outlook import Forecast
from correlators.routes import Routes, carried
from correlators.surroundings import surroundings
from schemas.alert import STAGES, AlertStatus
from schemas.convergence import Convergence
from schemas.rows import Result, Row

FACTS = 5_000  # open facts of one system
INSTANCES = 2_000  # join entities of one convergence in one system; the one that was touched longest ago goes first


class Story(msgspec.Struct, array_like=True):
    """One convergence on one system: its legs by join entity, and the open alert."""

    instances: dict[str, Instance] = {}
    alert: Open | None = None

    def copy(self) -> Story:
        """A copy that can be changed."""
        return Story(
            {k: v.copy() for k, v in self.instances.items()}, self.alert and self.alert.copy()
        )


class System(msgspec.Struct, array_like=True):
    """One AI system: open facts, stories by convergence, forecasts, and the kinds of its entities."""

    facts: dict[str, OpenFact] = {}
    stories: dict[str, Story] = {}
    forecasts: dict[str, Forecast] = {}
    kinds: list[str] = []


class Assess:
    """Logic of the assess stage; key = AI system."""

    name = "assess"
    state_type = System

    def __init__(
        self,
        convergences: Sequence[Convergence],
        routes: Routes,
        complete: Callable[[list[Result], Mapping[str, Convergence]], list[Result]],
        forecaster: Forecaster,
    ) -> None:
        """`complete` finishes alert drafts of a batch (`correlators.ledger`)."""
        ordered = sorted(convergences, key=lambda c: (c.yields, c.id))  # who yields looks last
        self.convergences = {c.id: c for c in ordered}
        self.routes, self._complete, self.forecaster = routes, complete, forecaster
        self.of_fact: dict[str, list[str]] = {}
        for convergence in ordered:
            for leg in convergence.legs.values():
                if leg.fact:
                    self.of_fact.setdefault(leg.fact, []).append(convergence.id)

    def empty(self, key: str) -> System:  # noqa: ARG002
        """A system of which nothing is known."""
        return System()

    def copy(self, state: System) -> System:
        """A copy that can be changed; stories are copied when they are touched."""
        stories = {k: v.copy() for k, v in state.stories.items()}
        return System(state.facts.copy(), stories, state.forecasts.copy(), state.kinds)

    def apply(self, key: str, state: System, time: int, rows: Sequence[Row], emit: Emit) -> None:
        """Fold the rows of one time: leaves, facts (closed before open), then legs in the order of each convergence."""
        touched: dict[str, bool] = {}  # convergence -> something ended
        for row in sorted((r for r in rows if r.kind == "leave"), key=lambda r: r.id):
            touched |= dict.fromkeys(self._leave(state, row.body["entity"]), True)
        facts = [r for r in rows if r.kind == "posture"]
        for row in sorted(facts, key=lambda r: (r.body["state"] != "closed", r.id)):
            ended = self._fact(state, row.body)
            touched |= {
                c: ended or touched.get(c, False) for c in self.of_fact.get(row.body["name"], ())
            }
            for id_ in self.of_fact.get(row.body["name"], ()):
                self._latent(state, self.convergences[id_], row.body)
        taken: list[Row] = []  # everyday signals that fill no leg are no sign of an attack
        found = sorted(
            (
                (ref, row)
                for row in rows
                if row.kind == "leg"
                for ref in self.routes.legs.get(row.body["of"], ())
            ),
            key=lambda found: (
                found[0][0].id,
                list(found[0][0].legs).index(found[0][1]),
                found[1].id,
            ),
        )
        for (convergence, leg), row in found:
            if self._leg(state, convergence, leg, row.body, time):
                taken.append(row)
                touched.setdefault(convergence.id, False)
        kinds = {
            e.partition(":")[0]
            for r in rows
            for e in (r.body["entity"], *r.body.get("entities", ()))
        }
        state.kinds = sorted({*state.kinds, *kinds})
        seen = sorted({tag for row in taken if row.body["at"] == time for tag in row.body["tags"]})
        for forecast in outlook.hits(state.forecasts, seen, time):
            self._end_forecast(state, forecast, "hit", time, emit)
        cause = min(row.id for row in rows)
        for id_ in self.convergences:
            if id_ in touched or (touched and self.convergences[id_].yields):
                self._assess(
                    key, state, id_, time, cause, "ended" if touched.get(id_) else "row", emit
                )

    def fire(self, key: str, state: System, until: int, ahead: bool, emit: Emit) -> None:
        """Absences, legs that leave their window, expiries and forecast horizons before `until`, in order of time."""
        while (deadline := self._next(state, ahead)) is not None and deadline[0] < until:
            due, what, id_, join = deadline
            if what == "forecast":
                self._end_forecast(state, state.forecasts[id_], "false_alarm", due, emit)
                continue
            convergence, story = self.convergences[id_], state.stories[id_]
            if what == "absent":
                for name in [
                    n for n, w in story.instances[join].waits.items() if w.deadline == due
                ]:
                    hit = legs.lapse(story.instances[join], name)
                    self._assess(key, state, id_, due, hit.leg, "row", emit)
            elif what == "left":
                legs.prune(convergence, story.instances[join], due + 1)
                if not (story.instances[join].hits or story.instances[join].waits):
                    del story.instances[join]
                self._assess(key, state, id_, due, "", "left", emit)
            elif story.alert is not None:
                self._end(
                    key, state, id_, "verified" if story.alert.verified else "expired", due, emit
                )

    def report(self, key: str, state: System, emit: Emit) -> None:
        """Say the open alerts and forecasts."""
        for id_, story in state.stories.items():
            if story.alert is not None:
                body = alerting.draft(
                    self.convergences[id_], key, story.alert, "open", story.alert.last
                )
                emit.result("alert", story.alert.id, story.alert.last, body)
        for forecast in state.forecasts.values():
            emit.result(
                "forecast", forecast.id, forecast.issued, outlook.body(forecast, "open", None)
            )

    def due(self, key: str, state: System) -> int | None:  # noqa: ARG002
        """The earliest deadline."""
        deadline = self._next(state, ahead=False)
        return deadline[0] if deadline else None

    def idle(self, state: System) -> bool:
        """True if nothing is known of the system."""
        return not (
            state.facts
            or state.forecasts
            or any(s.alert or s.instances for s in state.stories.values())
        )

    def provisional(self, key: str) -> bool:  # noqa: ARG002
        """Alerts are said as soon as they hold; only absences wait (see `fire`)."""
        return True

    def complete(self, results: list[Result]) -> list[Result]:
        """Score the alerts of the batch in one frame."""
        return self._complete(results, self.convergences)

    def _leave(self, state: System, entity: str) -> list[str]:
        lost = {k for k, fact in state.facts.items() if fact.entity == entity}
        names = {state.facts.pop(k).name for k in lost}
        touched = [c for name in sorted(names) for c in self.of_fact.get(name, ())]
        for id_, story in state.stories.items():
            if any([legs.leave(instance, entity) for instance in story.instances.values()]):
                touched.append(id_)
        return touched

    def _fact(self, state: System, body: Mapping[str, Any]) -> bool:
        """Open or close a fact; True if one ended."""
        place = f"{body['entity']}|{body['name']}|{body['instance']}"
        if body["state"] == "closed":
            return state.facts.pop(place, None) is not None
        if place in state.facts or len(state.facts) < FACTS:
            state.facts[place] = OpenFact(
                entity=body["entity"],
                name=body["name"],
                instance=body["instance"],
                since=body["since"],
                title=body["title"],
                severity=body["severity"],
                family=body["family"],
                confidence=body["confidence"],
                tags=tuple(body["tags"]),
                evidence=tuple((uid, sha) for uid, sha in body["evidence"]),
                path=body["path"],
            )
        return False

    def _latent(self, state: System, convergence: Convergence, body: Mapping[str, Any]) -> None:
        """A convergence of posture alone needs no signal: its instance is there with its facts."""
        if all(leg.class_ == "posture" for leg in convergence.legs.values()):
            story = state.stories.setdefault(convergence.id, Story())
            join = "" if convergence.join == "system" else body["entity"]
            if convergence.join in ("system", body["entity"].partition(":")[0]):
                story.instances.setdefault(join, Instance())

    def _leg(
        self, state: System, convergence: Convergence, leg: str, body: Mapping[str, Any], time: int
    ) -> bool:
        entities = body["entities"]
        if body["entity"] not in carried(convergence, entities):
            return False
        joins = (
            [""]
            if convergence.join == "system"
            else [e for e in entities if e.startswith(convergence.join + ":")]
        )
        story = state.stories.get(convergence.id) or Story()
        hit = Held(
            at=body["at"],
            start=body["at"],
            leg=body["leg"],
            of=body["of"],
            title=body["title"],
            level=body["level"],
            family=body["family"],
            confidence=body["confidence"],
            tags=tuple(body["tags"]),
            signals=tuple(body["signals"]),
            evidence=tuple((uid, sha) for uid, sha in body["evidence"]),
            entities=tuple(entities),
            finding=body.get("finding"),
        )
        taken = False
        for join in joins:
            instance = story.instances.pop(join, None) or Instance()
            taken |= legs.add(convergence, instance, leg, hit, body["entity"], body["path"], time)
            if instance.hits or instance.waits:
                story.instances[join] = instance  # touched last, evicted last
        while len(story.instances) > INSTANCES:
            del story.instances[next(iter(story.instances))]
        if story.instances or story.alert:
            state.stories[convergence.id] = story
        return taken

    def _assess(
        self, key: str, state: System, id_: str, time: int, cause: str, why: str, emit: Emit
    ) -> None:
        """Look at one story at `time`. `why`: row (something came), ended (something was taken back), left (a window)."""
        convergence, story = self.convergences[id_], state.stories.get(id_)
        if story is None:
            return
        join, instance, standing = self._best(state, convergence, story, time)
        alert = story.alert
        if not (story.instances or story.alert):
            del state.stories[id_]
        if standing is None or instance is None:
            covered = (
                self._covering(state, convergence, story) if alert and convergence.yields else None
            )
            if alert is not None and covered is not None:
                alert.superseded_by = covered
                self._end(key, state, id_, "superseded", time, emit)
            elif alert is not None and why == "ended":
                self._end(key, state, id_, "resolved", time, emit)
            return
        if alert is None:
            if why == "left":
                return
            alert = story.alert = alerting.begin(convergence, key, cause, join, standing, time)
        else:
            reason = (
                "evidence was taken back" if why == "ended" else "older evidence left the window"
            )
            alerting.move(alert, standing, time, reason)
            alert.join = join
            alert.last = alert.last if why == "left" else time
        used = {leg.fact for leg in convergence.legs.values() if leg.fact}
        alerting.remember(
            alert, instance, [(f.entity, f.path) for f in state.facts.values() if f.name in used]
        )
        alert.surroundings = surroundings(state.facts.values())
        fresh = outlook.look(self.forecaster, convergence, alert, tuple(state.kinds))
        if standing.stage == "watch" and len(standing.strands) > 1 and alert.likely:
            warned = msgspec.structs.replace(standing, stage="warning")
            alerting.move(alert, warned, time, "")
        if why != "left":
            for forecast in outlook.issue(alert, key, convergence, fresh, time):
                state.forecasts.setdefault(forecast.id, forecast)

    def _best(
        self, state: System, convergence: Convergence, story: Story, time: int
    ) -> tuple[str, Instance | None, Standing | None]:
        best: tuple[str, Instance | None, Standing | None] = ("", None, None)
        taken = self._taken(state, convergence) if convergence.yields else frozenset()
        rank: tuple[int, int] = (-1, -1)
        for join, instance in sorted(story.instances.items()):
            seen = instance
            if taken:
                free = {
                    n: [h for h in hits if h.leg not in taken] for n, hits in instance.hits.items()
                }
                seen = Instance(free, instance.via, instance.waits)
            standing = legs.standing(convergence, join, seen, state.facts, time)
            if standing is not None:
                mine = (STAGES.index(standing.stage), len(standing.strands))
                if mine > rank:
                    best, rank = (join, seen, standing), mine
        return best

    @staticmethod
    def _carrying(story: Story) -> frozenset[str]:
        return frozenset(
            h.leg for i in story.instances.values() for hits in i.hits.values() for h in hits
        )

    def _taken(self, state: System, convergence: Convergence) -> frozenset[str]:
        """Legs that carry another open alert of the system."""
        others = [s for c, s in state.stories.items() if c != convergence.id and s.alert]
        return frozenset().union(*(self._carrying(story) for story in others))

    def _covering(self, state: System, convergence: Convergence, story: Story) -> str | None:
        """The alert that carries all evidence of `story`, if one does."""
        mine = self._carrying(story)
        for id_, other in sorted(state.stories.items()):
            if id_ != convergence.id and other.alert and mine and mine & self._carrying(other):
                return other.alert.id
        return None

    def _next(self, state: System, ahead: bool) -> tuple[int, str, str, str] | None:
        """The earliest deadline: (time, what, convergence or forecast, join)."""
        found: list[tuple[int, int, str, str, str]] = []
        for id_, story in state.stories.items():
            convergence = self.convergences[id_]
            for join, instance in story.instances.items():
                if not ahead:
                    found += [(w.deadline, 0, "absent", id_, join) for w in instance.waits.values()]
                starts = [h.start for hits in instance.hits.values() for h in hits]
                if starts:
                    found.append((min(starts) + convergence.window, 1, "left", id_, join))
            if story.alert is not None:
                found.append((story.alert.last + convergence.ttl, 2, "expiry", id_, ""))
        found += [(f.until, 3, "forecast", f.id, "") for f in state.forecasts.values()]
        if not found:
            return None
        due, _, what, id_, join = min(found)
        return due, what, id_, join

    def _end(
        self, key: str, state: System, id_: str, status: AlertStatus, time: int, emit: Emit
    ) -> None:
        story = state.stories.pop(id_)
        if story.alert is not None:
            body = alerting.draft(self.convergences[id_], key, story.alert, status, time)
            emit.result("alert", story.alert.id, time, body)

    def _end_forecast(
        self, state: System, forecast: Forecast, outcome: str, time: int, emit: Emit
    ) -> None:
        del state.forecasts[forecast.id]
        emit.result("forecast", forecast.id, time, outlook.body(forecast, outcome, time))
        if outcome == "hit":
            for story in state.stories.values():
                if story.alert is not None and story.alert.id == forecast.alert:
                    story.alert.verified = True


def memory(convergences: Sequence[Convergence]) -> int:
    """The longest window: how long attach must remember legs."""
    return max((c.window for c in convergences), default=0)
