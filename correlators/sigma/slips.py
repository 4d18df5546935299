"""Slips: what a rule says that its author hardly means, though it can be run as it stands."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from itertools import product
from typing import Any, Final, Literal, NamedTuple

from sigma.conditions import ConditionIdentifier, ConditionNOT, ConditionOR, ConditionSelector
from sigma.exceptions import SigmaError
from sigma.rule.detection import SigmaDetections

from correlators.document import Faulty, Part
from correlators.normal import PRODUCT, WORDS
from correlators.sigma.condition import skeleton
from correlators.sigma.outline import Section
from correlators.sigma.values import is_list, is_object

Kind = Literal[
    "unused-selection",
    "always-true",
    "no-effect",
    "glob",
    "yaml-value",
    "unknown-key",
    "unknown-word",
]
Place = tuple[str | int, ...]
_Tree = Any  # pySigma's several classes

_MOST: Final = 8  # selections whose combinations are tried out
_NEAR: Final = 0.8  # how alike two keys are at least
_TIMEFRAME: Final = "timeframe"
_GLOB: Final = re.compile(r"\^?[\w:/@-]+(\*[\w:/@-]+)*\*")
_LOGSOURCE: Final = ("category", "product", "service", "definition")
_KEYS: Final = (
    *("action", "author", "barograph", "correlation", "date", "description", "detection"),
    *("falsepositives", "fields", "filter", "id", "legs", "level", "license", "logsource"),
    *("modified", "name", "references", "related", "scope", "status", "tags", "taxonomy", "title"),
)


class Slip(NamedTuple):
    """What is hardly meant, and its line."""

    kind: Kind
    line: int
    message: str


def slips(part: Part, section: Section) -> Iterator[Slip]:
    """The slips of a detection rule or a filter that is loaded, by line."""
    found = [*keys(part), *_of_logsource(part), *_spelled(part, section), *_globs(part, section)]
    found += _words(part, section)
    if _TIMEFRAME in part.data[section]:
        line = part.line_of(section, _TIMEFRAME)
        message = "`timeframe` has no effect: write a correlation with `timespan`"
        found.append(Slip("no-effect", line, message))
    with suppress(Faulty, SigmaError):  # what a pipeline has to make whole
        found += _of_condition(part, section)
    yield from sorted(found, key=lambda one: one.line)


def keys(part: Part) -> Iterator[Slip]:
    """The keys of a rule of any kind that are nearly known ones; others are for humans."""
    for key in part.data:
        near: list[str] = [] if key in _KEYS else get_close_matches(key, _KEYS, 1, _NEAR)
        if near and near[0] not in part.data:
            message = f"`{key}` is no key of a rule, and is not read; did you mean `{near[0]}`?"
            yield Slip("unknown-key", part.line_of(key), message)


def _of_logsource(part: Part) -> Iterator[Slip]:
    stated: dict[str, Any] = part.data["logsource"]
    for key in stated:
        if key not in _LOGSOURCE:
            near = get_close_matches(key, _LOGSOURCE, 1, _NEAR)
            more = f"; did you mean `{near[0]}`?" if near else ""
            message = f"`{key}` is no key of a logsource, and is not read{more}"
            yield Slip("unknown-key", part.line_of("logsource", key), message)


def _spelled(part: Part, section: Section) -> Iterator[Slip]:
    for place, plain in part.spelled.items():
        if place[0] == section and place[1:2] != ("condition",):
            held: Any = part.data
            modifiers: list[str] = []
            for key in place:
                held = held[key]
                modifiers = key.split("|")[1:] if isinstance(key, str) else modifiers
            if "exists" in modifiers:
                continue
            said = str(held).lower() if isinstance(held, bool) else f"the number {held}"
            message = f"`{plain[:40]}` is {said} here: put it in quotes if you mean the text"
            yield Slip("yaml-value", part.line_of(*place), message)


def _globs(part: Part, section: Section) -> Iterator[Slip]:
    for place, key, value in _values(part.data[section], (section,)):
        if "re" in key.split("|")[1:] and isinstance(value, str) and _GLOB.fullmatch(value):
            message = (
                f"`{value[:80]}` is a regular expression, in which `{value[-2:]}` is any number of"
                f" `{value[-2]}`, or none: write `.*`, or leave `re` away"
            )
            yield Slip("glob", part.line_of(*place), message)


def _words(part: Part, section: Section) -> Iterator[Slip]:
    """Values that a field of the normal form never has: it holds one of a few words."""
    if part.data["logsource"].get("product") != PRODUCT:
        return
    for place, key, value in _values(part.data[section], (section,)):
        known = WORDS.get(key)  # with a modifier behind it, it may be a part of a word
        if known is None or not isinstance(value, str) or "*" in value or "?" in value:
            continue
        if value.lower() not in known:
            message = f"`{key}` says {', '.join(known)}; `{value[:40]}` is none of these"
            yield Slip("unknown-word", part.line_of(*place), message)


def _values(held: Any, place: Place, key: str = "") -> Iterator[tuple[Place, str, Any]]:  # noqa: ANN401 - any JSON-like value
    """Every value with its place and the key that it stands behind. Depth is bounded by reading."""
    if is_object(held):
        for name, below in held.items():
            yield from _values(below, (*place, name), name)
    elif is_list(held):
        for number, below in enumerate(held):
            yield from _values(below, (*place, number), key)
    else:
        yield place, key, held


def _of_condition(part: Part, section: Section) -> Iterator[Slip]:
    detections = skeleton(part, section)
    trees = [one.parse(postprocess=False) for one in detections.parsed_condition]
    used = {name for tree in trees for name in _names(tree, detections)}
    for name in detections.detections:
        if name not in used and name != _TIMEFRAME:
            message = f"the condition never uses the selection `{name}`"
            yield Slip("unused-selection", part.line_of(section, name), message)
    stars = {name for name in used if _is_anything(part.data[section][name])}
    others = sorted(used - stars)
    if len(others) <= _MOST:
        held = [
            any(_holds(tree, assumed, detections) for tree in trees)
            for values in product((False, True), repeat=len(others))
            for assumed in (dict.fromkeys(stars, True) | dict(zip(others, values, strict=True)),)
        ]
        if all(held):
            what = "of every record" + (" that has something there" if stars else "")
            line = part.line_of(section, "condition")
            yield Slip("always-true", line, f"the condition is true {what}")


def _names(tree: _Tree, detections: SigmaDetections) -> Iterator[str]:
    if isinstance(tree, ConditionIdentifier):
        yield tree.identifier
    elif isinstance(tree, ConditionSelector):
        for one in tree.resolve_referenced_detections(detections):
            yield one.identifier
    else:
        for arg in tree.args:
            yield from _names(arg, detections)


def _holds(tree: _Tree, assumed: Mapping[str, bool], detections: SigmaDetections) -> bool:
    """What a condition says where its selections say what is assumed."""
    if isinstance(tree, ConditionIdentifier):
        return assumed[tree.identifier]
    if isinstance(tree, ConditionSelector):
        named = tree.resolve_referenced_detections(detections)
        some = tree.cond_class is ConditionOR
        return (any if some else all)(assumed[one.identifier] for one in named)
    if isinstance(tree, ConditionNOT):
        return not _holds(tree.args[0], assumed, detections)
    some = isinstance(tree, ConditionOR)
    return (any if some else all)(_holds(arg, assumed, detections) for arg in tree.args)


def _is_anything(selection: Any) -> bool:  # noqa: ANN401 - any JSON-like value
    """Whether a selection asks for `*` and for nothing else."""
    if is_object(selection):
        return bool(selection) and all(
            "|" not in key and _is_anything(value) for key, value in selection.items()
        )
    if is_list(selection):
        return any(map(_is_anything, selection))
    return isinstance(selection, str) and selection == "*"
