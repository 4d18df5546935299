"""Policies: those of the package and those of users, every reference in them resolved."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from correlators.document import Document, Part, Problem
from correlators.known import JUDGED
from correlators.ruleset import Ruleset
from correlators.standards import FINDING, Named, checked, packaged
from schemas.policy import READABLE, Check, Policy

POLICIES = "policies"


class Policies(NamedTuple):
    """Policies in the order of their documents, and what is wrong with the others."""

    policies: tuple[Policy, ...]
    problems: tuple[Problem, ...] = ()


def builtin() -> Iterator[Document]:
    """The policies that come with the package."""
    yield from packaged(POLICIES)


def read(documents: Iterable[Document], ruleset: Ruleset, criteria: Collection[str]) -> Policies:
    """The policies of these documents, against these rules and criteria.

    A reference that leads nowhere is a Problem: a check that can find nothing would pass for ever.
    """
    problems: list[Problem] = []
    named = Named(ruleset)

    def dangling(part: Part, policy: Policy) -> Iterator[Problem]:
        for number, check in enumerate(policy.checks):
            for id_ in check.criteria:
                if id_ not in criteria:
                    yield part.problem(f"`{id_}` is no criterion", "checks", number, "criteria")
            if check.against is not None:
                yield from named.against(part, check.against, "checks", number, "against")
            yield from _blind(part, check, number)
        there = {READABLE, *(check.id for check in policy.checks)}
        for number, waiver in enumerate(policy.waivers):
            if waiver.check not in there:
                message = f"`{waiver.check}` is no check of this policy"
                yield part.problem(message, "waivers", number, "check")

    found = tuple(checked(documents, Policy, dangling, problems))
    return Policies(found, tuple(problems))


def _blind(part: Part, check: Check, number: int) -> Iterator[Problem]:
    """What would not be looked at as it is meant."""
    if check.against is not None and FINDING in check.against.facts:
        message = f"`{FINDING}` is every finding of a scanner: write `weaknesses`"
        yield part.problem(message, "checks", number, "against", "facts")
    if any(need.signalled for need in check.needs):
        message = "`signalled` needs the subject of a criterion: write `criteria`"
        yield part.problem(message, "checks", number, "needs")
    for pattern in () if check.allow is None else check.allow.of:
        if pattern.partition(":")[0] not in JUDGED:
            message = f"`{pattern}` is of no kind that is judged: {', '.join(JUDGED)}"
            yield part.problem(message, "checks", number, "allow", "of")
