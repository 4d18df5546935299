"""Observed: a match as a row for the habit of its group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from correlators.correlate import comparable
from correlators.habits import values, volume
from schemas.canonical import canonical, digest
from schemas.detection import Detection
from schemas.event import Event
from schemas.habit import FirstSeen, Habit, Missing, Volume, bare
from schemas.rows import Row
from schemas.topics import HABITS


def observation(
    detection: Detection, event: Event, entities: list[dict[str, str]], fields: Mapping[str, Any]
) -> Row | None:
    """The row of a match that is in time; None for one that says nothing to the habit.

    Such a match lacks a field of its group, or the value or the numbers that the habit is about.
    `entities` are those of the event as a record lists them. What the row has besides is for the
    Signal that it may become: its id is that of the Signal.
    """
    return row(detection, event.time, event.uid, event.evidence.sha256, entities, fields)


def row(
    detection: Detection,
    time: int,
    event: str,
    sha256: str,
    entities: list[dict[str, str]],
    fields: Mapping[str, Any],
) -> Row | None:
    """As `observation`, of an event by its uid."""
    habit = detection.habit
    if habit is None:
        raise AssertionError(f"{detection.id} has no habit")
    group = values.known(fields, habit.by)
    about = None if group is None else _about(habit, fields)
    if group is None or about is None:
        return None
    id_ = digest("signal", detection.id, event)
    body = about | {"event": event, "sha256": sha256, "entities": entities, "fields": dict(fields)}
    return Row(HABITS, 0, key_of(detection.id, group), time, id_, "observation", body)


def key_of(detection: str, group: list[str]) -> str:
    """The key that owns the habit of a group."""
    return canonical([detection, *group]).decode()


def _about(habit: Habit, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a match says to its kind of habit; None if that is nothing."""
    if isinstance(habit, FirstSeen):
        found = values.known(fields, habit.of)
        return None if found is None else {"value": canonical(found).decode()}
    if isinstance(habit, Volume):
        amount = volume.amount(habit, fields)
        return None if amount is None else {"amount": amount}
    if isinstance(habit, Missing):
        return {"marked": any(_marks(habit, fields, name) for name in habit.of)}
    return {}


def _marks(habit: Missing, fields: Mapping[str, Any], name: str) -> bool:
    if not habit.values:
        return fields.get(bare(name)) is not None
    found = values.known(fields, (name,))
    return found is not None and found[0] in set(map(comparable, habit.values))
