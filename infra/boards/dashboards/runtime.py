"""Runtime: what agents and models do, what guardrails stop, and what is unusual in it."""

from __future__ import annotations

from infra.boards.parts import kinds
from infra.boards.parts.board import Board, Section
from infra.boards.parts.panel import thresholds
from infra.boards.parts.target import Column

NO_TRACE = "No trace of an agent was read: send OTLP to an [[input]] of kind http."

ATTACKS = Section(
    "Attacks and what stopped them",
    [
        kinds.table(
            "What guardrails stopped",
            "Blocked attempts by agent, guardrail and category. Many in few sessions: somebody"
            " tries in earnest.",
            "/api/v1/queries/guardrail_blocks",
            [
                Column("agent"),
                Column("guardrail"),
                Column("category"),
                Column("blocks", kind="number"),
                Column("sessions", kind="number"),
                Column("last_time", "last", "timestamp"),
            ],
            empty="No guardrail has stopped anything, or none is seen: are its verdicts in traces?",
            width=14,
            height=7,
            sort=("blocks", True),
            overrides={**kinds.narrow("blocks", "sessions"), **kinds.times("last")},
        ),
        kinds.table(
            "Refused calls",
            "Calls that were refused, by who made them: probing looks like this.",
            "/api/v1/queries/denied",
            [
                Column("actor"),
                Column("activity"),
                Column("code"),
                Column("refused", kind="number"),
                Column("last_time", "last", "timestamp"),
            ],
            empty="No call was refused in the last days.",
            width=10,
            height=7,
            sort=("refused", True),
            overrides={**kinds.narrow("refused"), **kinds.times("last")},
        ),
        kinds.table(
            "Tool calls right after an injection",
            "Within ten minutes of a verdict of injection in the same session: the one that got"
            " through.",
            "/api/v1/queries/after_injection",
            [
                Column("attack_time", "injection", "timestamp"),
                Column("time", "tool call", "timestamp"),
                Column("session"),
                Column("agent"),
                Column("tool"),
            ],
            empty="None: no tool was called in a session after an injection was seen in it.",
            height=6,
            sort=("tool call", True),
            overrides=kinds.times("injection", "tool call"),
        ),
    ],
)
AGENTS = Section(
    "Agents and tools",
    [
        kinds.table(
            "Agents through which data can leave",
            "They read what strangers write, reach private data and send things out: with all three"
            " legs, one injection is enough. Take one leg away.",
            "/api/v1/queries/agents",
            [
                Column("agent"),
                Column("legs", kind="number"),
                Column("untrusted", "reads untrusted", "number"),
                Column("private", "reads private", "number"),
                Column("sends", "sends out", "number"),
                Column("tools"),
                Column("last_time", "last", "timestamp"),
            ],
            empty=NO_TRACE,
            height=7,
            sort=("legs", True),
            overrides={
                "agent": {"custom.width": 220},
                "legs": {
                    "custom.cellOptions": {"type": "color-text"},
                    "custom.width": 70,
                    "thresholds": thresholds(((None, "text"), (2, "orange"), (3, "red"))),
                },
                **kinds.narrow("reads untrusted", "reads private", "sends out"),
                **kinds.times("last"),
            },
        ),
        kinds.table(
            "Which agent uses which tool",
            "Calls, sessions and failures. A pair that is not meant to be: see new tools beside"
            " it.",
            "/api/v1/queries/tool_use",
            [
                Column("agent"),
                Column("tool"),
                Column("calls", kind="number"),
                Column("sessions", kind="number"),
                Column("failures", kind="number"),
            ],
            empty=NO_TRACE,
            width=12,
            sort=("calls", True),
            overrides=kinds.narrow("calls", "sessions", "failures"),
        ),
        kinds.table(
            "New tools",
            "Tools, skills and MCP servers that appeared in the last week, and who uses them.",
            "/api/v1/queries/new_tools",
            [
                Column("entity"),
                Column("first_seen", "first seen", "timestamp"),
                Column("used_by", "used by"),
                Column("systems"),
            ],
            empty="No tool is new.",
            width=12,
            sort=("first seen", True),
            overrides=kinds.times("first seen"),
        ),
    ],
)
USE = Section(
    "Models and what they cost",
    [
        kinds.table(
            "Tokens by day",
            "What each application takes of each model: what it costs, and who began to use more.",
            "/api/v1/queries/tokens",
            [
                Column("day"),
                Column("application"),
                Column("model"),
                Column("calls", kind="number"),
                Column("input_tokens", "tokens in", "number"),
                Column("output_tokens", "tokens out", "number"),
            ],
            empty=NO_TRACE,
            width=14,
            sort=("day", True),
            overrides={
                "day": {"custom.width": 110},
                **kinds.narrow("calls", "tokens in", "tokens out"),
            },
        ),
        kinds.table(
            "Hours of unusual many calls",
            "Who did many times in an hour what is usual for them.",
            "/api/v1/queries/bursts",
            [
                Column("hour", kind="timestamp"),
                Column("actor"),
                Column("events", kind="number"),
                Column("usual", kind="number"),
            ],
            empty="No hour stands out.",
            width=10,
            sort=("hour", True),
            overrides={**kinds.times("hour"), **kinds.narrow("events", "usual")},
        ),
        kinds.table(
            "Models without approval",
            "At work, not declared, and like none of the patterns of [inventory] approved.",
            "/api/v1/queries/unapproved_models",
            [
                Column("entity", "model"),
                Column("observed_from", "first seen", "timestamp"),
                Column("observed_seen", "last seen", "timestamp"),
                Column("called_by", "called by"),
            ],
            empty="None: every model at work is declared or approved.",
            height=6,
            overrides=kinds.times("first seen", "last seen"),
        ),
    ],
)
BOARD = Board(
    uid="barograph-runtime",
    title="Barograph / AI at runtime",
    description="What agents and models do, what guardrails stop, and what is unusual in it.",
    sections=(ATTACKS, AGENTS, USE),
)
