"""Attack paths: one alert as a graph, with why, when, what next and what to do."""

from __future__ import annotations

from infra.boards.parts import kinds, variable
from infra.boards.parts.board import Board, Section
from infra.boards.parts.pressing import ALERT_LINK, OPEN
from infra.boards.parts.target import Answer, Column

NONE = "No alert is chosen: none is open. Choose a closed one, or wait."
STORY = "/api/v1/alerts/${alert}"

PATH = Section(
    "The attack path",
    [
        kinds.graph(
            "From the weakness to what is at stake",
            "The things of the alert and how one leads to the next. Blue edges were walked; grey"
            " ones are open to be walked. A node has the colour of its worst open weakness.",
            f"{STORY}/path",
            empty=NONE,
        ),
    ],
)
WHY = Section(
    "Why, and what to do",
    [
        kinds.table(
            "Why this priority",
            "The score ledger: each term adds or takes points (thousandths of log-odds); they"
            " add up to the confidence.",
            STORY,
            [
                Column("term"),
                Column("value", kind="number"),
                Column("weight", kind="number"),
                Column("points", kind="number"),
            ],
            empty=NONE,
            root="why",
            width=12,
            height=9,
            sort=("points", True),
            overrides={
                "points": {
                    "custom.cellOptions": {"type": "gauge", "mode": "basic"},
                    "min": -3000,
                    "max": 3000,
                },
                "value": {"decimals": 3, "custom.width": 90},
                "weight": {"custom.width": 90},
            },
        ),
        kinds.table(
            "What to do",
            "The cheapest action that breaks the chain is first. The effect is the priority that"
            " would be left.",
            STORY,
            [Column("text", "action"), Column("control"), Column("effect")],
            empty="No action is known for this story: `barograph explain` shows its evidence.",
            root="actions",
            width=12,
            height=9,
            overrides={"control": {"custom.width": 120}, "effect": {"custom.width": 180}},
        ),
        kinds.table(
            "How it came about",
            "The course of the alert. Each line rests on events whose raw bytes can be verified:"
            " `barograph verify`.",
            STORY,
            [Column("time", kind="timestamp"), Column("text", "what happened")],
            empty=NONE,
            root="timeline",
            width=12,
            height=7,
            sort=("time", False),
            overrides=kinds.times("time"),
        ),
        kinds.table(
            "What may come next",
            "Techniques that are probable within their horizon, what they need, and what blocks"
            " them.",
            STORY,
            [
                Column("technique"),
                Column("name"),
                Column("probability", kind="number"),
                Column("horizon"),
                Column("precondition"),
                Column("blocking_action", "what blocks it"),
            ],
            empty="No next step is forecast: the story is complete, or not far enough.",
            root="next",
            width=12,
            height=7,
            overrides={
                "probability": {"unit": "percentunit", "decimals": 1, "custom.width": 110},
                "technique": {"custom.width": 110},
                "horizon": {"custom.width": 90},
            },
        ),
    ],
)
ALL = Section(
    "All convergences",
    [
        kinds.table(
            "Open stories",
            "Alerts that are open: which convergence, on which system, over which things.",
            OPEN,
            [
                Column("stage"),
                Column("priority", kind="number"),
                Column("convergence"),
                Column("system"),
                Column("title"),
                Column("first_time", "since", "timestamp"),
                Column("last_time", "last seen", "timestamp"),
                Column("id"),
            ],
            empty="No alert is open. Is there data at all? See the board Pipeline health.",
            height=7,
            sort=("priority", True),
            overrides={
                "title": {"links": [ALERT_LINK]},
                "id": {"custom.hidden": True},
                **kinds.times("since", "last seen"),
            },
        ),
        kinds.table(
            "Episodes that feed them",
            "Findings: episodes in which a correlation held over signals of one group.",
            "/api/v1/queries/findings",
            [
                Column("level"),
                Column("title"),
                Column("hits", kind="number"),
                Column("first_time", "first", "timestamp"),
                Column("last_time", "last", "timestamp"),
                Column("group_values", "group"),
                Column("rule"),
            ],
            empty="No correlation has held yet: `barograph rules list` shows what is looked for.",
            height=8,
            sort=("last", True),
            overrides=kinds.times("first", "last"),
        ),
    ],
)
BOARD = Board(
    uid="barograph-paths",
    title="Barograph / Attack paths and convergences",
    description="One alert at a time: its path through the estate, why, what next, what to do.",
    sections=(PATH, WHY, ALL),
    variables=(
        variable.of_answer(
            "alert",
            "Alert",
            Answer(OPEN, (Column("title", "__text"), Column("id", "__value"))),
        ),
    ),
)
