"""Outdated: the state of rules that are no longer what they were, and how what it said ends.

Laws, for a restart and a reload alike:
1. A rule's state goes on where nothing that made it changed: the rule itself and, of a correlation,
   all that it refers to. Words may change.
2. An outdated rule held up to the watermark. What is settled of it ends there and is final: a
   finding as it stands, an alert `resolved`. What is not settled is withdrawn.
3. Evidence that others took from it below the watermark stays theirs; rows above it are deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import orjson
from pydantic import ValidationError

from correlators import alerting
from correlators.alerting import Line
from correlators.assess import Assess
from correlators.correlate import Correlate
from correlators.evidence import shown
from correlators.habits.stage import Habits
from correlators.logic import Emit, Logic
from correlators.priority import complete
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.slot import Slot
from correlators.system import System
from schemas.canonical import digest
from schemas.convergence import Convergence
from schemas.correlation import Correlation
from schemas.errors import Unavailable
from schemas.event import Record
from schemas.rows import Delete, Output, Result, Row
from schemas.topics import HABITS, SIGNALS

# Words, and what is said anew each time: all that is not named here decides what the state means.
_WORDS = {
    *("id", "name", "title", "summary", "level", "severity", "confidence", "family", "tags"),
    *("generate", "catalogue", "actions", "path"),
}
# What makes the hits of a correlation: a rule that counts the same ones takes over the unsettled.
_HITS = ("type", "rules", "group_by", "fields", "aliases", "level_number")

_HABIT = "habit "


class Stated(msgspec.Struct, array_like=True, frozen=True):
    """A rule that has state: hashes of what the state, and the hits in it, depend on.

    `definition` is the rule as JSON: what is outdated ends in its own words.
    """

    fingerprint: str
    hits: str
    definition: dict[str, Any]


Rules = Mapping[str, Stated]  # by kind and id


def stated(ruleset: Ruleset) -> dict[str, Stated]:
    """All rules with state."""
    found: dict[str, Stated] = {}
    meanings = dict(ruleset.meanings)
    for about in ruleset.habits:
        said = {"id": about.id} | ({} if about.habit is None else _said(about.habit))
        meanings[about.id] = digest(meanings.get(about.id), said)
        found[_habit(about.id)] = Stated(meanings[about.id], "", said)
    for rule in ruleset.correlations:  # lower ones first
        below = {id_: meanings.get(id_) for id_ in rule.rules}
        said = _said(rule)
        hits = digest({name: said[name] for name in _HITS}, below)
        meanings[rule.id] = digest(_meant(said), below)
        found[_correlation(rule.id)] = Stated(meanings[rule.id], hits, said)
    for story in ruleset.convergences:
        said = _said(story)
        found[_convergence(story.id)] = Stated(digest(_meant(said)), "", said)
    return found


class Outdated:
    """The rules that state was made by, and that hold no longer."""

    def __init__(self, before: Rules, now: Rules) -> None:
        """Raises Unavailable where `before` was written by a version with other rules."""
        gone = {
            name: rule
            for name, rule in before.items()
            if name not in now or now[name].fingerprint != rule.fingerprint
        }
        self.rules = gone.keys()
        self.recounted = {
            name for name, rule in gone.items() if name in now and now[name].hits == rule.hits
        }
        self.changed = gone.keys() & now.keys()
        said = {name: rule.definition for name, rule in gone.items()}
        try:
            correlations = [Correlation(**d) for n, d in said.items() if n == _correlation(d["id"])]
            stories = [Convergence(**d) for n, d in said.items() if n == _convergence(d["id"])]
        except ValidationError as error:
            raise Unavailable(
                "the saved state belongs to rules of another version; use the version that wrote"
                " it, or move the data away to read the inputs from their beginning"
            ) from error
        self.correlate = Correlate(correlations, Routes(Ruleset()))
        self.convergences = {story.id: story for story in stories}

    def hit(self, row: Row | Delete) -> bool:
        """True if an outdated rule made this row of its hits, and none that is left counts it."""
        if not self.rules:
            return False
        if row.topic == HABITS:
            return _habit(orjson.loads(row.key)[0]) in self.rules
        if row.topic != SIGNALS:
            return False
        owner = _owner(row.key)
        return owner in self.rules and owner not in self.recounted


class Kept(NamedTuple):
    """What goes on of a stage.

    `changed`: the keys that have to be saved anew, or are gone. `outputs` end what they had said,
    and bring their unsettled rows, for other rules to look at.
    """

    slots: dict[str, Slot]
    changed: set[str]
    outputs: list[Output]


def without(logic: Logic, slots: Mapping[str, Slot], outdated: Outdated, watermark: int) -> Kept:
    """The slots of a stage at its watermark without what is outdated. Changes no slot."""
    kept = Kept({}, set(), [])
    if not isinstance(logic, Habits | Correlate | Assess) or not outdated.rules:
        kept.slots.update(slots)
        return kept
    for key, slot in slots.items():
        if isinstance(logic, Assess):
            after, outputs = _system(key, slot, outdated, watermark)
        elif isinstance(logic, Habits):
            after, outputs = slot, []
            if _habit(orjson.loads(key)[0]) in outdated.rules:
                after, outputs = None, list(_taken_back(slot, outdated))
        elif (owner := _owner(key)) in outdated.rules:
            after, outputs = None, list(_window(key, slot, outdated))
            if owner in outdated.recounted:
                outputs += slot.tail.values()
        else:
            after, outputs = slot, []
        if after is not None:
            kept.slots[key] = after
        if after is not slot:
            kept.changed.add(key)
            kept.outputs.extend(outputs)
    return kept


def orphaned(slots: Mapping[str, Slot], outdated: Outdated) -> list[Output]:
    """What ends what the slots of a level of correlations had said that is no more."""
    return [output for key, slot in slots.items() for output in _window(key, slot, outdated)]


def _taken_back(slot: Slot, outdated: Outdated) -> Iterator[Delete]:
    for row in slot.rows.values():
        if row.topic != SIGNALS or _owner(row.key) not in outdated.rules:  # else its state goes too
            yield Delete(row.topic, row.level, row.key, row.time, row.id)


def _window(key: str, slot: Slot, outdated: Outdated) -> Iterator[Output]:
    yield from _taken_back(slot, outdated)
    held = Emit()
    outdated.correlate.report(key, slot.compact, held)
    yield from _ended(slot, held.results.values())


def _system(key: str, slot: Slot, outdated: Outdated, watermark: int) -> tuple[Slot, list[Output]]:
    system: System = slot.compact
    stories = outdated.convergences
    told = list(slot.results.values())
    kept = {id_: one for id_, one in system.stories.items() if id_ not in stories}
    alerts = {r.id for r in told if r.kind == "alert" and r.body["convergence"] in stories}
    if not alerts and len(kept) == len(system.stories):
        return slot, []
    held: list[Result] = []
    for id_, story in system.stories.items():
        if id_ in stories and story.alert is not None:
            alert = story.alert.copy()
            verb = "changed" if _convergence(id_) in outdated.changed else "taken out"
            text = f"the rule {id_} was {verb}: it held up to here"
            alert.timeline = shown(alert.timeline, [Line(watermark, text)])
            body = alerting.draft(stories[id_], key, alert, "resolved", watermark)
            held.append(Result("alert", alert.id, watermark, "final", body))

    def goes(result: Result) -> bool:
        """A settled forecast outlives its alert: it will be seen whether it comes true."""
        if result.kind == "alert":
            return result.id in alerts
        return result.body.get("alert") in alerts and result.id not in system.forecasts

    gone = Slot(None, results=[result for result in told if goes(result)])
    results = [result for result in told if not goes(result)]
    compact = System(system.facts, kept, system.forecasts, system.kinds)
    after = Slot(compact, rows=slot.rows.values(), results=results)
    return after, [*complete(list(_ended(gone, held)), stories), *slot.tail.values()]


def _ended(slot: Slot, held: Iterable[Result]) -> Iterator[Result]:
    """Of what was told and could still change, what is held is final, the rest withdrawn."""
    settled = {(result.kind, result.id): result for result in held}
    for place, result in slot.results.items():
        if place in settled:
            yield msgspec.structs.replace(settled[place], state="final")
        else:
            yield msgspec.structs.replace(result, state="withdrawn")


def _owner(key: str) -> str:
    return _correlation(orjson.loads(key)[0])


def is_habit(name: str) -> bool:
    """True for the name under which the state of a habit is known."""
    return name.startswith(_HABIT)


def _habit(id_: str) -> str:
    return _HABIT + id_


def _correlation(id_: str) -> str:
    return f"correlation {id_}"


def _convergence(id_: str) -> str:
    return f"convergence {id_}"


def _said(rule: Record) -> dict[str, Any]:
    return rule.model_dump(mode="json", by_alias=True)


def _meant(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in _WORDS}
