"""Violations: what stands against the checks of a policy, of what is known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from correlators.faults import Fault, faults
from correlators.judging import hearing
from correlators.known import ESTATE, Known, Reference, matches
from schemas.canonical import digest
from schemas.event import LEVELS, Level
from schemas.framework import CriterionStatus
from schemas.policy import READABLE, Allowed, Check, Policy, Weaknesses

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


def unreadable(policy: Policy, estate: Estate) -> Iterator[Violation]:
    """What of the inputs could not be read, if it is more than the policy lets pass."""
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
