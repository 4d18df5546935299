"""Rating: the controls of frameworks, by the criteria that each rests on and by tagged alerts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from correlators.judging import SHOWN, Judged, earliest, gravest, latest
from correlators.known import ESTATE, Known, Opened, Reference
from schemas.event import Level
from schemas.framework import Control, ControlStatus, Criterion, Framework

ESTATE_FAILS: Final = (
    "is asked of the estate as a whole, and fails there: whether here is not known"
)


class Rated(NamedTuple):
    """One control in one scope. `judged` are its criteria here, those of the estate among them.

    `alerts` are open ones with its tag; `total` all that stands against it.
    """

    framework: Framework
    control: Control
    scope: str
    status: ControlStatus
    fresh_until: int | None
    severity: Level | None
    total: int
    judged: tuple[Judged, ...]
    alerts: tuple[Reference, ...]
    missing: tuple[str, ...]
    reason: str


def rate(
    frameworks: Iterable[Framework],
    criteria: Mapping[str, Criterion],
    judged: Mapping[tuple[str, str], Judged],
    known: Known,
) -> Iterator[Rated]:
    """By framework, control and scope.

    An AI system has no row of a control that is asked of the estate alone.
    """
    scopes, tagged = (ESTATE, *sorted(known.systems)), _tagged(known.alerts)
    for framework in frameworks:
        for control in framework.controls:
            for scope in scopes:
                alerts = tagged.get((control.tag or "", scope), ())
                own = [id_ for id_ in control.criteria if not criteria[id_].estate]
                if own or alerts or scope == ESTATE:
                    answers = [_answer(criteria[id_], scope, judged) for id_ in control.criteria]
                    yield _rated(framework, control, scope, answers, alerts, criteria)


def _tagged(alerts: Iterable[Opened]) -> Mapping[tuple[str, str], Sequence[Opened]]:
    """By tag and scope; an outlook has not happened yet: what it rests on counts by itself."""
    found: dict[tuple[str, str], list[Opened]] = {}
    for alert in alerts:
        if alert.stage != "outlook":
            for tag in alert.tags:
                for scope in (ESTATE, alert.system):
                    found.setdefault((tag, scope), []).append(alert)
    return found


def _answer(criterion: Criterion, scope: str, judged: Mapping[tuple[str, str], Judged]) -> Judged:
    if not criterion.estate or scope == ESTATE:
        return judged[criterion.id, scope]
    whole = judged[criterion.id, ESTATE]
    if whole.status == "fail":
        missing = (f"`{criterion.id}` {ESTATE_FAILS}",)
        return Judged(criterion.id, ESTATE, "not_assessed", missing=missing)
    return whole


def _rated(
    framework: Framework,
    control: Control,
    scope: str,
    answers: Sequence[Judged],
    alerts: Sequence[Opened],
    criteria: Mapping[str, Criterion],
) -> Rated:
    failed = [answer for answer in answers if answer.status == "fail"]
    shown = tuple(sorted((alert.shown for alert in alerts), key=lambda one: (-one.time, one.id)))
    missing = tuple(dict.fromkeys(text for answer in answers for text in answer.missing))
    against = list(dict.fromkeys((*(one for a in failed for one in a.against), *shown)))
    status: ControlStatus = "not_assessed"
    until: int | None = None
    if failed or alerts:
        status = "fail"
        until = latest((*(a.fresh_until for a in failed), *(a.expires for a in alerts)))
        titles = [criteria[answer.criterion].title for answer in failed]
        reason = _failing(titles, against)
    elif control.unseen is not None:
        reason = control.unseen
        missing = (control.unseen,)
    elif missing:
        reason = _and_more(missing)
    elif not any(answer.status == "pass" for answer in answers):
        reason = "there is nothing here that it could be asked of"
        missing = (reason,)
    else:
        status = "pass"
        until = earliest(answer.fresh_until for answer in answers)
        reason = _and_more([criteria[a.criterion].title for a in answers if a.status == "pass"])
    severity = gravest(
        (*(a.severity for a in failed if a.severity), *(alert.severity for alert in alerts))
    )
    counted = {one.id for a in failed for one in a.against}
    count = sum(a.total for a in failed) + sum(one.id not in counted for one in shown)
    return Rated(
        framework,
        control,
        scope,
        status,
        until,
        severity,
        count,
        tuple(answers),
        shown[:SHOWN],
        missing,
        reason,
    )


def _failing(titles: Sequence[str], against: Sequence[Reference]) -> str:
    first = against[0]
    where = f" on {first.entity}" if first.entity else ""
    broken = f"not met: {'; '.join(titles)}" if titles else "an open alert has its tag"
    more = f" and {len(against) - 1} more" if len(against) > 1 else ""
    return f"{broken} ({first.text}{where}{more})"


def _and_more(texts: Sequence[str]) -> str:
    return texts[0] + (f" (and {len(texts) - 1} more)" if len(texts) > 1 else "")
