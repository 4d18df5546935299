"""The tables at the end of the page: posture, forecast verification, what the pipeline read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from infra import shown
from infra.forecasts import verified
from infra.report.estate import Fact, Forecast
from infra.report.html import Child, Html, entity, join, tag, when

_PIPELINE = (
    ("read", "records read"),
    ("parsed", "parsed"),
    ("rejected", "rejected"),
    ("late", "late"),
    ("signals", "signals"),
    ("events_per_second", "events per second"),
    ("seconds", "seconds"),
    ("peak_rss_mb", "MB of memory at peak"),
)


def posture(facts: Sequence[Fact], count: int) -> Html:
    """What holds of the estate at the end, gravest first; `count` facts in all."""
    rows = [(fact.severity, fact.title, entity(fact.entity), when(fact.time)) for fact in facts]
    more = count - len(rows)
    return join(
        _table(("Severity", "What holds", "Of", "Since"), rows)
        if rows
        else tag(
            "p", "No fact is open. What no scanner looked at is not assessed, and not a pass."
        ),
        tag("p", f"{shown.plural(more, 'fact')} more: barograph assets", class_="note")
        if more
        else None,
    )


def verification(forecasts: Iterable[Forecast]) -> Html:
    """Issued, hit, false alarm, Brier: what became of the forecasts."""
    figures = verified((forecast.outcome, forecast.probability) for forecast in forecasts)
    if not figures.issued:
        return tag("p", "No forecast has been issued.")
    known = (
        (figures.issued, "issued"),
        (figures.open, "open"),
        (figures.hits, "hit"),
        (figures.false_alarms, "false alarm"),
        (figures.brier, "Brier score"),
        (figures.false_alarm_ratio, "false alarm ratio"),
    )
    return join(
        _figures((value, what) for value, what in known if value is not None),
        tag("p", "A Brier score of 0 is perfect; a coin has 0.25.", class_="note"),
    )


def pipeline(counters: Mapping[str, float]) -> Html:
    """What was read and what became of it: read = parsed + rejected."""
    known = [(counters[key], what) for key, what in _PIPELINE if key in counters]
    if not known:
        return tag("p", "No figures were kept of this run.")
    return join(
        _figures(known),
        tag(
            "p",
            "Read = parsed + rejected; a rejected record lies in the dead letters with reason and "
            "position. A late one is parsed and matched, and in no window.",
            class_="note",
        ),
    )


def _figures(pairs: Iterable[tuple[float, str]]) -> Html:
    return tag(
        "dl",
        *(tag("div", tag("dt", what), tag("dd", shown.number(value))) for value, what in pairs),
        class_="figures",
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[Child]]) -> Html:
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    head = tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads)))
    table = tag("table", head, tag("tbody", *body))
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label="Posture")
