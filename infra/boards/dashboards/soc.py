"""SOC: the queue, how old it is, what breaks its objective, and which rules make noise."""

from __future__ import annotations

from infra.boards.parts import kinds, variable
from infra.boards.parts.board import Board, Section
from infra.boards.parts.panel import NONE_IS_GOOD, coloured, fixed
from infra.boards.parts.pressing import pressing
from infra.boards.parts.target import Column, Metric
from schemas.alert import STAGES
from schemas.event import LEVELS

QUIET = "The queue is empty. Is there data at all? See the board Pipeline health."
STATUSES = ("open", "verified", "resolved", "expired", "superseded")
# The bounds of barograph_alerts_age_seconds, as Prometheus writes them.
AGES = {
    "1 h": "3600.0",
    "4 h": "14400.0",
    "8 h": "28800.0",
    "1 d": "86400.0",
    "3 d": "259200.0",
    "7 d": "604800.0",
    "14 d": "1209600.0",
    "30 d": "2592000.0",
    "90 d": "7776000.0",
}
CHOSEN = 'stage=~"$stage",severity=~"$severity"'

QUEUE = Section(
    "Queue",
    [
        kinds.number(
            "In the queue",
            "Alerts that are open, of the stages and severities chosen above.",
            f"sum(barograph_alerts_open{{{CHOSEN}}}) or vector(0)",
            empty=QUIET,
            steps=NONE_IS_GOOD,
        ),
        kinds.number(
            "Warnings",
            "Alerts at the stage warning.",
            'sum(barograph_alerts_open{stage="warning"}) or vector(0)',
            empty=QUIET,
            steps=((None, "green"), (1, "red")),
        ),
        kinds.number(
            "Oldest warning",
            "How long the oldest open warning has been open.",
            'max(barograph_alert_oldest_seconds{stage="warning"})',
            empty="No warning is open.",
            unit="s",
            steps=((None, "green"), (4 * 3600, "orange"), (24 * 3600, "red")),
        ),
        kinds.number(
            "Oldest of all",
            "How long the oldest open alert of any stage has been open.",
            "max(barograph_alert_oldest_seconds)",
            empty=QUIET,
            unit="s",
            steps=((None, "green"), (24 * 3600, "orange"), (7 * 24 * 3600, "red")),
        ),
        kinds.number(
            "Overdue",
            "Open alerts that have stood for longer than [sla] of the configuration lets their"
            " stage.",
            'sum(barograph_alerts_overdue{stage=~"$stage"})',
            empty=QUIET,
            steps=((None, "green"), (1, "red")),
        ),
        kinds.number(
            "Within the objective",
            "Share of the open alerts that have not stood for longer than [sla] lets their stage.",
            '1 - sum(barograph_alerts_overdue{stage=~"$stage"})'
            ' / (sum(barograph_alerts_open{stage=~"$stage"}) > 0)',
            empty="The queue is empty.",
            unit="percentunit",
            steps=((None, "red"), (0.8, "orange"), (0.95, "green")),
        ),
        pressing(
            "Open alerts, the most pressing first",
            "Take the first line. A click on the title leads to why, what next and what to do.",
            empty=QUIET,
            height=8,
            times=[Column("expires_at", "expires", "timestamp")],
            overrides={"priority": {"custom.width": 90}, "id": {"custom.width": 150}},
        ),
    ],
)
AGE = Section(
    "Age and flow",
    [
        kinds.bars(
            "Open alerts by age",
            "How many open alerts are how old.",
            "",
            "",
            targets=[
                Metric(
                    "sum by (le) (barograph_alerts_age_seconds_bucket)",
                    "{{le}}",
                    now=True,
                    form="heatmap",
                )
            ],
            empty=QUIET,
            width=8,
            decimals=0,
            colour="thresholds",
            steps=((None, "blue"),),
            overrides={
                bound: {"displayName": text}
                for bound, text in [
                    *((le, f"up to {age}") for age, le in AGES.items()),
                    ("+Inf", "older"),
                ]
            },
        ),
        kinds.course(
            "The oldest, by stage",
            "A line that rises all day: nobody takes what is oldest.",
            [
                Metric(
                    'max by (stage) (barograph_alert_oldest_seconds{stage=~"$stage"})', "{{stage}}"
                )
            ],
            empty=QUIET,
            width=8,
            unit="s",
            overrides=coloured(STAGES),
        ),
        kinds.course(
            "New alerts and closed ones",
            "Change of the number of alerts that were ever opened, and of those that are closed,"
            " over an hour.",
            [
                Metric("clamp_min(sum(delta(barograph_alerts[1h])), 0)", "new"),
                Metric('clamp_min(sum(delta(barograph_alerts{status!="open"}[1h])), 0)', "closed"),
            ],
            empty="Nothing was opened or closed yet.",
            width=8,
            bars=True,
            decimals=0,
            overrides=fixed({"new": "orange", "closed": "green"}),
        ),
        kinds.bars(
            "Overdue weaknesses",
            "Open weaknesses that have stood for longer than [sla] lets their severity.",
            'sum by (severity) (barograph_facts_overdue{severity=~"$severity"})',
            "{{severity}}",
            empty="No weakness is open, or none of these severities has an objective.",
            width=8,
            decimals=0,
            overrides=coloured(("low", "medium", "high", "critical")),
        ),
        kinds.bars(
            "Alerts by status",
            "All alerts in the store: open, verified by you, resolved, expired by time.",
            "sum by (status) (barograph_alerts)",
            "{{status}}",
            empty="There was no alert yet.",
            width=8,
            decimals=0,
            overrides=coloured(STATUSES),
        ),
        kinds.course(
            "Signals and findings by level",
            "What the queue is made of, without what is informational. A jump here without one"
            " in the queue is noise, or the beginning.",
            [
                Metric(
                    'sum by (level) (barograph_signals{level!="informational"})',
                    "signals {{level}}",
                ),
                Metric(
                    "sum by (level)"
                    ' (barograph_findings{state!="withdrawn",level!="informational"})',
                    "findings {{level}}",
                ),
            ],
            empty="No detection has matched yet: `barograph rules list` shows what is looked for.",
            width=8,
            decimals=0,
        ),
    ],
)
NOISE = Section(
    "Noise and silence",
    [
        kinds.table(
            "What says much, and whether it led to an alert",
            "Thousands of matches and never an alert: filter it (`barograph backtest`), or let"
            " it be informational.",
            "/api/v1/queries/noise",
            [
                Column("detection"),
                Column("level"),
                Column("signals", kind="number"),
                Column("alerts", kind="number"),
                Column("last_time", "last", "timestamp"),
            ],
            empty="No detection has matched yet: `barograph rules list` shows what is looked for.",
            width=14,
            sort=("signals", True),
            overrides={**kinds.narrow("level", "signals", "alerts"), **kinds.times("last")},
        ),
        kinds.table(
            "Rules that never fired, or not for long",
            "Nothing happened, or the records that they need do not come: `barograph rules check`.",
            "/api/v1/queries/silent_rules",
            [Column("rule"), Column("fired"), Column("last_time", "last", "timestamp")],
            empty="Every rule has fired lately.",
            width=10,
            overrides={"fired": {"custom.width": 110}, **kinds.times("last")},
        ),
    ],
)
BOARD = Board(
    uid="barograph-soc",
    title="Barograph / SOC queue and SLA",
    description="The queue of open alerts, its age against the objective, flow and noise.",
    sections=(QUEUE, AGE, NOISE),
    variables=(
        variable.choice("stage", "Stage", STAGES),
        variable.choice("severity", "Severity", LEVELS),
    ),
    refresh="30s",
)
