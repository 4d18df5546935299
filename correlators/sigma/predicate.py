"""Predicate: the condition tree of a rule as a function of a record."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import singledispatch
from itertools import islice
from typing import Any, Final

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.exceptions import SigmaValueError
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNumber,
    SigmaString,
    SigmaType,
)

from correlators.sigma.comparison import ANY, any_string, test
from correlators.sigma.values import EXACT, folded, leaves, reader, text

Predicate = Callable[[Mapping[str, Any]], bool]

MAX_REFERRED: Final = 100  # texts of the other field; each is looked for in each of the first

_RELATED: Final[dict[tuple[bool, bool], Callable[[str, str], bool]]] = {
    (True, False): str.startswith,
    (False, True): str.endswith,
    (True, True): operator.contains,
}


@singledispatch
def predicate(tree: object) -> Predicate:
    """Compile a tree of pySigma. SigmaError where a value is one that we cannot test.

    `not` of a field that is missing is true: a field either holds what is asked for or does not.
    """
    raise SigmaValueError(f"conditions of type {type(tree).__name__} are not supported")


@predicate.register
def _all(tree: ConditionAND) -> Predicate:
    every = [predicate(arg) for arg in tree.args]

    def holds(record: Mapping[str, Any]) -> bool:
        for each in every:  # noqa: SIM110 - a generator costs more than what it asks
            if not each(record):
                return False
        return True

    return holds


@predicate.register
def _any(tree: ConditionOR) -> Predicate:
    some = [predicate(arg) for arg in tree.args if not _is_string(arg)]
    some.extend(_strings(tree.args))
    if len(some) == 1:
        return some[0]

    def holds(record: Mapping[str, Any]) -> bool:
        for each in some:  # noqa: SIM110 - as above
            if each(record):
                return True
        return False

    return holds


@predicate.register
def _not(tree: ConditionNOT) -> Predicate:
    holds = predicate(tree.args[0])
    return lambda record: not holds(record)


@predicate.register
def _field(tree: ConditionFieldEqualsValueExpression) -> Predicate:
    read = reader(tree.field)
    if isinstance(tree.value, SigmaFieldReference):
        return _reference(tree.field, tree.value)
    matches = test(tree.value)
    return lambda record: matches(read(record))


@predicate.register
def _keyword(tree: ConditionValueExpression) -> Predicate:
    matches = test(_anywhere(tree.value))
    return lambda record: any(matches(leaf) for leaf in leaves(record))


def _reference(field: str, reference: SigmaFieldReference) -> Predicate:
    mine, other = reader(field), reader(reference.field)
    related = _RELATED.get((reference.starts_with, reference.ends_with))
    if related is None:
        return lambda record: not set(folded(other(record))).isdisjoint(folded(mine(record)))

    def holds(record: Mapping[str, Any]) -> bool:
        others = list(islice(dict.fromkeys(folded(other(record))), MAX_REFERRED))
        return any(related(plain, o) for plain in folded(mine(record)) for o in others)

    return holds


def _anywhere(value: SigmaType) -> SigmaType:
    """A keyword is looked for inside of every value of the record."""
    if isinstance(value, SigmaExpansion):
        return SigmaExpansion([_anywhere(each) for each in value.values])
    if isinstance(value, SigmaNumber):
        plain = value.number  # beyond EXACT it was a float: large integers are given as text
        value = SigmaString(text(plain if abs(plain) <= EXACT else float(plain)))
    if isinstance(value, SigmaBool):
        value = SigmaString(str(value))
    if isinstance(value, SigmaString):
        wrapped = type(value)()
        wrapped.s = [ANY, *value.s, ANY]
        return wrapped
    return value


def _is_string(tree: object) -> bool:
    return isinstance(tree, ConditionFieldEqualsValueExpression) and isinstance(
        tree.value, SigmaString
    )


def _strings(trees: Sequence[object]) -> Iterator[Predicate]:
    """Lists of values are long: those of one field are read and folded once."""
    groups: dict[tuple[str, bool], list[SigmaString]] = {}
    for tree in trees:
        if isinstance(tree, ConditionFieldEqualsValueExpression) and isinstance(
            tree.value, SigmaString
        ):
            cased = isinstance(tree.value, SigmaCasedString)
            groups.setdefault((tree.field, cased), []).append(tree.value)
    for (field, _), values in groups.items():
        yield _of_field(field, values)


def _of_field(field: str, values: Sequence[SigmaString]) -> Predicate:
    read, matches = reader(field), any_string(values)
    return lambda record: matches(read(record))
