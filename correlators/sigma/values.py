"""What a field of a record holds for Sigma: found by path, compared as text, number or moment.

The one place that decides (spec 2.1 where it says so, else as noted):
- A dotted name is the exact key of the record, else a path into it; a list on the way, or at the
  end, stands for each of its elements, at any depth.
- Missing, null and empty are three things. Null and missing have no text.
- Text compares without case (`fold`), booleans as `true` and `false`, whole numbers without a
  fraction (5.0 is 5), an object by its compact JSON.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final, TypeGuard

import orjson

from schemas import times

Reader = Callable[[Mapping[str, Any]], Any]

MISSING: Final = object()

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EXACT: Final = 2.0**53  # beyond, a float has no exact digits to show
_DECIMAL: Final = 14_000  # bits; Python does not write longer integers in digits
_NUMBER: Final = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?")


def reader(path: str) -> Reader:
    """Return what finds the value at `path` in a record: one, several as a list, or MISSING."""
    first, *rest = path.split(".")
    if not rest:
        return lambda record: record.get(path, MISSING)

    def read(record: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a JSON value
        value = record.get(path, MISSING)
        if value is not MISSING:
            return value
        held = record.get(first, MISSING)
        return MISSING if held is MISSING else descend(held, rest)

    return read


def lookup(record: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - a JSON value
    """The value at `path`, several as a list; None if there is none."""
    value = reader(path)(record)
    return None if value is MISSING else value


def is_list(value: Any) -> TypeGuard[list[Any]]:  # noqa: ANN401 - a JSON value
    """True for a JSON array."""
    return isinstance(value, list)


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:  # noqa: ANN401 - a JSON value
    """True for a JSON object."""
    return isinstance(value, dict)


def descend(value: Any, keys: list[str]) -> Any:  # noqa: ANN401 - a JSON value
    """The value behind `keys` in nested objects; through a list, all that its elements hold."""
    for position, key in enumerate(keys):
        if value.__class__ is dict:
            value = value.get(key, MISSING)
        elif value.__class__ is list:
            found = [descend(item, keys[position:]) for item in flat(value)]
            return [item for item in found if item is not MISSING] or MISSING
        else:
            return MISSING
    return value


def flat(values: list[Any]) -> Iterator[Any]:
    """The elements of a list and of the lists in it, in order. Iterative: depth is untrusted."""
    stack = [iter(values)]
    while stack:
        for item in stack[-1]:
            if is_list(item):
                stack.append(iter(item))
                break
            yield item
        else:
            stack.pop()


def elements(value: Any) -> Iterator[Any]:  # noqa: ANN401 - a JSON value
    """The single values that a field stands for: none if it is missing, null is one."""
    if is_list(value):
        yield from flat(value)
    elif value is not MISSING:
        yield value


def leaves(record: Any) -> Iterator[Any]:  # noqa: ANN401 - a JSON value
    """Every value at any depth of a record that is neither object nor list, in order."""
    stack = [iter((record,))]
    while stack:
        for item in stack[-1]:
            if is_list(item):
                stack.append(iter(item))
                break
            if is_object(item):
                stack.append(iter(item.values()))
                break
            yield item
        else:
            stack.pop()


def texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - a JSON value
    """The texts by which a field compares."""
    for item in elements(value):
        if item is not None:
            yield text(item)


def text(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """The text of one value that is neither null nor list."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _digits(value)
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # nested deeper than the encoder goes, or with a huge integer
        return "\n".join(text(leaf) for leaf in leaves(value) if leaf is not None)


def _digits(value: float) -> str:
    if isinstance(value, int):
        return str(value) if value.bit_length() < _DECIMAL else f"{value:x}"
    if value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    # Other formats than JSON have what is not finite, and JSON would call it null.
    return orjson.dumps(value).decode() if isfinite(value) else str(value)


def fold(plain: str) -> str:
    """Text without case. Final sigma is sigma: lower-casing must not depend on what follows."""
    return plain.lower().replace("\u03c2", "\u03c3")


def folded(value: Any) -> Iterator[str]:  # noqa: ANN401 - a JSON value
    """The texts by which a field compares without case."""
    return (fold(plain) for plain in texts(value))


def spelled(plain: str) -> tuple[str, ...]:
    """A text, and the digits of the number that it spells otherwise: `403.0` is `403` too."""
    known = number(plain)
    digits = plain if known is None else text(known)
    return (plain,) if digits == plain else (plain, digits)


def number(value: Any) -> int | float | None:  # noqa: ANN401 - a JSON value
    """The number that a value is or spells; integers are exact, booleans are no numbers."""
    if isinstance(value, int | float):
        return None if isinstance(value, bool) else value
    if not isinstance(value, str) or (found := _NUMBER.fullmatch(value)) is None:
        return None
    return float(value) if found[1] or found[2] else int(value)


def moment(value: Any) -> datetime | None:  # noqa: ANN401 - a JSON value
    """The UTC time that a value tells: RFC 3339 text, or seconds since 1970."""
    if not isinstance(value, str | int | float):
        return None
    try:
        return _EPOCH + timedelta(microseconds=times.instant(value))
    except (ValueError, OverflowError):
        return None
