"""Gating: a policy over what is known: which checks hold, and what stands against the others.

Law 1: what a check cannot see is no proof. A criterion that was not assessed fails it, unless the
policy says otherwise, and so does an input that cannot be read.
Law 2: a violation has one fingerprint, of the policy, the check, the thing and what is wrong with
it; neither times nor wordings are in it, nor the digest of an image, so that it is known again in
the next build. Facts of one name on one thing, and places where one check finds the same, are told
apart by their number: one more is new. A criterion that turns from not assessed to failed is new.
Law 3: nothing is put up with for ever: a waiver has a last day, and behind it counts no more.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from itertools import chain
from typing import Final, NamedTuple

from correlators.faults import Fault, faults
from correlators.judging import hearing
from correlators.known import ESTATE, Known, Reference, matches
from schemas.canonical import digest
from schemas.event import LEVELS, Level
from schemas.framework import CriterionStatus
from schemas.policy import READABLE, Allowed, Check, Policy, Waiver, Weaknesses

_UNSEEN: Final[Level] = "high"  # of what could not be seen
_STRANGE: Final[Level] = "medium"  # of a thing that is not allowed


class Weakness(NamedTuple):
    """One open weakness of one thing, however many scanners say it.

    `fixed`: versions in which it is not; `exploited` as KEV has it; `epss`: a probability. What a
    check finds at several `places` is a weakness at each of them, counted by `number` from 1.
    """

    entity: str
    name: str
    severity: Level
    title: str
    packages: tuple[str, ...]
    fixed: tuple[str, ...]
    exploited: bool
    epss: float | None
    shown: Reference
    places: tuple[str, ...] = ()
    number: int = 1


class Answered(NamedTuple):
    """The answer to a criterion in one scope; `text` says why."""

    criterion: str
    scope: str
    status: CriterionStatus
    severity: Level | None
    text: str
    shown: tuple[Reference, ...] = ()


class Unreadable(NamedTuple):
    """Records of one file that were rejected for one reason; `detail` is of one of them."""

    file: str
    reason: str
    detail: str
    total: int
    first: Reference


class Estate(NamedTuple):
    """All that a gate looks at. `labels`: what images are called, by entity.

    `statements`: VEX that is open; each takes a weakness out.
    """

    known: Known
    weaknesses: tuple[Weakness, ...] = ()
    answers: tuple[Answered, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = {}
    statements: tuple[Reference, ...] = ()


class Violation(NamedTuple):
    """What stands against a check: at a thing, about a weakness, rule, fact or criterion.

    `detail` tells those apart that have both in common; `total`: how often it was found. `steady`:
    what the thing is called from build to build. `unseen`: nobody looked, which no baseline knows.
    """

    check: str
    entity: str
    about: str
    severity: Level
    text: str
    shown: tuple[Reference, ...] = ()
    detail: str = ""
    total: int = 1
    steady: str = ""
    unseen: bool = False

    def fingerprint(self, policy: str) -> str:
        """The same in each run that finds it, of the next build, too."""
        return digest([policy, self.check, self.steady, self.about, self.detail])


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
    found = [(READABLE, "The inputs can be read", _unreadable(policy, estate))]
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


def violations(check: Check, estate: Estate) -> Iterator[Violation]:
    """What stands against a check, in no order."""
    for one in chain(_found(check, estate), _unheard(check, estate.known)):
        severity = one.severity if check.severity is None else check.severity
        name = steady(one.entity, estate.labels.get(one.entity, ()))
        yield one._replace(severity=severity, steady=name)


def unmatched(check: Check, estate: Estate) -> tuple[str, ...]:
    """The patterns by which it looks that name nothing that is there: perhaps a slip of the pen."""
    asked = [
        *(check.weaknesses.on if check.weaknesses else ()),
        *(check.against.on if check.against else ()),
        *(check.allow.of if check.allow else ()),
    ]
    if not asked:
        return ()
    found = {*estate.known.things, *(one.entity for one in estate.known.weak)}
    found |= {one.entity for one in estate.weaknesses}
    names = found | {steady(entity, estate.labels.get(entity, ())) for entity in found}
    return tuple(one for one in asked if not any(matches(name, [one]) for name in names))


def steady(entity: str, labels: Iterable[str]) -> str:
    """What a thing is called from build to build: an image by its repository, without tag, digest.

    `labels`: what it is called besides. One that is known by its digest alone is called so.
    """
    kind, _, id_ = entity.partition(":")
    if kind != "image":
        return entity
    named = (label for label in (id_, *labels) if not label.startswith("sha256:"))
    return min((f"image:{_repository(label)}" for label in named), default=entity)


def _repository(label: str) -> str:
    folder, slash, name = label.partition("@")[0].rpartition("/")
    return folder + slash + name.partition(":")[0]


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


def _found(check: Check, estate: Estate) -> Iterator[Violation]:
    if check.weaknesses is not None:
        yield from _weak(check.id, check.weaknesses, estate)
    elif check.allow is not None:
        yield from _strange(check.id, check.allow, estate)
    elif check.against is not None:
        for fault in faults(check.against, estate.known):
            yield from _faulty(check.id, fault)
    else:
        yield from _unmet(check, estate.answers)


def _weak(check: str, asked: Weaknesses, estate: Estate) -> Iterator[Violation]:
    least = LEVELS.index(asked.severity)
    for one in estate.weaknesses:
        named = (one.entity, steady(one.entity, estate.labels.get(one.entity, ())))
        if (
            LEVELS.index(one.severity) >= least
            and (not asked.on or any(matches(name, asked.on) for name in named))
            and (one.fixed or not asked.fixable)
            and (one.exploited or not asked.exploited)
            and (asked.likely is None or (one.epss is not None and one.epss >= asked.likely))
        ):
            detail = str(one.number) if one.number > 1 else ""
            said, shown = _said(one), (one.shown,)
            yield Violation(check, one.entity, one.name, one.severity, said, shown, detail)


def _said(one: Weakness) -> str:
    more = [
        f"in {', '.join(one.packages)}" if one.packages else "",
        f"at {', '.join(one.places)}" if one.places else "",
        "exploited (KEV)" if one.exploited else "",
        "" if one.epss is None else f"EPSS {one.epss:.2f}",
        f"fixed in {', '.join(one.fixed)}" if one.fixed else "",
    ]
    told = "; ".join(filter(None, more))
    return f"{one.title} ({told})" if told else one.title


def _strange(check: str, asked: Allowed, estate: Estate) -> Iterator[Violation]:
    for entity in estate.known.named(asked.of):
        thing = estate.known.things[entity]
        names = (entity, steady(entity, estate.labels.get(entity, ())), *thing.names)
        if not any(matches(name, asked.only) for name in names):
            text = f"none of the {len(asked.only)} names that are allowed"
            shown = () if thing.event is None else (thing.event,)
            yield Violation(check, entity, "allow", _STRANGE, text, shown)


def _faulty(check: str, fault: Fault) -> Iterator[Violation]:
    """A fact is a violation of its own; matches of a rule on one thing are one."""
    first = fault.shown[0]
    if first.what != "fact":
        grave, many = fault.severity, fault.total
        yield Violation(check, fault.entity, fault.about, grave, first.text, fault.shown, "", many)
        return
    for number, one in enumerate(fault.shown):
        detail = str(number)
        yield Violation(check, fault.entity, fault.about, fault.severity, one.text, (one,), detail)
    more = fault.total - len(fault.shown)
    if more > 0:
        text = f"{more} more of them"
        yield Violation(check, fault.entity, fault.about, fault.severity, text, (), "more", more)


def _unheard(check: Check, known: Known) -> Iterator[Violation]:
    for number, need in enumerate(check.needs):
        missing = hearing(need, (), known).missing
        if missing:
            more = f" (and {len(missing) - 1} more)" if missing[1:] else ""
            text, detail = f"{missing[0]}{more}", str(number)
            many = len(missing)
            found = Violation(check.id, ESTATE, "unheard", _UNSEEN, text, (), detail, many)
            yield found._replace(unseen=True)


def _unmet(check: Check, answers: Sequence[Answered]) -> Iterator[Violation]:
    failing = {"fail"} if check.unassessed == "pass" else {"fail", "not_assessed"}
    for id_ in check.criteria:
        mine = [one for one in answers if one.criterion == id_]
        unmet = [one for one in mine if one.status in failing]
        if not mine and check.unassessed == "fail":
            text = "it was not assessed"
            yield Violation(check.id, ESTATE, id_, _UNSEEN, text, (), "not_assessed")
        # The estate is as bad as its systems: those that are named say it better.
        own = [one for one in unmet if one.scope != ESTATE] or unmet
        for one in own:
            severity = one.severity or _UNSEEN
            detail = "" if one.status == "fail" else one.status
            yield Violation(check.id, one.scope, id_, severity, one.text, one.shown, detail)


def _unreadable(policy: Policy, estate: Estate) -> Iterator[Violation]:
    if sum(one.total for one in estate.unreadable) <= policy.rejects:
        return
    for one in estate.unreadable:
        file, count = one.file, one.total
        yield Violation(
            READABLE,
            file,
            one.reason,
            _UNSEEN,
            one.detail,
            (one.first,),
            "",
            count,
            file,
            unseen=True,
        )


def counted(verdict: Verdict) -> Mapping[str, int]:
    """How many violations are new, known and waived."""
    results = verdict.results
    return {
        "new": sum(len(one.violations) for one in results),
        "known": sum(len(one.known) for one in results),
        "waived": sum(len(one.waived) for one in results),
    }
