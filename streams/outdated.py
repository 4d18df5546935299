"""Outdated: the saved state of rules that are no longer what they were, and what it had said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
import orjson

from correlators.assess import Assess
from correlators.correlate import Correlate
from correlators.logic import Logic
from correlators.priority import complete
from correlators.ruleset import Ruleset
from correlators.slot import Slot
from correlators.system import System
from schemas.canonical import digest
from schemas.convergence import Convergence
from schemas.event import Record
from schemas.rows import Delete, Output, Result, Row
from schemas.topics import SIGNALS

# What the state of a rule depends on. Its words may change while an episode or alert is open.
_CORRELATION = (
    *("type", "rules", "group_by", "timespan", "condition", "fields", "aliases"),
    "level_number",
)
_CONVERGENCE = ("join", "via", "window", "ttl", "legs", "yields")

# In the place of a rule that is no more: an alert that is taken back recommends nothing.
_GONE = Convergence.model_validate(
    {
        "id": "gone",
        "title": "",
        "summary": "",
        "join": "principal",
        "window": "1s",
        "legs": {"any": {"class": "change", "of": ["any"]}},
    }
)

_said = msgspec.msgpack.Decoder(tuple[msgspec.Raw, msgspec.Raw, list[Row], list[Result]])


def fingerprints(ruleset: Ruleset) -> dict[str, str]:
    """By rule, a hash of what its state depends on; where it differs the state says nothing."""
    found = {_correlation(rule.id): _hashed(rule, _CORRELATION) for rule in ruleset.correlations}
    stories = ruleset.convergences
    return found | {_convergence(story.id): _hashed(story, _CONVERGENCE) for story in stories}


class Kept(NamedTuple):
    """What goes on of a saved stage.

    `changed`: what has to be saved anew by key, None for what is gone; `outputs` take back what
    that had said.
    """

    slots: dict[str, Slot]
    changed: dict[str, bytes | None]
    outputs: list[Output]


def without(logic: Logic, saved: Mapping[str, bytes], rules: Collection[str]) -> Kept:
    """The saved slots of a stage without the state of these rules."""
    kept = Kept({}, {}, [])
    for key, data in saved.items():
        if isinstance(logic, Correlate) and _owner(key) in rules:
            kept.changed[key] = None
            kept.outputs.extend(orphaned([data], rules))
            continue
        slot = loaded = Slot.load(data, logic)
        if isinstance(logic, Assess):
            slot = _system(loaded, rules)
        if slot is not loaded:
            gone = loaded.results.keys() - slot.results.keys()
            kept.outputs.extend(_taken_back((), [loaded.results[k] for k in sorted(gone)], rules))
            kept.changed[key] = slot.dump(tail=True)
        kept.slots[key] = slot
    return kept


def orphaned(slots: Iterable[bytes], rules: Collection[str]) -> list[Output]:
    """What takes back what saved slots had said whose stage or rule is no more."""
    outputs: list[Output] = []
    for data in slots:
        _, _, rows, results = _said.decode(data)
        outputs += _taken_back(rows, results, rules)
    return outputs


def _system(slot: Slot, rules: Collection[str]) -> Slot:
    system: System = slot.compact
    kept = {id_: one for id_, one in system.stories.items() if _convergence(id_) not in rules}
    lost = [one.alert for id_, one in system.stories.items() if id_ not in kept and one.alert]
    alerts = {alert.id for alert in lost}
    told = list(slot.results.values())
    alerts |= {r.id for r in told if r.kind == "alert" and _told_by(r) in rules}
    if not alerts and len(kept) == len(system.stories):
        return slot
    forecasts = {id_: one for id_, one in system.forecasts.items() if one.alert not in alerts}
    results = [r for r in told if r.id not in alerts and r.body.get("alert") not in alerts]
    compact = System(system.facts, kept, forecasts, system.kinds)
    return Slot(compact, slot.tail.values(), slot.rows.values(), results)


def _told_by(alert: Result) -> str:
    return _convergence(alert.body["convergence"])


def _taken_back(
    rows: Iterable[Row], results: Iterable[Result], rules: Collection[str]
) -> Iterator[Output]:
    for row in rows:
        if row.topic != SIGNALS or _owner(row.key) not in rules:  # else its state goes as well
            yield Delete(row.topic, row.level, row.key, row.time, row.id)
    gone = [msgspec.structs.replace(result, state="withdrawn") for result in results]
    told = {result.body["convergence"] for result in gone if result.kind == "alert"}
    yield from complete(gone, dict.fromkeys(told, _GONE))


def _owner(key: str) -> str:
    return _correlation(orjson.loads(key)[0])


def _correlation(id_: str) -> str:
    return f"correlation {id_}"


def _convergence(id_: str) -> str:
    return f"convergence {id_}"


def _hashed(rule: Record, names: Iterable[str]) -> str:
    stated = rule.model_dump(mode="json")
    return digest(*(stated[name] for name in names))
