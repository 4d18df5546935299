"""Asked: the fields that a rule asks for, each with its line, held to what records have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from correlators.document import Part
from correlators.sigma.outline import Node
from infra.authoring.firing import Vocabularies, meant
from schemas.correlation import Correlation
from schemas.habit import bare

Place = tuple[str | int, ...]


class Unknown(NamedTuple):
    """A field that no record is known to have; `message` says what may be meant."""

    line: int
    message: str


def of_detection(
    part: Part, tree: Node, routed: Vocabularies, hint: Callable[[str], str] = lambda _: ""
) -> Iterator[Unknown]:
    """The unknown fields of its condition `tree` and of `fields:`, by line.

    As pipelines leave them; `fields:` lists what is shown, and is looked at as it is written.
    `hint`: what is to be said of such a field, rather than of a known one that is like it. Of the
    first fields only: a hint costs as much as the rule is long, and a rule may have thousands.
    """
    asked: dict[str, list[int]] = {}
    for node in tree.nodes():
        for field in node.fields:
            asked.setdefault(field, []).append(node.line)
    found: list[Unknown] = []
    hinted = 0
    for field, lines in asked.items():
        for _, message in _judged(0, field, routed, hint if hinted < _HINTS else None):
            hinted += 1
            found += [Unknown(line, message) for line in lines]
    for number, field in enumerate(part.data.get("fields") or ()):
        found += _judged(part.line_of("fields", number), str(field), routed)
    for key, field in _of_habit(part):
        found += _judged(part.line_of("barograph", "habit", key), bare(field), routed)
    yield from sorted(set(found))


def _of_habit(part: Part) -> Iterator[tuple[str, str]]:
    """The fields of its habit, by the key under which they stand."""
    habit = part.data.get("barograph", {}).get("habit", {})
    for key in ("by", "of", "sum"):
        stated = habit.get(key, ())
        yield from ((key, one) for one in ([stated] if isinstance(stated, str) else stated))


def unchecked(tree: Node, routed: Vocabularies) -> int:
    """How many fields of a condition are known only to lie below something open."""
    words = [one for one in routed.values() if one is not None]
    asked = {field for node in tree.nodes() for field in node.fields}
    return sum(
        any(one.below_open(field) for one in words)
        and all(one.below_open(field) or not one.knows(field) for one in words)
        for field in asked
    )


def of_correlation(
    part: Part, rule: Correlation, routed: Mapping[str, Vocabularies]
) -> Iterator[Unknown]:
    """The unknown fields by which it groups or which it counts; `routed` by id of a detection."""
    found: dict[Unknown, None] = {}
    for id_ in rule.rules:
        for name in rule.group_by:
            field = rule.aliases.get(name, {}).get(id_, name)
            place = ("correlation", "aliases", name) if field != name else _GROUP
            found |= dict.fromkeys(_judged(part.line_of(*place), field, routed.get(id_, {})))
        for field in rule.fields:
            found |= dict.fromkeys(_judged(part.line_of(*_COUNTED), field, routed.get(id_, {})))
    yield from found


_HINTS: Final = 50  # unknown fields of a rule of which is said what may be meant
_FEW: Final = 8  # sources that a sentence names
_GROUP: Final[Place] = ("correlation", "group-by")
_COUNTED: Final[Place] = ("correlation", "condition", "field")


def _judged(
    line: int, field: str, routed: Vocabularies, hint: Callable[[str], str] | None = lambda _: ""
) -> Iterator[Unknown]:
    """Nothing where one of the sources has the field, or does not say what it has.

    Without a `hint` nothing is said of what may be meant.
    """
    words = [one for one in routed.values() if one is not None]
    if not words or len(words) < len(routed) or any(one.knows(field) for one in words):
        return
    where = ", ".join(routed) if len(routed) <= _FEW else f"any of {len(routed)} sources"
    message = (
        f"`{field}` is no known name in records of {where}, only telemetry of your own can have it"
        if any(one.open for one in words)
        else f"`{field}` is no field of {where}"
    )
    if hint is not None:
        near = hint(field)
        message += near or meant(next((o for word in words if (o := word.nearest(field))), None))
    yield Unknown(line, message)
