"""Placeholders: the values that `%name%` stands for in rules with the modifier `expand`."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from math import prod
from typing import Final

from sigma.exceptions import SigmaValueError
from sigma.rule.detection import SigmaDetection
from sigma.types import (
    Placeholder,
    SigmaExpansion,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaType,
    SpecialChars,
)

from correlators.document import Faulty, Part, Problem
from correlators.sigma.engine import POLICY
from correlators.sigma.values import is_list, is_object

KEY: Final = "placeholders"
MAX_EXPANDED: Final = 100_000  # values that one may become

Pieces = list[str | SpecialChars | Placeholder]
Tables = Mapping[str, tuple[str, ...]]  # by name, values in which wildcards count


def tables(part: Part) -> Tables:
    """The tables of a document `placeholders: {name: [value, ...]}`; Faulty otherwise."""
    stated = part.data.get(KEY)
    if part.data.keys() != {KEY} or not is_object(stated):
        message = f"a table of placeholders is `{KEY}:` with names and their lists of values"
        raise Faulty(part.problem(message))
    problems: list[Problem] = []
    found: dict[str, tuple[str, ...]] = {}
    for name, given in stated.items():
        values = given if is_list(given) else [given]
        if not values or not all(_is_value(value) for value in values):
            message = f"`{name}` needs a list of texts or numbers, one at least"
            problems.append(part.problem(message, KEY, name))
        found[name] = tuple(map(str, values))
    if problems:
        raise Faulty(*problems)
    return found


def fill(detection: SigmaDetection, values: Tables) -> None:
    """Put the values of the tables in place; placeholders that no table knows remain.

    SigmaValueError where one value becomes more than MAX_EXPANDED.
    """
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            fill(item, values)
        else:
            item.value = [filled for value in item.value for filled in _filled(value, values)]


def left(detection: SigmaDetection) -> Iterator[str]:
    """The names of the placeholders that nothing has filled."""
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            yield from left(item)
        else:
            for value in item.value:
                yield from names(value)


def names(value: SigmaType) -> Iterator[str]:
    """The placeholders in a value."""
    if isinstance(value, SigmaExpansion):
        for each in value.values:
            yield from names(each)
    elif isinstance(value, SigmaRegularExpression):
        yield from names(value.regexp)
    elif isinstance(value, SigmaString):
        yield from (piece.name for piece in value.s if isinstance(piece, Placeholder))


def _filled(value: SigmaType, values: Tables) -> list[SigmaType]:
    if values.keys().isdisjoint(names(value)):
        return [value]
    if isinstance(value, SigmaExpansion):
        return [SigmaExpansion([one for each in value.values for one in _filled(each, values)])]
    if isinstance(value, SigmaRegularExpression):
        return [
            _expression(pieces, value.flags)
            for pieces in _combined(value.regexp, values, _verbatim)
        ]
    if not isinstance(value, SigmaString):
        return [value]
    found: list[SigmaType] = []
    for pieces in _combined(value, values, _parsed):
        string = type(value)()  # with or without case, as it was
        string.s = pieces
        found.append(string)
    return found


def _combined(
    value: SigmaString, values: Tables, read: Callable[[str], Pieces]
) -> Iterator[Pieces]:
    """The pieces of the value, once for each combination of the values of its placeholders."""
    choices: list[list[Pieces]] = [
        [read(text) for text in values[piece.name]]
        if isinstance(piece, Placeholder) and piece.name in values
        else [[piece]]
        for piece in value.s
    ]
    if prod(map(len, choices)) > MAX_EXPANDED:
        raise SigmaValueError(f"placeholders turn one value into more than {MAX_EXPANDED}")
    for chosen in product(*choices):
        yield _merged([piece for pieces in chosen for piece in pieces])


def _expression(pieces: Pieces, flags: set[SigmaRegularExpressionFlag]) -> SigmaRegularExpression:
    """To pySigma `*` and `?` of an expression are wildcards of a text."""
    text = SigmaString()
    text.s = pieces
    filled = SigmaRegularExpression(text.to_plain(regex=True), flags, policy=POLICY)
    if any(isinstance(piece, Placeholder) for piece in pieces):
        filled.insert_placeholders()  # those that no table knows are told
    return filled


def _merged(pieces: Pieces) -> Pieces:
    """Neighbouring texts as one text: a value without wildcards is one piece."""
    merged: Pieces = []
    for piece in pieces:
        if merged and isinstance(piece, str) and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def _parsed(text: str) -> Pieces:
    return list(SigmaString(text).s)


def _verbatim(text: str) -> Pieces:
    return [text]


def _is_value(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
