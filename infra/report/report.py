"""The page: headline, systems, alerts, posture, verification, figures, in one HTML text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from string import Template

from infra.report.ageing import ageing
from infra.report.alert import closed_alert, open_alert
from infra.report.estate import Estate
from infra.report.figures import pipeline, posture, verification
from infra.report.html import Html, join, tag, when
from infra.report.lineage import Lineage, lineage
from infra.report.paper import paper
from infra.report.system import card
from infra.terminal import shown
from schemas.alert import STAGES, Alert

MAX_ALERTS = 200  # open ones, and closed ones; a page is to be read
MAX_SYSTEMS = 200
UNFOLDED = 12  # systems whose traces are seen at once
_STAGES = (
    ("outlook", "conditions are forming"),
    ("watch", "two independent legs and a feasible next step"),
    ("warning", "three legs, a walked path or a likely next step"),
)


def render(estate: Estate) -> str:
    """The report as one HTML document that loads nothing; the same Estate gives the same text."""
    resources = files("infra.report")
    words = headline(estate)
    return Template(resources.joinpath("page.html").read_text("utf-8")).substitute(
        title=join(f"Barograph: {words}"),
        style=resources.joinpath("style.css").read_text("utf-8"),
        body=_body(estate, words),
    )


def headline(estate: Estate) -> str:
    """`1 warning, 1 watch expired, 3 systems`: open alerts by stage, closed by end, systems."""
    opened = Counter(alert.stage for alert in estate.open_alerts())
    closed = Counter((a.peak_stage, a.status) for a in estate.alerts if a.status != "open")
    parts = [shown.plural(opened[stage], stage) for stage in reversed(STAGES) if opened[stage]]
    parts += [
        f"{shown.plural(closed[ending], ending[0])} {ending[1]}"
        for ending in sorted(closed, key=lambda e: (-STAGES.index(e[0]), e[1]))
    ]
    if not opened:
        parts.insert(0, "No open alert")
    systems = sum(system.declared for system in estate.systems)
    return ", ".join([*parts, shown.plural(systems, "system")])


def _body(estate: Estate, words: str) -> Html:
    opened = estate.open_alerts()
    closed = [alert for alert in estate.alerts if alert.status != "open"]
    anchors = {alert.id: f"alert-{n}" for n, alert in enumerate(opened[:MAX_ALERTS], start=1)}
    sections = [
        _section("Systems", _systems(estate, anchors)),
        _section("Open alerts", _alerts(estate, opened, "alert", open_alert)),
        _section("Closed alerts", _alerts(estate, closed, "closed", closed_alert)),
        _section("Ageing", [ageing(estate.ages)]),
        _section("Posture", [posture(estate.facts, estate.open_facts)]),
        _section("Forecast verification", [verification(estate.forecasts)]),
        _section("Pipeline", [pipeline(estate.counters)]),
    ]
    return join(
        tag("a", "Skip to the systems", href="#systems", class_="skip"),
        tag(
            "header",
            tag("p", "Barograph", class_="brand"),
            tag("h1", words),
            tag("p", _span(estate), class_="note") if estate.systems else None,
            class_="top",
        ),
        tag("main", *(sections if estate.systems else [_nothing(), *sections[-1:]])),
        tag("footer", _footer()),
    )


def _span(estate: Estate) -> Html:
    ends = when(estate.since), " to ", when(estate.until)
    return join("From ", *ends, ", event time, UTC.")


def _section(title: str, content: Sequence[Html]) -> Html | None:
    if not content:
        return None
    anchor = title.lower().replace(" ", "-")
    heading = tag("h2", title, id=f"{anchor}-title")
    return tag("section", heading, *content, id=anchor, aria_labelledby=f"{anchor}-title")


def _systems(estate: Estate, anchors: dict[str, str]) -> list[Html]:
    sheet = paper(estate.since, estate.until)
    ranked = sorted(estate.systems, key=lambda s: (-estate.priority(s.id), s.id))
    cards = [card(estate, system, sheet, anchors) for system in ranked[:MAX_SYSTEMS]]
    folded = cards[UNFOLDED:]
    more = tag("summary", f"{shown.plural(len(folded), 'system')} more")
    rest = [tag("details", more, *folded, class_="rest")] if folded else []
    return [*cards[:UNFOLDED], *rest, *_more(len(ranked) - MAX_SYSTEMS, "system")]


def _alerts(
    estate: Estate,
    alerts: Sequence[Alert],
    anchor: str,
    article: Callable[[Alert, Lineage, str], Html],
) -> list[Html]:
    articles = [
        article(alert, lineage(estate.edges, alert.path, alert.system), f"{anchor}-{n}")
        for n, alert in enumerate(alerts[:MAX_ALERTS], start=1)
    ]
    return [*articles, *_more(len(alerts) - MAX_ALERTS, "alert")]


def _more(count: int, noun: str) -> Iterator[Html]:
    if count > 0:
        words = f"{shown.plural(count, noun)} more: "
        command = tag("code", shown.command("query", f"FROM {noun}s"), class_="command")
        yield tag("p", words, command, class_="note")


def _nothing() -> Html:
    steps = (
        ("barograph demo", "plays the bundled scenario, without a network"),
        ("barograph replay FILE...", "reads your own logs and scanner reports"),
        ("barograph doctor", "says what is missing"),
    )
    items = (tag("li", tag("code", line, class_="command"), f" {what}") for line, what in steps)
    return tag(
        "section",
        tag("h2", "Nothing to show yet"),
        tag("p", "No record has named an AI system. What to do next:"),
        tag("ul", *items, class_="commands"),
    )


def _footer() -> Html:
    stages = (tag("div", tag("dt", stage), tag("dd", meaning)) for stage, meaning in _STAGES)
    return join(
        tag("dl", *stages, class_="facts"),
        tag(
            "p",
            "Points are thousandths of log-odds and add up. A priority is that of the alert's last "
            "time. Every claim rests on records: verify recomputes their hashes.",
            class_="note",
        ),
    )
