"""Asked: the fields that a rule asks for, each with its line, held to what records have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from correlators.document import Part
from correlators.sigma.values import is_list, is_object
from infra.firing import Vocabularies, meant
from schemas.correlation import Correlation

_NO_SELECTIONS: Final = frozenset({"condition", "timeframe"})

Place = tuple[str | int, ...]


class Unknown(NamedTuple):
    """A field that no record is known to have; `message` says what may be meant."""

    line: int
    message: str


def of_detection(part: Part, routed: Vocabularies) -> Iterator[Unknown]:
    """The unknown fields of the selections and of `fields:`, in their order."""
    for name, selection in part.data["detection"].items():
        if name not in _NO_SELECTIONS:
            for field, place in _fields(selection, ("detection", name)):
                yield from _judged(part, field, place, routed)
    for number, field in enumerate(part.data.get("fields") or ()):
        yield from _judged(part, str(field), ("fields", number), routed)


def of_correlation(
    part: Part, rule: Correlation, routed: Mapping[str, Vocabularies]
) -> Iterator[Unknown]:
    """The unknown fields by which it groups or which it counts; `routed` by id of a detection."""
    found: dict[Unknown, None] = {}
    for id_ in rule.rules:
        for name in rule.group_by:
            field = rule.aliases.get(name, {}).get(id_, name)
            place = ("correlation", "aliases", name) if field != name else _GROUP
            found |= dict.fromkeys(_judged(part, field, place, routed.get(id_, {})))
        for field in rule.fields:
            found |= dict.fromkeys(_judged(part, field, _COUNTED, routed.get(id_, {})))
    yield from found


_GROUP: Final[Place] = ("correlation", "group-by")
_COUNTED: Final[Place] = ("correlation", "condition", "field")


def _judged(part: Part, field: str, place: Place, routed: Vocabularies) -> Iterator[Unknown]:
    """Nothing where one of the sources has the field, or does not say what it has."""
    words = [one for one in routed.values() if one is not None]
    if not words or len(words) < len(routed) or any(one.knows(field) for one in words):
        return
    near = next((one for word in words if (one := word.nearest(field))), None)
    where = ", ".join(routed)
    message = (
        f"`{field}` is no known name in records of {where}, only telemetry of your own can have it"
        if any(one.open for one in words)
        else f"`{field}` is no field of {where}"
    )
    yield Unknown(part.line_of(*place), message + meant(near))


def _fields(held: Any, place: Place) -> Iterator[tuple[str, Place]]:  # noqa: ANN401 - any JSON-like value
    if is_list(held):
        for number, one in enumerate(held):
            yield from _fields(one, (*place, number))
    elif is_object(held):
        for key, value in held.items():
            field, *modifiers = key.split("|")
            if field:
                yield field, (*place, key)
            if "fieldref" in modifiers and isinstance(value, str):
                yield value, (*place, key)
