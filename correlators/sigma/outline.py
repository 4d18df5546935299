"""Outline: a condition as its author wrote it, each part with its name, its line and its truth.

The compiled predicate of a rule knows neither names nor lines. What checks and coverage say of a
rule they say of its outline, made of the same selections by the same compiler.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
)
from sigma.rule.detection import SigmaDetection, SigmaDetectionItem, SigmaDetections
from sigma.types import SigmaFieldReference

from correlators.document import Part, follow
from correlators.sigma.condition import compiled
from correlators.sigma.predicate import Predicate, predicate
from correlators.sigma.processing import NONE, Processing, Subject
from correlators.sigma.values import is_list, is_object

Kind = Literal["all", "any", "not", "item"]
Section = Literal["detection", "filter"]
Place = tuple[str | int, ...]

_LONGEST: Final = 80  # characters of a name


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A part of a condition. An `item` has no parts but `tree`, what pySigma made of it."""

    kind: Kind
    name: str
    line: int
    parts: tuple["Node", ...] = ()
    tree: Any = None
    test: Predicate | None = None

    def holds(self, record: Mapping[str, Any], flipped: "Node | None" = None) -> bool:
        """Whether this part is true of a record, if the part `flipped` were what it is not."""
        if self.test is not None:
            held = self.test(record)
        elif self.kind == "all":
            held = all(part.holds(record, flipped) for part in self.parts)
        elif self.kind == "any":
            held = any(part.holds(record, flipped) for part in self.parts)
        else:
            held = not self.parts[0].holds(record, flipped)
        return held is not (self is flipped)

    def can_hold(self, allows: Callable[[str], bool]) -> tuple[bool, bool]:
        """Whether it can be true, and whether it can be false, where other fields never are."""
        if self.test is not None:
            if all(map(allows, self.fields)):
                return True, True
            held = self.test({})  # nothing in it: the field is missing
            return held or any(map(allows, self.fields)), not held
        ways = [part.can_hold(allows) for part in self.parts]
        if self.kind == "not":
            return ways[0][1], ways[0][0]
        both = all if self.kind == "all" else any
        other = any if self.kind == "all" else all
        return both(way[0] for way in ways), other(way[1] for way in ways)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that an item asks for; none of keywords and of parts that are no item."""
        return tuple(dict.fromkeys(_fields(self.tree)))

    def nodes(self) -> Iterator["Node"]:
        """This part and all below it."""
        yield self
        for part in self.parts:
            yield from part.nodes()


def outline(part: Part, processing: Processing = NONE, section: Section = "detection") -> Node:
    """The condition of the rule or filter that `part` holds. Faulty, as compiling it is."""
    detections = compiled(part, section, Subject(processing, part)).detections
    reading = _Reading(part, detections, section)
    conditions = [
        reading.tree(condition.parse(postprocess=False))
        for condition in reading.detections.parsed_condition
    ]
    if len(conditions) == 1:
        return conditions[0]
    return Node("any", "condition", part.line_of(section, "condition"), tuple(conditions))


def _fields(tree: Any) -> Iterator[str]:  # noqa: ANN401 - pySigma's several classes
    if isinstance(tree, ConditionFieldEqualsValueExpression):
        yield tree.field
        if isinstance(tree.value, SigmaFieldReference):
            yield tree.value.field
    for arg in getattr(tree, "args", ()):
        yield from _fields(arg)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."


class _Reading:
    def __init__(self, part: Part, detections: SigmaDetections, section: Section) -> None:
        self._part = part
        self._section = section
        self.detections = detections

    def tree(self, tree: Any) -> Node:  # noqa: ANN401 - pySigma's several classes
        line = self._part.line_of(self._section, "condition")
        match tree:
            case ConditionIdentifier():
                return self._selection(tree.identifier)
            case ConditionSelector():
                named = tree.resolve_referenced_detections(self.detections)
                parts = tuple(self._selection(one.identifier) for one in named)
                kind: Kind = "any" if tree.cond_class is ConditionOR else "all"
                return (
                    parts[0] if len(parts) == 1 else Node(kind, " of ".join(tree.args), line, parts)
                )
            case ConditionNOT():
                inner = self.tree(tree.args[0])
                return Node("not", _short(f"not {inner.name}"), line, (inner,))
            case ConditionAND() | ConditionOR():
                kind = "any" if isinstance(tree, ConditionOR) else "all"
                word = " or " if isinstance(tree, ConditionOR) else " and "
                parts = tuple(map(self.tree, tree.args))
                return Node(kind, _short(word.join(part.name for part in parts)), line, parts)
            case _:
                raise TypeError(f"a condition has no {type(tree).__name__}")

    def _selection(self, name: str) -> Node:
        return self._detection(self.detections[name], name, (self._section, name))

    def _detection(self, detection: SigmaDetection, name: str, place: Place) -> Node:
        """A selection, or an element of one that is a list of maps.

        What a pipeline added or divided has the line of the selection.
        """
        items = detection.detection_items
        held = self._stated(place)
        if is_object(held) and len(held) != len(items):
            held = None
        parts: list[Node] = []
        for number, item in enumerate(items):
            inner, called = place, name
            if is_object(held):
                inner, called = (*place, key := list(held)[number]), f"{name}.{key}"
            elif is_list(held) and len(items) > 1:
                inner, called = (*place, number), f"{name}[{number + 1}]"
            elif is_list(held) and len(held) == 1:
                inner = (*place, 0)
            if isinstance(item, SigmaDetection):
                parts.append(self._detection(item, called, inner))
            else:
                parts.append(self._item(item, called, inner))
        kind: Kind = "any" if detection.item_linking is ConditionOR else "all"
        return Node(kind, name, self._part.line_of(*place), tuple(parts))

    def _stated(self, place: Place) -> Any:  # noqa: ANN401 - any JSON-like value
        """What stands there in the document; None where a pipeline made it."""
        found = [held for _, held in follow(self._part.data, place)]
        return found[-1] if len(found) == len(place) else None

    def _item(self, item: SigmaDetectionItem, name: str, place: Place) -> Node:
        tree = item.postprocess(self.detections)
        line = self._part.line_of(*place)
        return Node("item", _short(name), line, tree=tree, test=predicate(tree))
