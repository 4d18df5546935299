"""Witness: literals without which a rule cannot match, cheap enough to look for in every record."""

import re
from collections.abc import Iterable
from functools import singledispatch
from typing import Final, Literal, NamedTuple

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionOR,
)
from sigma.types import (
    SigmaBool,
    SigmaExists,
    SigmaExpansion,
    SigmaNull,
    SigmaRegularExpression,
    SigmaString,
    SigmaType,
)

from correlators.sigma.values import fold

Kind = Literal["is", "has", "there"]
KINDS: Final[tuple[Kind, ...]] = ("is", "has", "there")  # the most telling first

SHORTEST: Final = 3  # a shorter part of a text is in nearly every text


class Atom(NamedTuple):
    """A text of the field `path` is, or has in it, the folded `literal`; or there is some text."""

    path: str
    kind: Kind
    literal: str = ""


Clause = frozenset[Atom]  # one of them holds for every record that matches

# What alters the meaning of the literal beside it; `+` needs its character at least once.
_NOT_LITERAL: Final = re.compile(r"[|?*{}\[\]()\\]")
_UNNAMEABLE: Final = re.compile(r'["\\\x00-\x1f]')  # in no field that msgspec decodes
_RUN: Final = re.compile(r"[A-Za-z0-9:/_ -]+")


@singledispatch
def clauses(_: object) -> tuple[Clause, ...]:
    """What every record that matches the tree fulfils; empty where nothing of use is needed."""
    return ()  # `not`, keywords: nothing that a field must hold


@clauses.register
def _every(tree: ConditionAND) -> tuple[Clause, ...]:
    return tuple(clause for arg in tree.args for clause in clauses(arg))


@clauses.register
def _either(tree: ConditionOR) -> tuple[Clause, ...]:
    needs = [clauses(arg) for arg in tree.args]
    if not all(needs):
        return ()
    single = [_by_path(need) for need in needs]
    shared = set[str].intersection(*map(set, single))
    if shared:
        return tuple(_union(by_path[path] for by_path in single) for path in sorted(shared))
    return (_union(min(need, key=_weakness) for need in needs),)


@clauses.register
def _field(tree: ConditionFieldEqualsValueExpression) -> tuple[Clause, ...]:
    clause = _clause(tree.value, tree.field)
    return (clause,) if clause and not _UNNAMEABLE.search(tree.field) else ()


@singledispatch
def _clause(_: SigmaType, path: str) -> Clause:
    """Numbers, networks, times, references: the field must be there, in whatever spelling."""
    return frozenset({Atom(path, "there")})


@_clause.register
def _null(_: SigmaNull | SigmaExists, __: str) -> Clause:
    return frozenset()  # both hold where nothing is, or where null is


@_clause.register
def _bool(value: SigmaBool, path: str) -> Clause:
    return _literal(path, "is", str(value))


@_clause.register
def _string(value: SigmaString, path: str) -> Clause:
    pieces = [piece for piece in value.s if isinstance(piece, str)]
    if len(pieces) == len(value.s):
        return _literal(path, "is", "".join(pieces))
    return _literal(path, "has", max(pieces, key=len, default=""))


@_clause.register
def _regular_expression(value: SigmaRegularExpression, path: str) -> Clause:
    pattern = str(value.regexp)
    runs = [] if _NOT_LITERAL.search(pattern) else _RUN.findall(pattern)
    return _literal(path, "has", max(runs, key=len, default=""))


@_clause.register
def _expansion(value: SigmaExpansion, path: str) -> Clause:
    each = [_clause(one, path) for one in value.values]
    return _union(each) if all(each) else frozenset()


def _literal(path: str, kind: Kind, plain: str) -> Clause:
    literal = fold(plain)
    if kind == "has" and len(literal) < SHORTEST:
        return frozenset({Atom(path, "there")})
    return frozenset({Atom(path, kind, literal)})


def _by_path(need: Iterable[Clause]) -> dict[str, Clause]:
    """The strongest clause on each single path."""
    found: dict[str, Clause] = {}
    for clause in sorted(need, key=_weakness, reverse=True):
        paths = {atom.path for atom in clause}
        if len(paths) == 1:
            found[paths.pop()] = clause
    return found


def _union(parts: Iterable[Clause]) -> Clause:
    return frozenset(atom for part in parts for atom in part)


def _weakness(clause: Clause) -> tuple[int, int, list[Atom]]:
    return max(KINDS.index(atom.kind) for atom in clause), len(clause), sorted(clause)
