"""AI systems: what each is made of, what is weak in it, and what nobody declared."""

from __future__ import annotations

from infra.boards.parts import kinds, variable
from infra.boards.parts.board import Board, Section, row_link
from infra.boards.parts.panel import NONE_IS_GOOD, PRIORITY, thresholds, words
from infra.boards.parts.target import Answer, Column, Metric
from schemas.alert import STAGES
from schemas.event import LEVELS

NO_SYSTEM = "No AI system is known: declare one with [[system]], or read a bill of materials."
NO_ASSET = "Nothing is known yet: add an [[input]] with logs, bills of materials or scans."
SEVERITY = {
    "severity": {
        "custom.cellOptions": {"type": "color-text"},
        "custom.width": 100,
        "mappings": words(*LEVELS),
    }
}

SYSTEMS = Section(
    "Systems",
    [
        kinds.number(
            "AI systems",
            "Declared roots with what lineage reaches from them.",
            "barograph_systems",
            empty=NO_SYSTEM,
            steps=((None, "blue"),),
        ),
        kinds.number(
            "Things known",
            "Models, endpoints, agents, tools, MCP servers, datasets, images, keys, ...: each"
            " once, under all its names.",
            "sum(barograph_assets)",
            empty=NO_ASSET,
            steps=((None, "blue"),),
        ),
        kinds.number(
            "Shadow AI",
            "AI that was observed at work and that no bill of materials or configuration declares.",
            "barograph_assets_shadow",
            empty=NO_ASSET,
            steps=NONE_IS_GOOD,
        ),
        kinds.bars(
            "Priority now",
            "The highest priority of the open alerts of each system; at most 50 systems have one.",
            'sort_desc(topk(10, max by (system) (barograph_system_priority{system=~"$system"})))',
            "{{system}}",
            empty="No alert is open on these systems.",
            width=12,
            height=4,
            maximum=100,
            colour="thresholds",
            steps=PRIORITY,
        ),
        kinds.course(
            "Priority over time",
            "How the pressure on each system came about.",
            [
                Metric(
                    'max by (system) (barograph_system_priority{system=~"$system"})', "{{system}}"
                )
            ],
            empty="No alert is open on these systems.",
            maximum=100,
        ),
        kinds.table(
            "Systems with their size, weaknesses and alerts",
            "A click on the name shows its lineage below.",
            "/api/v1/systems",
            [
                Column("name"),
                Column("stage"),
                Column("priority", kind="number"),
                Column("members", "things", "number"),
                Column("grave_facts", "grave", "number"),
                Column("open_facts", "weaknesses", "number"),
                Column("open_alerts", "alerts", "number"),
                Column("root"),
            ],
            empty=NO_SYSTEM,
            width=12,
            height=8,
            sort=("priority", True),
            overrides={
                "name": {"links": [row_link("barograph-systems", "Its lineage", root="root")]},
                "root": {"custom.hidden": True},
                "stage": {"custom.width": 90, "mappings": words(*STAGES)},
                **kinds.narrow("priority", "things", "grave", "weaknesses", "alerts"),
            },
        ),
    ],
)
LINEAGE = Section(
    "Lineage of the chosen system",
    [
        kinds.graph(
            "What it is made of",
            "What the system reaches: agents, tools, models, data, images, keys. From the newest"
            " snapshot.",
            "/api/v1/lineage/${root:percentencode}?direction=downstream",
            empty="Nothing leads from here: no bill of materials, trace or call names an edge.",
        ),
    ],
)
WEAK = Section(
    "Where to begin",
    [
        kinds.table(
            "Things with the most open weaknesses",
            "Things with open posture facts, the critical ones first, with the systems that they"
            " belong to.",
            "/api/v1/queries/exposed",
            [
                Column("entity"),
                Column("critical", kind="number"),
                Column("high", kind="number"),
                Column("open_facts", "all", "number"),
                Column("oldest", kind="timestamp"),
                Column("systems"),
            ],
            empty="No weakness is open, or no scanner has said anything.",
            height=8,
            sort=("critical", True),
            overrides={
                "critical": {
                    "custom.cellOptions": {"type": "color-text"},
                    "custom.width": 80,
                    "thresholds": thresholds(((None, "text"), (1, "dark-red"))),
                },
                **kinds.narrow("high", "all"),
                **kinds.times("oldest"),
            },
        ),
        kinds.table(
            "Open vulnerabilities and failed checks",
            "Each once, however many scanners say it; exploited ones first, then by EPSS and"
            " severity.",
            "/api/v1/queries/weaknesses",
            [
                Column("severity"),
                Column("weakness"),
                Column("entity"),
                Column("since", kind="timestamp"),
                Column("kev_since", "exploited since", "timestamp"),
                Column("epss", "EPSS", "number"),
                Column("fixed_versions", "fixed in"),
                Column("said_by", "said by"),
            ],
            empty="No scanner has found anything open, or none was read.",
            height=8,
            overrides={
                **SEVERITY,
                **kinds.times("since", "exploited since"),
                "EPSS": {"unit": "percentunit", "custom.width": 80},
                "fixed in": {"custom.width": 130},
                "said by": {"custom.width": 130},
            },
        ),
    ],
)
KNOWN = Section(
    "What is there, and what should not be",
    [
        kinds.bars(
            "Things by kind",
            "Inventory counts: things that are there, each once; without sessions, which come"
            " and go.",
            'sort_desc(sum by (kind) (barograph_assets{kind!="session"}) > 0)',
            "{{kind}}",
            empty=NO_ASSET,
            width=8,
            height=10,
            decimals=0,
        ),
        kinds.table(
            "What nobody declared",
            "AI at work that nobody declared. Approve it under [inventory], declare it, or end it.",
            "/api/v1/assets?shadow=true",
            [
                Column("entity"),
                Column("layer"),
                Column("first_seen", "first seen", "timestamp"),
                Column("last_seen", "last seen", "timestamp"),
                Column("sources"),
                Column("systems"),
            ],
            empty="None: all AI that was seen at work is declared somewhere.",
            width=16,
            height=10,
            overrides=kinds.times("first seen", "last seen"),
        ),
        kinds.table(
            "Drift: declared against exercised",
            "Edges that are declared and were never at work (take the right away), or at work"
            " and never declared (find out who did it).",
            "/api/v1/queries/drift",
            [
                Column("drift"),
                Column("from_entity", "from"),
                Column("relation"),
                Column("to_entity", "to"),
                Column("last_seen", "last seen", "timestamp"),
            ],
            empty="None: what is declared is exercised, and nothing else.",
            overrides={
                "drift": {"custom.width": 180},
                "relation": {"custom.width": 110},
                **kinds.times("last seen"),
            },
        ),
    ],
)
BOARD = Board(
    uid="barograph-systems",
    title="Barograph / AI systems",
    description="Each AI system: priority, lineage, weaknesses, inventory, shadow AI and drift.",
    sections=(SYSTEMS, LINEAGE, WEAK, KNOWN),
    variables=(
        variable.of_label("system", "AI system", "barograph_system_priority"),
        variable.of_answer(
            "root",
            "Lineage of",
            Answer("/api/v1/systems", (Column("name", "__text"), Column("root", "__value"))),
        ),
    ),
)
