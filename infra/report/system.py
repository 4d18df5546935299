"""One AI system as a card: stage, priority, tendency, its pressure trace, its open alerts."""

from __future__ import annotations

from infra.report.alert import badge
from infra.report.estate import Estate, System
from infra.report.html import Html, entity, tag
from infra.report.paper import Paper
from infra.report.pressure import pressure, tendency
from infra.terminal import shown


def card(estate: Estate, system: System, sheet: Paper, anchors: dict[str, str]) -> Html:
    """The card; `anchors` leads from the ids of alerts to their places on the page."""
    stage, priority = estate.stage(system.id), estate.priority(system.id)
    readings = estate.readings(system.id)
    alerts = [
        tag("li", tag("a", alert.title, href=f"#{anchors[alert.id]}"))
        for alert in estate.open_alerts(system.id)
        if alert.id in anchors
    ]
    head = tag(
        "header",
        tag("h3", entity(system.id)),
        badge(stage or "calm"),
        tag(
            "p",
            tag("b", priority),
            tag("span", tendency(readings, estate.until)),
            class_=f"priority {stage or 'calm'}",
        ),
    )
    trace = tag(
        "div",
        pressure(readings, sheet, system.id, estate.until),
        class_="scroll latest",
        tabindex=0,
        role="region",
        aria_label=f"Pressure of {shown.short(system.id, 60)}",
    )
    return tag(
        "article",
        head,
        trace,
        tag("ul", *alerts, class_="links") if alerts else None,
        class_="system",
    )
