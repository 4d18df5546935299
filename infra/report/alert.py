"""One alert as an article: what, the chain, why, what next, what to do, when, evidence."""

from __future__ import annotations

from collections.abc import Iterator

from infra.report.chain import chain
from infra.report.html import Html, entity, join, tag, when
from infra.report.ledger import ledger
from infra.report.lineage import Lineage
from infra.report.references import References
from infra.terminal import shown
from schemas.alert import Action, Alert, NextStep


def badge(word: str, kind: str | None = None) -> Html:
    """A stage or status as a small label; `kind` is its colour where that is another word."""
    return tag("span", word, class_=f"badge {kind or word}")


def open_alert(alert: Alert, picture: Lineage, anchor: str) -> Html:
    """The whole article; `anchor` is its id on the page."""
    return tag("article", _head(alert), _body(alert, picture, anchor), class_="alert", id=anchor)


def closed_alert(alert: Alert, picture: Lineage, anchor: str) -> Html:
    """The same, folded away behind one line that says how it ended."""
    line = tag(
        "summary",
        badge(f"{alert.peak_stage} {alert.status}", "closed"),
        " ",
        tag("h3", alert.title),
        tag("span", entity(alert.system), " · ", when(alert.last_time), class_="aside"),
    )
    return tag("details", line, _body(alert, picture, anchor), class_="alert", id=anchor)


def _head(alert: Alert) -> Html:
    return tag(
        "header",
        tag("p", badge(alert.stage), " ", entity(alert.system), class_="over"),
        tag("h3", alert.title),
        tag(
            "p",
            tag("b", alert.priority),
            tag("span", "priority"),
            class_=f"priority {alert.stage}",
        ),
    )


def _body(alert: Alert, picture: Lineage, anchor: str) -> Html:
    references = References(alert, anchor)
    return join(
        tag("p", alert.summary, class_="summary"),
        _facts(alert),
        _part("The chain", chain(picture, alert.path) if picture.links else None),
        tag(
            "div",
            tag(
                "div",
                _part("Why", ledger(alert.why, alert.priority, references) if alert.why else None),
                _part("Timeline", _list("timeline", _moments(alert, references))),
            ),
            tag(
                "div",
                _part("What to do", _list("do", map(_action, alert.actions))),
                _part("What next", _list("next", map(_next, alert.next))),
            ),
            class_="columns",
        ),
        _evidence(alert, references),
    )


def _facts(alert: Alert) -> Html:
    facts = (
        ("began", when(alert.onset_time)),
        ("last seen", when(alert.last_time)),
        ("expires" if alert.status == "open" else "expiry", when(alert.expires_at)),
        ("confidence", shown.percent(alert.confidence)),
        ("severity", alert.severity),
        ("rule", tag("code", alert.convergence)),
        ("state", alert.meta.state),
    )
    return tag(
        "dl",
        *(tag("div", tag("dt", term), tag("dd", fact)) for term, fact in facts),
        class_="facts",
    )


def _part(title: str, content: Html | None) -> Html | None:
    return tag("section", tag("h4", title), content) if content else None


def _list(kind: str, items: Iterator[Html]) -> Html | None:
    found = list(items)
    return tag("ol", *found, class_=kind) if found else None


def _action(action: Action) -> Html:
    return tag(
        "li",
        tag("p", action.text),
        tag(
            "p",
            tag("span", action.effect, class_="effect"),
            tag("code", action.control) if action.control else None,
            class_="note",
        ),
    )


def _next(step: NextStep) -> Html:
    width = f"--width:{100 * step.probability:.1f}%"
    return tag(
        "li",
        tag(
            "p",
            tag("b", shown.percent(step.probability)),
            tag("span", class_="chance", style=width, aria_hidden="true"),
            f" within {step.horizon}",
        ),
        tag("p", tag("strong", step.name), " ", tag("code", step.technique)),
        tag(
            "dl",
            tag("div", tag("dt", "needs"), tag("dd", step.precondition)),
            tag("div", tag("dt", "stopped by"), tag("dd", step.blocking_action)),
        ),
    )


def _moments(alert: Alert, references: References) -> Iterator[Html]:
    for moment in alert.timeline:
        words = tag("span", moment.text, references.marks(moment.evidence))
        yield tag("li", when(moment.time), " ", words)


def _evidence(alert: Alert, references: References) -> Html:
    heads = [tag("th", head, scope="col") for head in ("No.", "Event", "sha256 of the raw record")]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *references.rows()))
    commands = [
        tag("li", tag("code", shown.command(word, alert.id), class_="command"), f" {what}")
        for word, what in (
            ("explain", "the same story in a terminal"),
            ("verify", "recomputes every hash below"),
        )
    ]
    return tag(
        "section",
        tag("h4", "Evidence"),
        tag("ul", *commands, class_="commands"),
        tag(
            "details",
            tag("summary", shown.plural(len(references), "record")),
            tag("div", table, class_="scroll", tabindex=0, role="region", aria_label="Evidence"),
        ),
        class_="evidence",
    )
