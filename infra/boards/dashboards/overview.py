"""Overview: how things stand in one look, where it is weak, and what is forecast."""

from __future__ import annotations

from infra.boards.parts import kinds, variable
from infra.boards.parts.board import Board, Section, link
from infra.boards.parts.panel import COLOURS, NONE_IS_GOOD, PRIORITY, coloured, fixed, thresholds
from infra.boards.parts.pressing import pressing
from infra.boards.parts.target import Column, Metric
from schemas.alert import STAGES
from schemas.event import LEVELS

QUIET = "No alert is open. Is there data at all? See the board Pipeline health."
NO_SNAPSHOT = "No snapshot yet: `barograph run` writes one some seconds after its first result."

NOW = Section(
    "Now",
    [
        kinds.number(
            "Warnings open",
            "Alerts at the stage warning: three independent families of evidence, or a story"
            " that is nearly complete. Each is for a human, now.",
            'sum(barograph_alerts_open{stage="warning"}) or vector(0)',
            empty=QUIET,
            steps=((None, "green"), (1, "red")),
            links=[link("barograph-soc", "Who takes it: SOC queue")],
        ),
        kinds.number(
            "Watches open",
            "Alerts at the stage watch: two independent families of evidence. For today.",
            'sum(barograph_alerts_open{stage="watch"}) or vector(0)',
            empty=QUIET,
            steps=NONE_IS_GOOD,
            links=[link("barograph-soc", "Who takes it: SOC queue")],
        ),
        kinds.number(
            "Highest priority",
            "The highest priority (0 to 100) of any AI system: what is open there, how sure, how"
            " much it matters.",
            "max(barograph_system_priority)",
            empty=QUIET,
            steps=PRIORITY,
            minimum=0,
            maximum=100,
            links=[link("barograph-systems", "Which system: AI systems")],
        ),
        kinds.number(
            "Critical and high weaknesses",
            "Posture facts of severity critical or high that are open on things that are there.",
            'sum(barograph_facts_open{severity=~"critical|high"}) or vector(0)',
            empty="No weakness is open, or no scanner has said anything: see Pipeline health.",
            steps=NONE_IS_GOOD,
            links=[link("barograph-systems", "On what: AI systems")],
        ),
        kinds.number(
            "Shadow AI",
            "AI that was observed at work and that no bill of materials or configuration declares.",
            "barograph_assets_shadow",
            empty=NO_SNAPSHOT,
            steps=NONE_IS_GOOD,
            links=[link("barograph-systems", "Which: AI systems")],
        ),
        kinds.number(
            "Age of what is seen here",
            "Seconds since the store wrote the snapshot that all of this is read from. It writes"
            " none while nothing changes.",
            "time() - barograph_snapshot_timestamp_seconds",
            empty=NO_SNAPSHOT,
            unit="s",
            steps=((None, "blue"),),
            links=[link("barograph-pipeline", "Why: Pipeline health")],
        ),
    ],
)
PRESSURE = Section(
    "Pressure",
    [
        kinds.course(
            "Priority of the AI systems",
            "The trace of the barograph: the highest priority of the open alerts of each system."
            " A steep rise is worth more attention than a high level.",
            [
                Metric(
                    'topk(10, max by (system) (barograph_system_priority{system=~"$system"}))',
                    "{{system}}",
                )
            ],
            empty=QUIET,
            width=14,
            height=9,
            maximum=100,
            steps=((None, "transparent"), *PRIORITY[1:]),
        ),
        kinds.course(
            "Open alerts by stage",
            "How many alerts are open, by the stage that they have reached.",
            [
                Metric(
                    'sum by (stage) (barograph_alerts_open{stage=~"$stage",severity=~"$severity"})',
                    "{{stage}}",
                )
            ],
            empty=QUIET,
            width=10,
            height=9,
            stacked=True,
            decimals=0,
            overrides=coloured(STAGES),
        ),
        pressing(
            "What presses most",
            "The open alerts, the most pressing first. A click on the title leads to its attack"
            " path.",
            empty=QUIET,
            height=7,
            overrides={
                "priority": {
                    "custom.cellOptions": {"type": "gauge", "mode": "basic"},
                    "custom.width": 160,
                    "min": 0,
                    "max": 100,
                    "thresholds": thresholds(PRIORITY),
                },
                "id": {"custom.hidden": True},
            },
        ),
    ],
)
WEAK = Section(
    "Where it is weak",
    [
        kinds.matrix(
            "Open weaknesses: layer by severity",
            "Open posture facts by the layer of AI that they lie in (application; models and"
            " endpoints; agents and tools; data, code, infrastructure) and by severity.",
            'sum by (layer, severity) (barograph_facts_open{severity=~"$severity"})',
            ("layer", "severity"),
            empty="No weakness is open, or no scanner has said anything: see Pipeline health.",
            columns={name: COLOURS[name] for name in reversed(LEVELS)},
            width=14,
        ),
        kinds.course(
            "Weaknesses opened and mended",
            "Open and closed posture facts as they stand. Closed ones that rise faster than open"
            " ones: you are getting ahead.",
            [
                Metric("sum(barograph_facts_open)", "open"),
                Metric("sum(barograph_facts_closed)", "closed"),
            ],
            empty="No scanner has said anything yet: add an [[input]] for its reports.",
            width=10,
            decimals=0,
            overrides=fixed({"open": "orange", "closed": "green"}),
        ),
    ],
)
FORECAST = Section(
    "Forecast",
    [
        kinds.bars(
            "Forecasts by outcome",
            "Probable next techniques that were said: still open, come true (hit), or not (false"
            " alarm).",
            "sum by (outcome) (barograph_forecasts)",
            "{{outcome}}",
            empty="No forecast was issued yet: a warning with a known next step issues the first.",
            width=6,
            decimals=0,
            overrides=coloured(("open", "hit", "false_alarm")),
        ),
        kinds.number(
            "Brier score",
            "The mean squared error of the probabilities that were said, 0 to 1: 0 is perfect,"
            " 0.25 is a coin. Over forecasts whose time has passed.",
            "barograph_forecast_brier_score",
            empty="No forecast has come due yet: it is known once the first horizon has passed.",
            height=8,
            decimals=3,
            unit="none",
            steps=((None, "green"), (0.2, "orange"), (0.25, "red")),
        ),
        kinds.table(
            "How forecasts came true",
            "Technique by technique. A good forecast has a rate of hits near its mean probability.",
            "/api/v1/queries/forecasts",
            [
                Column("technique"),
                Column("issued", kind="number"),
                Column("hits", kind="number"),
                Column("false_alarms", "false alarms", "number"),
                Column("undecided", kind="number"),
                Column("mean_probability", "mean probability", "number"),
                Column("hit_rate", "rate of hits", "number"),
                Column("brier", "Brier score", "number"),
            ],
            empty="No forecast was issued yet: a warning with a known next step issues the first.",
            width=14,
            height=8,
            overrides={
                "mean probability": {"unit": "percentunit", "decimals": 1},
                "rate of hits": {"unit": "percentunit", "decimals": 1},
                "Brier score": {"decimals": 3},
            },
        ),
    ],
)
BOARD = Board(
    uid="barograph-overview",
    title="Barograph / Overview and forecast",
    description="How the AI estate stands: alerts, pressure, where it is weak, what is forecast.",
    sections=(NOW, PRESSURE, WEAK, FORECAST),
    variables=(
        variable.of_label("system", "AI system", "barograph_system_priority"),
        variable.choice("stage", "Stage", STAGES),
        variable.choice("severity", "Severity", LEVELS),
    ),
)
