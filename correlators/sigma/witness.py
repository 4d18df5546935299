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
    SigmaCasedString,
    SigmaExists,
    SigmaExpansion,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from correlators.sigma.values import EXACT, fold, number, text

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
_RUN_OF_ANY_CASE: Final = re.compile(r"[A-RT-Za-rt-z0-9:/_ -]+")  # to RE2 the long s is an `s`


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
def sure(_: object) -> bool:
    """True if a record that fulfils all clauses of the tree matches it, so that they are all of it.

    Said of records that have in these fields a text, a boolean or nothing.
    """
    return False


@sure.register
def _all_sure(tree: ConditionAND) -> bool:
    return all(map(sure, tree.args))


@sure.register
def _one_sure(tree: ConditionOR) -> bool:
    return all(sure(arg) and len(clauses(arg)) == 1 for arg in tree.args)


@sure.register
def _field_sure(tree: ConditionFieldEqualsValueExpression) -> bool:
    return _is_all(tree.value) and bool(clauses(tree))


def _is_all(value: SigmaType) -> bool:
    """True if the clause of a value says all of it: no case, no pattern but `*text*`."""
    match value:
        case SigmaBool():
            return True
        case SigmaExpansion():
            return all(map(_is_all, value.values))
        case SigmaCasedString():
            return False
        case SigmaString(s=[SpecialChars.WILDCARD_MULTI, str(inner), SpecialChars.WILDCARD_MULTI]):
            return len(fold(inner)) >= SHORTEST
        case SigmaString():
            # Of a number every spelling calls up, and the text is but one of them.
            plain = "".join(piece for piece in value.s if isinstance(piece, str))
            return all(isinstance(piece, str) for piece in value.s) and number(plain) is None
        case _:
            return False


@singledispatch
def _clause(_: SigmaType, path: str) -> Clause:
    """Networks, times, references: the field must be there, in whatever spelling."""
    return frozenset({Atom(path, "there")})


@_clause.register
def _number(value: SigmaNumber, path: str) -> Clause:
    digits = text(value.number)  # who looks for it knows how else it may be spelled
    # Beyond that a record may have it as a float, whose text has an exponent.
    exact = digits.isdecimal() and value.number < EXACT
    if isinstance(value, SigmaTimestampPart) or not exact:
        return frozenset({Atom(path, "there")})
    return frozenset({Atom(path, "is", digits)})


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
    any_case = SigmaRegularExpressionFlag.IGNORECASE in value.flags
    run = _RUN_OF_ANY_CASE if any_case else _RUN
    runs = [] if _NOT_LITERAL.search(pattern) else run.findall(pattern)
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
