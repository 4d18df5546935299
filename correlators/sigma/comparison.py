"""One Sigma value as a test of what a field holds."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import singledispatch
from ipaddress import ip_address
from operator import ge, gt, le, lt, ne
from typing import Any, Final, cast

from sigma.exceptions import SigmaValueError
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
    TimestampPart,
)

from correlators.sigma.engine import ENGINE
from correlators.sigma.values import MISSING, elements, fold, moment, number, texts

Test = Callable[[Any], bool]  # of what a field holds: JSON, or MISSING
Words = Callable[[str], bool]  # of one text

ANY: Final = SpecialChars.WILDCARD_MULTI

_OPERATORS: Final[dict[CompareOperators, Callable[[Any, Any], bool]]] = {
    CompareOperators.LT: lt,
    CompareOperators.LTE: le,
    CompareOperators.GT: gt,
    CompareOperators.GTE: ge,
    CompareOperators.NEQ: ne,
}
_PARTS: Final[dict[TimestampPart, Callable[[datetime], int]]] = {
    TimestampPart.MINUTE: lambda time: time.minute,
    TimestampPart.HOUR: lambda time: time.hour,
    TimestampPart.DAY: lambda time: time.day,
    TimestampPart.WEEK: lambda time: time.isocalendar().week,
    TimestampPart.MONTH: lambda time: time.month,
    TimestampPart.YEAR: lambda time: time.year,
}


@singledispatch
def test(value: SigmaType) -> Test:
    """What tells whether a field, or any element of it, is what `value` says.

    SigmaError where we have no such test: better no rule than one that never matches.
    """
    raise SigmaValueError(f"values of type {type(value).__name__} are not supported")


@test.register
def _string(value: SigmaString) -> Test:
    return any_string([value])


@test.register
def _regular_expression(value: SigmaRegularExpression) -> Test:
    flags = sum(value.sigma_to_python_flags[flag] for flag in value.flags)
    _no_placeholder(value.regexp)
    return _of_text(_found(ENGINE.compile(str(value.regexp), flags).search))


@test.register
def _number(value: SigmaNumber) -> Test:
    expected = value.number
    return lambda held: any(number(item) == expected for item in elements(held))


@test.register
def _bool(value: SigmaBool) -> Test:
    expected = str(value).lower()
    return _of_text(lambda plain: fold(plain) == expected)


@test.register
def _null(_: SigmaNull) -> Test:
    return lambda held: held is MISSING or any(item is None for item in elements(held))


@test.register
def _exists(value: SigmaExists) -> Test:
    expected = bool(value)
    return lambda held: (held is not MISSING) is expected


@test.register
def _network(value: SigmaCIDRExpression) -> Test:
    network = value.network

    def inside(plain: str) -> bool:
        try:
            return ip_address(plain) in network
        except ValueError:
            return False

    return _of_text(inside)


@test.register
def _comparison(value: SigmaCompareExpression) -> Test:
    expected, holds = value.number.number, _OPERATORS[value.op]
    read = _part(value.number) if isinstance(value.number, SigmaTimestampPart) else number

    def compare(held: Any) -> bool:  # noqa: ANN401 - a JSON value
        found = (read(item) for item in elements(held))
        return any(item is not None and holds(item, expected) for item in found)

    return compare


@test.register
def _timestamp_part(value: SigmaTimestampPart) -> Test:
    expected, read = value.number, _part(value)
    return lambda held: any(read(item) == expected for item in elements(held))


@test.register
def _expansion(value: SigmaExpansion) -> Test:
    tests = [test(each) for each in value.values]
    return lambda held: any(matches(held) for matches in tests)


def any_string(values: Iterable[SigmaString]) -> Test:
    """The test of several strings, all with case or all without: true if one of them matches."""
    exact: set[str] = set()
    patterns: list[Words] = []
    prepare: Callable[[str], str] = fold
    for value in values:
        _no_placeholder(value)
        if isinstance(value, SigmaCasedString):
            prepare = str
        pieces = [prepare(piece) if isinstance(piece, str) else piece for piece in value.s]
        if all(isinstance(piece, str) for piece in pieces):
            exact.add("".join(cast("list[str]", pieces)))
        else:
            patterns.append(_pattern(pieces))

    if not patterns:
        return _of_text(lambda plain: prepare(plain) in exact)

    def matches(plain: str) -> bool:
        plain = prepare(plain)
        return plain in exact or any(pattern(plain) for pattern in patterns)

    return _of_text(matches)


def _pattern(pieces: Sequence[str | SpecialChars | Placeholder]) -> Words:
    match pieces:
        case [SpecialChars.WILDCARD_MULTI]:
            return lambda _: True
        case [SpecialChars.WILDCARD_MULTI, str(inner), SpecialChars.WILDCARD_MULTI]:
            return lambda plain: inner in plain
        case [str(head), SpecialChars.WILDCARD_MULTI]:
            return lambda plain: plain.startswith(head)
        case [SpecialChars.WILDCARD_MULTI, str(tail)]:
            return lambda plain: plain.endswith(tail)
        case _:
            regexp = "".join(
                ENGINE.escape(piece) if isinstance(piece, str) else ".*" if piece is ANY else "."
                for piece in pieces
            )
            return _found(ENGINE.compile(regexp, re.DOTALL).fullmatch)


def _found(search: Callable[[str], Any]) -> Words:
    def found(plain: str) -> bool:
        try:
            return search(plain) is not None
        except UnicodeEncodeError:  # half a character, which RE2 has no bytes for
            return search(plain.encode(errors="replace").decode()) is not None

    return found


def _of_text(matches: Words) -> Test:
    def of_text(held: Any) -> bool:  # noqa: ANN401 - a JSON value
        if held.__class__ is str:  # by far the most fields
            return matches(held)
        return any(matches(plain) for plain in texts(held))

    return of_text


def _part(value: SigmaTimestampPart) -> Callable[[Any], int | None]:
    part = _PARTS[value.timestamp_part]

    def read(item: Any) -> int | None:  # noqa: ANN401 - a JSON value
        time = moment(item)
        return None if time is None else part(time)

    return read


def _no_placeholder(value: SigmaString) -> None:
    for piece in value.s:
        if isinstance(piece, Placeholder):
            raise SigmaValueError(f"nothing fills the placeholder %{piece.name}% of `expand`")
