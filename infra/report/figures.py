"""The tables at the end of the page: posture, forecast verification, what the pipeline read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from infra.reading.forecasts import Bin, reliability, verified
from infra.report.estate import Fact, Forecast
from infra.report.html import Html, entity, join, tag, when
from infra.terminal import shown

LABEL = 36  # characters of an entity in a table; its title has all
UNFOLDED = 15  # facts that are seen at once
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
    if not facts:
        words = "No fact is open. What no scanner looked at is not assessed, and not a pass."
        return tag("p", words)
    folded, left_out = facts[UNFOLDED:], count - len(facts)
    summary = tag("summary", f"{shown.plural(len(folded), 'fact')} more")
    command = tag("code", shown.command("query", "FROM posture"), class_="command")
    return join(
        _facts(facts[:UNFOLDED]),
        tag("details", summary, _facts(folded), class_="rest") if folded else None,
        tag("p", f"{shown.plural(left_out, 'fact')} more: ", command, class_="note")
        if left_out
        else None,
    )


def verification(forecasts: Iterable[Forecast]) -> Html:
    """Issued, hit, false alarm, Brier, and how often each probability came true."""
    outcomes = [(forecast.outcome, forecast.probability) for forecast in forecasts]
    figures = verified(outcomes)
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
        _reliable(reliability(outcomes)),
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


def _reliable(bins: Sequence[Bin]) -> Html | None:
    if not bins:
        return None
    heads = ("Said", "Came true", "Judged")
    rows = [
        tag(
            "tr",
            tag("th", f"{one.tenth * 10} to {one.tenth * 10 + 10} %", scope="row"),
            tag("td", shown.percent(one.said), class_="number"),
            tag("td", shown.percent(one.came), class_="number"),
            tag("td", shown.number(one.judged), class_="number"),
        )
        for one in bins
    ]
    head = tag(
        "tr",
        tag("th", "Probability", scope="col"),
        *(tag("th", word, scope="col", class_="number") for word in heads),
    )
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label="Reliability")


def _figures(pairs: Iterable[tuple[float, str]]) -> Html:
    return tag(
        "dl",
        *(tag("div", tag("dt", what), tag("dd", shown.number(value))) for value, what in pairs),
        class_="figures",
    )


def _facts(facts: Sequence[Fact]) -> Html:
    heads = (tag("th", head, scope="col") for head in ("Severity", "What holds", "Of", "Since"))
    rows = [
        tag(
            "tr",
            tag("td", fact.severity),
            tag("td", fact.title),
            tag("td", entity(fact.entity, LABEL)),
            tag("td", when(fact.time)),
        )
        for fact in facts
    ]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label="Posture")
