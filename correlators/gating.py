"""Gating: a policy over what is known: which checks hold, and what stands against the others.

Law 1: what a check cannot see is no proof. A criterion that was not assessed fails it, unless the
policy says otherwise, and so does an input that cannot be read.
Law 2: a violation has one fingerprint, of the policy, the check, the thing and what is wrong with
it; neither times nor wordings are in it, nor the digest of an image, so that it is known again in
the next build. Facts of one name on one thing, and places where one check finds the same, are told
apart by their number: one more is new. A criterion that turns from not assessed to failed is new.
Law 3: nothing is put up with for ever: a waiver has a last day, and behind it counts no more.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import NamedTuple

from correlators.known import matches
from correlators.violations import Estate, Violation, unmatched, unreadable, violations
from schemas.event import LEVELS
from schemas.policy import READABLE, Policy, Waiver


class Waived(NamedTuple):
    """A violation and the waiver that puts up with it."""

    violation: Violation
    waiver: Waiver


class Result(NamedTuple):
    """One check: violations that are new, known by a baseline, or waived; the gravest first.

    `unmatched`: patterns of things by which it looks, and that name nothing that is there.
    """

    check: str
    title: str
    violations: tuple[Violation, ...] = ()
    known: tuple[Violation, ...] = ()
    waived: tuple[Waived, ...] = ()
    unmatched: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True if nothing new stands against it."""
        return not self.violations


class Verdict(NamedTuple):
    """A policy judged.

    `expired`: waivers that would apply, had their day not passed, each with the number of its
    violations; `idle`: waivers that nothing needs; `mended`: fingerprints of the baseline that were
    not found any more.
    """

    policy: Policy
    results: tuple[Result, ...]
    expired: tuple[tuple[Waiver, int], ...] = ()
    idle: tuple[Waiver, ...] = ()
    mended: frozenset[str] = frozenset()

    @property
    def passed(self) -> bool:
        """True if every check holds."""
        return all(result.passed for result in self.results)


def judge(policy: Policy, estate: Estate, day: date, baseline: Collection[str] = ()) -> Verdict:
    """The verdict on that day (UTC). `baseline`: fingerprints of what is known already."""
    found = [(READABLE, "The inputs can be read", unreadable(policy, estate))]
    found += [(one.id, one.title, violations(one, estate)) for one in policy.checks]
    used: dict[int, int] = {}
    seen: set[str] = set()
    results = [
        _result(id_, title, list(all_), _Putting(policy, day, baseline, used, seen))
        for id_, title, all_ in found
    ]
    blind = {one.id: unmatched(one, estate) for one in policy.checks}
    results = [one._replace(unmatched=blind.get(one.check, ())) for one in results]
    waivers = list(enumerate(policy.waivers))
    return Verdict(
        policy,
        tuple(results),
        tuple((one, used[n]) for n, one in waivers if one.until < day and n in used),
        tuple(one for n, one in waivers if n not in used),
        frozenset(baseline) - seen,
    )


class _Putting(NamedTuple):
    """What is put up with, and a note of which waivers and fingerprints were met."""

    policy: Policy
    day: date
    baseline: Collection[str]
    used: dict[int, int]
    seen: set[str]

    def waiver(self, violation: Violation) -> Waiver | None:
        """The waiver that applies; one whose day has passed is noted, and does not."""
        for number, waiver in enumerate(self.policy.waivers):
            if _about(waiver, violation):
                self.used[number] = self.used.get(number, 0) + 1
                if self.day <= waiver.until:
                    return waiver
        return None


def _result(id_: str, title: str, found: Sequence[Violation], put: _Putting) -> Result:
    new: list[Violation] = []
    known: list[Violation] = []
    waived: list[Waived] = []
    for one in sorted(found, key=_grave):
        fingerprint = one.fingerprint(put.policy.id)
        put.seen.add(fingerprint)
        waiver = put.waiver(one)
        if waiver is not None:
            waived.append(Waived(one, waiver))
        elif fingerprint in put.baseline and not one.unseen:
            known.append(one)
        else:
            new.append(one)
    return Result(id_, title, tuple(new), tuple(known), tuple(waived))


def _grave(one: Violation) -> tuple[int, str, str, int, str]:
    detail = (len(one.detail), one.detail)  # 10 stands behind 2
    return (-LEVELS.index(one.severity), one.steady, one.about, *detail)


def _about(waiver: Waiver, one: Violation) -> bool:
    return (
        waiver.check == one.check
        and (not waiver.on or matches(one.entity, waiver.on) or matches(one.steady, waiver.on))
        and (not waiver.about or any(fnmatchcase(one.about, about) for about in waiver.about))
    )


def counted(verdict: Verdict) -> Mapping[str, int]:
    """How many violations are new, known and waived."""
    results = verdict.results
    return {
        "new": sum(len(one.violations) for one in results),
        "known": sum(len(one.known) for one in results),
        "waived": sum(len(one.waived) for one in results),
    }
