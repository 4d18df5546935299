"""Page: the assessment of one framework on one page that loads nothing and can be printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files
from string import Template
from typing import Final

import infra
from correlators.known import ESTATE
from infra.compliance.assessed import Answer, Assessment
from infra.compliance.referred import Reference
from infra.report.html import Html, entity, join, tag
from infra.terminal import shown
from schemas.framework import STATUSES
from schemas.times import parse

MOST: Final = 500  # rows of evidence on the page; evidence.csv has them all
SCOPES: Final = 8  # columns of the overview; of more systems there are numbers
TOLD: Final = 25  # scopes of one control; controls.csv has them all
LIMITS: Final = (
    "This is evidence and no certificate. Pass means: all that could have brought evidence against"
    " it was heard in its time, and brought none. Not assessed means that this cannot be said; it"
    " is neither a pass nor a failure. Whether a framework binds you, and whether this evidence is"
    " enough, is for people to judge."
)


def page(told: Assessment, referred: Sequence[Reference]) -> str:
    """HTML; every text is escaped, and shown without what could act."""
    folder = files(infra)
    of = told.framework
    title = f"{of.title} ({of.version})"
    return Template(folder.joinpath("report/page.html").read_text("utf-8")).substitute(
        title=join(title),
        style=folder.joinpath("compliance/style.css").read_text("utf-8"),
        body=tag(
            "main", *_head(told, title), _overview(told), *_controls(told), _evidence(referred)
        ),
    )


def _head(told: Assessment, title: str) -> Iterable[Html]:
    of = told.framework
    yield tag("h1", title)
    counts = told.counts
    said = (
        f"{counts['pass']} pass, {counts['fail']} fail, {counts['not_assessed']} not assessed,"
        f" as of {shown.time(told.at)} UTC"
    )
    yield tag("p", said, class_="counts")
    if told.at != told.time:
        yield tag("p", f"Assessed as of {shown.time(told.time)} UTC: what no longer holds is said.")
    yield tag("p", LIMITS)
    here = "" if of.partial is None else f" Here: {of.partial}."
    yield tag("p", f"{of.publisher}, {of.url}. {of.notice}{here}", class_="notice")


def _overview(told: Assessment) -> Html:
    """A row for each control, a column for each scope."""
    scopes = sorted({answer.scope for answer in told.answers}, key=lambda one: (one != ESTATE, one))
    if len(scopes) > SCOPES:
        return _numbers(told)
    found = {(answer.control.ref, answer.scope): answer for answer in told.answers}
    head = [tag("th", "control", scope="col"), tag("th", "title", scope="col")]
    head += [tag("th", entity(scope), scope="col") for scope in scopes]
    rows: list[Html] = []
    for control in told.framework.controls:
        answers = [found.get((control.ref, scope)) for scope in scopes]
        if any(answers):
            cells = [tag("td", "" if one is None else _status(one)) for one in answers]
            rows.append(
                tag("tr", tag("th", control.ref, scope="row"), tag("td", control.title), *cells)
            )
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows))


def _numbers(told: Assessment) -> Html:
    """A row for each control: the estate, and how many AI systems stand how."""
    head = ("control", "title", ESTATE, *(f"systems: {one.replace('_', ' ')}" for one in STATUSES))
    rows: list[Html] = []
    for control in told.framework.controls:
        answers = [answer for answer in told.answers if answer.control is control]
        whole = next((_status(answer) for answer in answers if answer.scope == ESTATE), "")
        counts = Counter(answer.status for answer in answers if answer.scope != ESTATE)
        cells = [tag("td", one) for one in (control.title, whole, *map(counts.get, STATUSES))]
        rows.append(tag("tr", tag("th", control.ref, scope="row"), *cells))
    columns = [tag("th", one, scope="col") for one in head]
    return tag("table", tag("thead", tag("tr", *columns)), tag("tbody", *rows))


def _status(answer: Answer) -> Html:
    return tag("span", answer.status.replace("_", " "), class_=answer.status)


def _controls(told: Assessment) -> Iterable[Html]:
    criteria = {(one["criterion"], one["scope"]): one for one in told.criteria}
    for control in told.framework.controls:
        answers = [answer for answer in told.answers if answer.control is control]
        if not answers:
            continue
        yield tag("h2", f"{control.ref} {control.title}")
        yield tag("p", control.rationale)
        if control.applies_from is not None:
            yield tag("p", f"Applies from {control.applies_from.isoformat()}.")
        gravest = sorted(answers, key=lambda one: (one.scope != ESTATE, one.status, one.scope))
        for answer in gravest[:TOLD]:
            until = answer.body.get("fresh_until")
            holds = f", holds until {shown.time(parse(until))}" if until else ""
            yield tag("h3", entity(answer.scope), ": ", _status(answer), holds)
            yield tag("p", answer.reason)
            yield tag(
                "ul",
                *(
                    tag(
                        "li",
                        f"{one['status'].replace('_', ' ')}: ",
                        criteria[one["criterion"], one["scope"]]["title"],
                        "" if one["scope"] == answer.scope else " (of the whole estate)",
                        _missing(criteria[one["criterion"], one["scope"]].get("missing", ())),
                    )
                    for one in answer.body.get("criteria", ())
                    if (one["criterion"], one["scope"]) in criteria
                ),
            )
        if len(answers) > TOLD:
            yield tag("p", f"{len(answers) - TOLD} more systems are in controls.csv.")


def _missing(texts: Sequence[str]) -> Html | None:
    return tag("ul", *(tag("li", text) for text in texts)) if texts else None


def _evidence(referred: Sequence[Reference]) -> Html:
    head = ("criterion", "scope", "speaks", "what", "on", "since or at", "id", "record")
    rows = [
        tag(
            "tr",
            *(tag("td", text) for text in (one.criterion, one.scope, one.speaks)),
            tag("td", f"{one.what}: {one.text}"),
            tag("td", entity(one.entity, 60) if one.entity else ""),
            tag("td", shown.time(parse(one.time))),
            tag("td", one.id[:12], title=one.id),
            tag("td", one.origin, title=f"sha256 {one.sha256}" if one.sha256 else None),
        )
        for one in referred[:MOST]
    ]
    more = len(referred) - MOST
    return join(
        tag("h2", "Evidence"),
        tag("p", "`barograph verify criteria.jsonl` recomputes every hash from the records."),
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", one, scope="col") for one in head))),
            tag("tbody", *rows),
        ),
        tag("p", f"{more} more rows are in evidence.csv.") if more > 0 else None,
    )
