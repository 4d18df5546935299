"""Compliance: pass rate by framework, failing controls, and what was never assessed."""

from __future__ import annotations

from infra.boards.parts import kinds, variable
from infra.boards.parts.board import Board, Section
from infra.boards.parts.panel import coloured, words
from infra.boards.parts.target import Column, Metric

STATUSES = ("pass", "fail", "not_assessed")
NONE = "No control is assessed yet: that is done some seconds after the first record was stored."
CHOSEN = 'framework=~"$framework"'
ASSESSED = f'sum by (framework) (barograph_controls{{{CHOSEN},status=~"pass|fail"}})'
PASSED = f'(sum by (framework) (barograph_controls{{{CHOSEN},status="pass"}}) or 0 * {ASSESSED})'

NOW = Section(
    "Now",
    [
        kinds.bars(
            "Pass rate by framework",
            "Controls that pass, of those that could be assessed. What was not assessed is in"
            " neither: see its own panel.",
            f"{PASSED} / ({ASSESSED} > 0)",
            "{{framework}}",
            empty=NONE,
            width=12,
            unit="percentunit",
            maximum=1,
            colour="thresholds",
            steps=((None, "red"), (0.7, "orange"), (0.9, "green")),
        ),
        kinds.number(
            "Failing controls",
            "Controls whose evidence says that they do not hold.",
            f'sum(barograph_controls{{{CHOSEN},status="fail"}})',
            empty=NONE,
            height=8,
            steps=((None, "green"), (1, "red")),
        ),
        kinds.number(
            "Not assessed",
            "Controls of which it cannot be said, for what would show it was not heard, or not in"
            " time. It is neither a pass nor a fail: a gap in what is seen.",
            f'sum(barograph_controls{{{CHOSEN},status="not_assessed"}})',
            empty=NONE,
            height=8,
            steps=((None, "green"), (1, "orange")),
        ),
        kinds.number(
            "Assessed share",
            "Share of all controls for which there is evidence, either way.",
            f"sum({ASSESSED}) / sum(barograph_controls{{{CHOSEN}}})",
            empty=NONE,
            height=8,
            unit="percentunit",
            steps=((None, "red"), (0.5, "orange"), (0.8, "green")),
        ),
    ],
)
COURSE = Section(
    "Course",
    [
        kinds.course(
            "Pass rate over time",
            "Where it falls, something changed: a rule, a scan, or the estate.",
            [Metric(f"{PASSED} / ({ASSESSED} > 0)", "{{framework}}")],
            empty=NONE,
            unit="percentunit",
            maximum=1,
        ),
        kinds.course(
            "Controls by status",
            "How many pass, fail, and were not assessed.",
            [Metric(f"sum by (status) (barograph_controls{{{CHOSEN}}})", "{{status}}")],
            empty=NONE,
            stacked=True,
            decimals=0,
            overrides=coloured(STATUSES),
        ),
    ],
)
CONTROLS = Section(
    "Controls",
    [
        kinds.table(
            "Controls, the failing ones first",
            "Each control of the chosen framework, of the estate and of each AI system: its status,"
            " why, and how long that holds. `barograph comply` hands out the evidence.",
            "/api/v1/controls",
            [
                Column("status"),
                Column("framework"),
                Column("control"),
                Column("title"),
                Column("scope"),
                Column("reason"),
                Column("fresh_until", "holds until", "timestamp"),
            ],
            empty=NONE,
            height=12,
            chosen=("framework",),
            sort=("status", False),
            overrides={
                "status": {
                    "custom.cellOptions": {"type": "color-background", "mode": "basic"},
                    "custom.width": 120,
                    "mappings": words(*STATUSES),
                },
                "control": {"custom.width": 110},
                "title": {"custom.width": 260},
                "scope": {"custom.width": 200},
                "framework": {"custom.width": 150},
                **kinds.times("holds until"),
            },
        ),
    ],
)
MENDING = Section(
    "Mending",
    [
        kinds.course(
            "Open weaknesses by severity",
            "What auditors ask next: whether the critical ones are becoming fewer.",
            [Metric("sum by (severity) (barograph_facts_open)", "{{severity}}")],
            empty="No scanner has said anything yet: add an [[input]] for its reports.",
            stacked=True,
            decimals=0,
            overrides=coloured(("informational", "low", "medium", "high", "critical")),
        ),
        kinds.course(
            "Closed weaknesses by severity",
            "Weaknesses that were found and are gone, since the store was made.",
            [Metric("sum by (severity) (barograph_facts_closed)", "{{severity}}")],
            empty="No weakness was closed yet: it is known from the second scan of a thing on.",
            stacked=True,
            decimals=0,
            overrides=coloured(("informational", "low", "medium", "high", "critical")),
        ),
        kinds.table(
            "Time to mend, by severity",
            "Hours from the first sight of a weakness to the fix (MTTR), and how old the open ones"
            " are.",
            "/api/v1/queries/remediation",
            [
                Column("severity"),
                Column("resolved", "mended", "number"),
                Column("mean_hours", "mean hours", "number"),
                Column("median_hours", "median hours", "number"),
                Column("open", kind="number"),
                Column("oldest_open_hours", "oldest open, hours", "number"),
            ],
            empty="No weakness was closed yet: it is known from the second scan of a thing on.",
            width=12,
            height=7,
        ),
        kinds.table(
            "Open weaknesses by age",
            "How many are open for how many days, and how many of them are overdue.",
            "/api/v1/queries/ageing",
            [
                Column("severity"),
                Column("open", kind="number"),
                Column("week", "up to 7 d", "number"),
                Column("month", "up to 30 d", "number"),
                Column("quarter", "up to 90 d", "number"),
                Column("older", kind="number"),
                Column("overdue", kind="number"),
            ],
            empty="No weakness is open, or no scanner has said anything.",
            width=12,
            height=7,
        ),
    ],
)
BOARD = Board(
    uid="barograph-compliance",
    title="Barograph / Compliance",
    description="Pass rate by framework, failing controls, and what could not be assessed.",
    sections=(NOW, COURSE, CONTROLS, MENDING),
    variables=(variable.of_label("framework", "Framework", "barograph_controls"),),
    since="now-30d",
    refresh="5m",
)
