"""Judging: each criterion in each scope, met, not met, or not assessed, of what is known.

Law 1: nothing is met by silence. Met is what has no evidence against it while all that could have
brought some was heard in its time; else it is not assessed, and what is missing is said.
Law 2: evidence against it is enough for "not met", however little else was heard.
Law 3: the answer is a function of what is known and of its time; order says nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from correlators.faults import Fault, faults
from correlators.known import ESTATE, Known, Reference, by_system
from schemas.event import LEVELS, Level
from schemas.framework import COMPOSITION, Criterion, CriterionStatus, Need
from schemas.times import DAY, HOUR, rfc3339

SHOWN: Final = 20  # references that an answer names; the others are counted
NOBODY: Final = "no AI system is known: a bill of materials or [[system]] declares one"


class Judged(NamedTuple):
    """The answer to one criterion in one scope.

    `total` is how much stands against it, `against` some of that; `heard` is what speaks for it,
    `missing` what would have had to be heard. `fresh_until`: when time alone ends the answer; None
    if only news does.
    """

    criterion: str
    scope: str
    status: CriterionStatus
    fresh_until: int | None = None
    severity: Level | None = None
    total: int = 0
    against: tuple[Reference, ...] = ()
    heard: tuple[Reference, ...] = ()
    missing: tuple[str, ...] = ()


class Hearing(NamedTuple):
    """What was heard for one need, until when that is recent enough, and what was not heard."""

    until: int
    heard: tuple[Reference, ...] = ()
    missing: tuple[str, ...] = ()


def judge(criteria: Iterable[Criterion], known: Known) -> dict[tuple[str, str], Judged]:
    """By id of a criterion and scope; scopes are the roots of systems and ESTATE."""
    found: dict[tuple[str, str], Judged] = {}
    parts = by_system(known)
    for one in criteria:
        if one.estate:
            found[one.id, ESTATE] = _judged(one, ESTATE, known)
            continue
        for root, part in parts.items():
            found[one.id, root] = _judged(one, root, part)
        own = [found[one.id, root] for root in sorted(parts)]
        found[one.id, ESTATE] = _altogether(one, known, own)
    return found


def _judged(one: Criterion, scope: str, known: Known) -> Judged:
    found = list(_faults(one, known))
    if found:
        return _failed(one, scope, found)
    if one.subject and not known.named(one.subject):
        return _without(one, scope, known)
    hearings = [hearing(need, one.subject, known) for need in one.needs]
    missing = [*_idle(one, known), *(text for it in hearings for text in it.missing)]
    heard = _distinct(shown for it in hearings for shown in it.heard)
    if missing:
        return Judged(one.id, scope, "not_assessed", heard=heard, missing=tuple(missing))
    until = min(it.until for it in hearings)
    return Judged(one.id, scope, "pass", until, heard=heard)


def _altogether(one: Criterion, known: Known, own: Sequence[Judged]) -> Judged:
    """The estate: as well seen as its least seen system; what is in no system counts, too."""
    found = list(_faults(one, known))
    if found:
        return _failed(one, ESTATE, found)
    missing = tuple(f"{it.scope}: {text}" for it in own for text in it.missing) or (
        () if own else (NOBODY,)
    )
    heard = _distinct(shown for it in own for shown in it.heard)
    if missing:
        return Judged(one.id, ESTATE, "not_assessed", heard=heard, missing=missing)
    met = [it for it in own if it.status == "pass"]
    status: CriterionStatus = "pass" if met else "not_applicable"
    return Judged(one.id, ESTATE, status, earliest(it.fresh_until for it in own), heard=heard)


def _failed(one: Criterion, scope: str, found: Sequence[Fault]) -> Judged:
    return Judged(
        one.id,
        scope,
        "fail",
        latest(fault.expires for fault in found),
        gravest(fault.severity for fault in found),
        sum(fault.total for fault in found),
        _distinct(shown for fault in found for shown in fault.shown),
    )


def _without(one: Criterion, scope: str, known: Known) -> Judged:
    """Nothing of its subject is there, if somebody has said what is there."""
    said = [
        (thing.declared, entity)
        for entity, thing in known.things.items()
        if entity.startswith("application:") and thing.declared is not None
    ]
    kinds = ", ".join(one.subject)
    newest, entity = max(said, default=(None, ""))
    if newest is None or known.time - newest > COMPOSITION:
        missing = f"no {kinds} is known, and nothing has declared for 90 d what there is"
        return Judged(one.id, scope, "not_assessed", missing=(missing,))
    shown = Reference("asset", entity, f"declared without {kinds}", newest, entity)
    return Judged(one.id, scope, "not_applicable", newest + COMPOSITION, heard=(shown,))


def _faults(one: Criterion, known: Known) -> Iterator[Fault]:
    for against in one.against:
        yield from faults(against, known)


def _idle(one: Criterion, known: Known) -> Iterator[str]:
    """What could have brought evidence against it, and does not run."""
    for against in one.against:
        for id_ in (*against.rules, *against.alerts):
            if id_ != "*" and id_ not in known.rules:
                yield f"{id_} does not run"


def hearing(need: Need, subject: Sequence[str], known: Known) -> Hearing:
    """What was heard for a need of something about `subject`."""
    if need.scanned:
        return _each(need, _scans(need, known), known.named(need.scanned), known, "scanned")
    if need.signalled:
        return _each(need, _signalled(need, known), known.named(subject), known, "heard")
    return _any(need, list(_heard(need, known)), known)


def _scans(need: Need, known: Known) -> dict[str, Reference]:
    newest: dict[str, Reference] = {}
    for look in known.scans:
        if not need.by or look.source in need.by:
            newest[look.entity] = _newer(newest.get(look.entity), look.shown)
    return newest


def _signalled(need: Need, known: Known) -> dict[str, Reference]:
    newest: dict[str, Reference] = {}
    for hit in known.hits:
        if hit.rule in need.signalled:
            for entity in hit.entities:
                newest[entity] = _newer(newest.get(entity), max(hit.shown, key=_moment))
    return newest


def _heard(need: Need, known: Known) -> Iterator[Reference]:
    for entity in known.named(need.observed):
        thing = known.things[entity]
        if thing.observed is not None:
            seen = Reference("asset", entity, "was at work", thing.observed, entity)
            yield _newer(thing.event, seen)
    for entity in known.named(need.declared):
        declared = known.things[entity].declared
        if declared is not None:
            yield Reference("asset", entity, "was declared", declared, entity)
    for link in known.links:
        if link.relation == need.linked:
            yield link.shown
    if need.content:
        yield from known.content.values()
    for source in need.heard:
        if source in known.sources:
            yield known.sources[source]


def _each(
    need: Need,
    newest: Mapping[str, Reference],
    wanted: Sequence[str],
    known: Known,
    verb: str,
) -> Hearing:
    """Every one of these things has to be looked at."""
    if not wanted:
        kinds = ", ".join(need.scanned)
        return Hearing(known.time, missing=(f"no {kinds} is known that could be {verb}",))
    by = f" by {' or '.join(need.by)}" if need.by else ""
    missing = tuple(
        f"{entity} was not {verb}{by} within {span(need.within)}{_last(newest.get(entity))}"
        for entity in wanted
        if entity not in newest or known.time - newest[entity].time > need.within
    )
    heard = tuple(newest[entity] for entity in wanted if entity in newest)
    oldest = min((shown.time for shown in heard), default=known.time)
    return Hearing(oldest + need.within, heard, missing)


def _any(need: Need, found: Collection[Reference], known: Known) -> Hearing:
    """One of these has to be heard; the newest is shown."""
    newest = max(found, key=_moment, default=None)
    if newest is not None and known.time - newest.time <= need.within:
        return Hearing(newest.time + need.within, (newest,))
    text = f"{_wanted(need)} within {span(need.within)}{_last(newest)}"
    return Hearing(known.time, missing=(text,))


def _wanted(need: Need) -> str:
    if need.content:
        return "no record brought a prompt or an answer"
    if need.linked:
        return f"no edge `{need.linked}` was seen at work"
    if need.heard:
        return f"nothing was heard of {' or '.join(need.heard)}"
    kinds = " or ".join(need.observed or need.declared)
    return f"no {kinds} was {'at work' if need.observed else 'declared'}"


def _last(newest: Reference | None) -> str:
    return "" if newest is None else f" (last {rfc3339(newest.time)})"


def _newer(one: Reference | None, other: Reference) -> Reference:
    return other if one is None else max(one, other, key=_moment)


def _moment(shown: Reference) -> tuple[int, int, Reference]:
    """Of equal times an event rather than the asset that it shows; no two different ones tie."""
    return shown.time, len(shown.evidence), shown._replace(entity=shown.entity or "")


def _distinct(shown: Iterable[Reference]) -> tuple[Reference, ...]:
    """The newest of them, each once."""
    return tuple(sorted(set(shown), key=_moment, reverse=True)[:SHOWN])


def earliest(times: Iterable[int | None]) -> int | None:
    """The first of these to end an answer; None if none does."""
    return min((time for time in times if time is not None), default=None)


def latest(times: Iterable[int | None]) -> int | None:
    """When the last of these has ended; None if one never does."""
    found = list(times)
    return (
        None if None in found else max((time for time in found if time is not None), default=None)
    )


def gravest(severities: Iterable[Level]) -> Level | None:
    """The highest of them."""
    return max(severities, key=LEVELS.index, default=None)


def span(micros: int) -> str:
    """`7 d` or `12 h`."""
    return f"{micros // DAY} d" if micros % DAY == 0 else f"{micros // HOUR} h"
