"""Contradiction: conditions that no record can fulfil, where that can be shown cheaply.

What a part needs is, by field, the few texts of which the field must hold one, and those that it
must not. Only exact values of fields that never hold a list count; whatever else a part asks for is
taken as possible. So what is called impossible is, and much that is impossible is not noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import singledispatch
from itertools import chain
from typing import Final, NamedTuple

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
)
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaExists,
    SigmaNull,
    SigmaNumber,
    SigmaString,
)

from correlators.sigma.outline import Node
from correlators.sigma.values import fold, number, text

Single = Callable[[str], bool]  # whether a field never holds more than one value

ABSENT: Final = "\0absent"  # no text is this
NULL: Final = "\0null"


class Needs(NamedTuple):
    """By field: one of these (`among`), none of those (`without`)."""

    among: dict[str, frozenset[str]]
    without: dict[str, frozenset[str]]


class Impossible(NamedTuple):
    """Why nothing fulfils a part, and the line where that shows."""

    why: str
    line: int


def impossible(node: Node, single: Single) -> Impossible | None:
    """Why no record can make `node` true; None if one may."""
    found = _needs(node, single, wanted=True)
    return found if isinstance(found, Impossible) else None


def _needs(node: Node, single: Single, *, wanted: bool) -> Needs | Impossible:
    if node.kind == "not":
        return _needs(node.parts[0], single, wanted=not wanted)
    if node.kind == "item":
        return _of_tree(node.tree, single, node, wanted=wanted)
    parts = [_needs(part, single, wanted=wanted) for part in node.parts]
    return _joined(parts, node, every=(node.kind == "all") is wanted)


def _of_tree(tree: object, single: Single, node: Node, *, wanted: bool) -> Needs | Impossible:
    if isinstance(tree, ConditionNOT):
        return _of_tree(tree.args[0], single, node, wanted=not wanted)
    if isinstance(tree, ConditionAND | ConditionOR):
        parts = [_of_tree(arg, single, node, wanted=wanted) for arg in tree.args]
        return _joined(parts, node, every=isinstance(tree, ConditionAND) is wanted)
    if isinstance(tree, ConditionFieldEqualsValueExpression) and single(tree.field):
        return _stated(tree.value, tree.field, wanted)
    return Needs({}, {})


def _joined(parts: Iterable[Needs | Impossible], node: Node, *, every: bool) -> Needs | Impossible:
    parts = list(parts)
    wrong = [part for part in parts if isinstance(part, Impossible)]
    able = [part for part in parts if isinstance(part, Needs)]
    if wrong and (every or not able):
        return wrong[0]
    return _all(able, node) if every else _any(able)


def _all(parts: Iterable[Needs], node: Node) -> Needs | Impossible:
    among: dict[str, frozenset[str]] = {}
    excluded: dict[str, list[frozenset[str]]] = {}
    for part in parts:
        for field, texts in part.without.items():
            excluded.setdefault(field, []).append(texts)
        for field, texts in part.among.items():
            before = among.get(field, texts)
            among[field] = before & texts
            if not among[field]:
                why = f"`{field}` cannot be both {_said(before)} and {_said(texts)}"
                return Impossible(why, node.line)
    without = {field: _union(texts) for field, texts in excluded.items()}
    for field, texts in among.items():
        if texts <= without.get(field, frozenset()):
            return Impossible(f"`{field}` must be {_said(texts)} and must not", node.line)
    return Needs(among, without)


def _any(parts: list[Needs]) -> Needs:
    if not parts:
        return Needs({}, {})
    among = _shared([part.among for part in parts])
    without = _shared([part.without for part in parts])
    return Needs(
        {field: _union(texts) for field, texts in among.items()},
        {field: _intersection(texts) for field, texts in without.items()},
    )


def _shared(parts: list[dict[str, frozenset[str]]]) -> dict[str, list[frozenset[str]]]:
    """What each part says of the fields of which all say something."""
    fields = [field for field in min(parts, key=len) if all(field in part for part in parts)]
    return {field: [part[field] for part in parts] for field in fields}


def _union(parts: list[frozenset[str]]) -> frozenset[str]:
    """All at once: one by one, a list of n values would be copied n times."""
    return frozenset(chain.from_iterable(parts))


def _intersection(parts: list[frozenset[str]]) -> frozenset[str]:
    first, *others = sorted(parts, key=len)
    return first.intersection(*others)


@singledispatch
def _stated(_: object, field: str, wanted: bool) -> Needs:  # noqa: ARG001, FBT001 - as those below
    return Needs({}, {})


@_stated.register
def _string(value: SigmaString, field: str, wanted: bool) -> Needs:  # noqa: FBT001
    if not all(isinstance(piece, str) for piece in value.s):
        return Needs({}, {})
    plain = fold("".join(piece for piece in value.s if isinstance(piece, str)))
    if (spelled := number(plain)) is not None:
        # 5 and 5.0 are one number and two texts: what must not be is then not sure.
        return _either(field, text(spelled), sure=False, wanted=wanted)
    return _either(field, plain, sure=not isinstance(value, SigmaCasedString), wanted=wanted)


@_stated.register
def _bool(value: SigmaBool, field: str, wanted: bool) -> Needs:  # noqa: FBT001
    return _either(field, str(value).lower(), sure=True, wanted=wanted)


@_stated.register
def _number(value: SigmaNumber, field: str, wanted: bool) -> Needs:  # noqa: FBT001
    return _either(field, text(value.number), sure=False, wanted=wanted)


@_stated.register
def _null(_: SigmaNull, field: str, wanted: bool) -> Needs:  # noqa: FBT001
    nothing = frozenset({NULL, ABSENT})
    return Needs({field: nothing}, {}) if wanted else Needs({}, {field: nothing})


@_stated.register
def _exists(value: SigmaExists, field: str, wanted: bool) -> Needs:  # noqa: FBT001
    there = bool(value) is wanted
    return (
        Needs({}, {field: frozenset({ABSENT})})
        if there
        else Needs({field: frozenset({ABSENT})}, {})
    )


def _either(field: str, plain: str, *, sure: bool, wanted: bool) -> Needs:
    texts = {field: frozenset({plain})}
    if wanted:
        return Needs(texts, {})
    return Needs({}, texts if sure else {})


def _said(texts: frozenset[str]) -> str:
    words = {ABSENT: "absent", NULL: "null"}
    named = sorted(words.get(one, f"'{one[:60]}'") for one in texts)
    more = f" or {len(named) - 3} others" if len(named) > 3 else ""
    return " or ".join(named[:3]) + more
