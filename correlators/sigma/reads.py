"""Reads: the fields that a condition looks at, so that nothing else of a record need be decoded."""

from functools import singledispatch

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
)
from sigma.types import SigmaFieldReference


@singledispatch
def reads(_: object) -> frozenset[str] | None:
    """The dotted paths whose values decide the tree; None if all of the record does."""
    return None  # keywords


@reads.register
def _several(tree: ConditionAND | ConditionOR | ConditionNOT) -> frozenset[str] | None:
    found: set[str] = set()
    for part in map(reads, tree.args):
        if part is None:
            return None
        found |= part
    return frozenset(found)


@reads.register
def _field(tree: ConditionFieldEqualsValueExpression) -> frozenset[str] | None:
    if isinstance(tree.value, SigmaFieldReference):
        return frozenset({tree.field, tree.value.field})
    return frozenset({tree.field})


def together(*parts: frozenset[str] | None) -> frozenset[str] | None:
    """What several conditions look at."""
    return None if None in parts else frozenset[str]().union(*(part or () for part in parts))
