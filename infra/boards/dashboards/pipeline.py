"""Pipeline: whether everything is read, judged and delivered, and which source fell silent."""

from __future__ import annotations

from infra.boards.parts import kinds
from infra.boards.parts.board import Board, Section
from infra.boards.parts.panel import fixed
from infra.boards.parts.target import Column, Metric

AWAY = "Nothing answers: is `barograph run` up, and does Prometheus scrape its /metrics?"

NOW = Section(
    "Now",
    [
        kinds.number(
            "Workers that answer",
            "Processes of `barograph run` that Prometheus can scrape.",
            "count(barograph_rules)",
            empty=AWAY,
            steps=((None, "red"), (1, "green")),
        ),
        kinds.number(
            "Records per second",
            "Records read by all inputs, over five minutes.",
            "sum(rate(barograph_records_read_total[5m]))",
            empty=AWAY,
            unit="cps",
            steps=((None, "blue"),),
        ),
        kinds.number(
            "Rejected share",
            "Records that could not be read, of all over the last hour. More than a little: a"
            " format changed.",
            "sum(increase(barograph_records_rejected_total[1h])) /"
            " (sum(increase(barograph_records_read_total[1h])) > 0)",
            empty="Nothing was read in the last hour: see Sources below.",
            unit="percentunit",
            decimals=2,
            steps=((None, "green"), (0.01, "orange"), (0.1, "red")),
        ),
        kinds.number(
            "Waiting for sinks",
            "Results that sinks have not taken yet, of all sinks together.",
            "sum(barograph_sink_waiting)",
            empty="No sink is configured: add a [[sink]].",
            steps=((None, "green"), (10_000, "orange"), (80_000, "red")),
        ),
        kinds.number(
            "Rules that run",
            "Detections, correlations and convergences of the set at work.",
            "max(barograph_rules)",
            empty=AWAY,
            steps=((None, "blue"),),
        ),
        kinds.number(
            "Age of the snapshot",
            "Seconds since the store wrote what readers, boards and the API see. It writes nothing"
            " while nothing changes: high and rising beside records that are read is a fault.",
            "time() - max(barograph_snapshot_timestamp_seconds)",
            empty="No snapshot yet: it is written some seconds after the first result.",
            unit="s",
            steps=((None, "blue"),),
        ),
    ],
)
READING = Section(
    "Reading",
    [
        kinds.course(
            "Records",
            "Records read, rejected (no format fits) and late (behind the watermark of their"
            " input).",
            [
                Metric("sum(rate(barograph_records_read_total[5m]))", "read"),
                Metric("sum(rate(barograph_records_rejected_total[5m]))", "rejected"),
                Metric("sum(rate(barograph_records_late_total[5m]))", "late"),
            ],
            empty=AWAY,
            unit="cps",
            width=12,
            overrides=fixed({"rejected": "red", "late": "orange"}),
        ),
        kinds.course(
            "How far each input is behind the clock",
            "Wall clock minus the watermark of an input. A straight rise: the input is silent."
            " High and flat: it delivers late.",
            [Metric("max by (input) (barograph_watermark_delay_seconds)", "{{input}}")],
            empty="No input has said anything yet.",
            unit="s",
            width=12,
        ),
        kinds.bars(
            "Sources: how long silent",
            "Time since the newest record of each source that mattered. Silence is not safety.",
            "sort_desc(time() - max by (source) (barograph_source_last_event_timestamp_seconds))",
            "{{source}}",
            empty="No source has said anything that mattered yet.",
            unit="s",
            width=6,
            height=9,
        ),
        kinds.table(
            "Sources",
            "When each source first and last said something that mattered.",
            "/api/v1/queries/sources",
            [
                Column("source"),
                Column("events", kind="number"),
                Column("first_time", "first", "timestamp"),
                Column("last_time", "last", "timestamp"),
            ],
            empty="No source has said anything that mattered yet.",
            width=9,
            sort=("last", False),
            overrides={**kinds.narrow("events"), **kinds.times("first", "last")},
        ),
        kinds.table(
            "What could not be read",
            "Rejects by source and reason, with a place to look at: `barograph parse FILE` says"
            " more.",
            "/api/v1/queries/rejects",
            [
                Column("source"),
                Column("reason"),
                Column("records", kind="number"),
                Column("detail"),
                Column("origin"),
            ],
            empty="None: every record could be read.",
            width=9,
            sort=("records", True),
            overrides=kinds.narrow("source", "reason", "records"),
        ),
        kinds.table(
            "Sources that fell silent",
            "Silent for more than a day, or half as long again as their longest pause so far.",
            "/api/v1/queries/silent",
            [
                Column("source"),
                Column("events", kind="number"),
                Column("last_time", "last", "timestamp"),
                Column("silent_for", "silent for"),
            ],
            empty="None: every source is as talkative as ever.",
            width=10,
            height=7,
            overrides={**kinds.narrow("events"), **kinds.times("last")},
        ),
        kinds.table(
            "Coverage: declared and never seen at work",
            "Parts of AI systems that no telemetry ever showed: a blind spot, or they are gone.",
            "/api/v1/queries/uncovered",
            [
                Column("kind"),
                Column("entity"),
                Column("systems"),
                Column("declared_from", "declared", "timestamp"),
            ],
            empty="None: all that is declared was seen at work.",
            width=14,
            height=7,
            overrides={"kind": {"custom.width": 100}, **kinds.times("declared")},
        ),
    ],
)
DELIVERING = Section(
    "Delivering",
    [
        kinds.course(
            "Delivered by sink",
            "Results that each sink has taken.",
            [Metric("sum by (sink) (rate(barograph_sink_delivered_total[5m]))", "{{sink}}")],
            empty="No sink is configured: add a [[sink]].",
            unit="cps",
            height=7,
        ),
        kinds.course(
            "Failed attempts in a row",
            "Above 0: the receiver of a sink does not answer, and it is tried again; nothing is"
            " lost yet.",
            [Metric("max by (sink) (barograph_sink_failures)", "{{sink}}")],
            empty="No sink is configured: add a [[sink]].",
            height=7,
            decimals=0,
        ),
        kinds.course(
            "Dead letters by sink",
            "Results that a receiver refused for good, or that waited for too long. Work them off:"
            " `barograph dead-letters list`.",
            [Metric("sum by (sink) (increase(barograph_sink_refused_total[1h]))", "{{sink}}")],
            empty="No sink is configured: add a [[sink]].",
            height=7,
            bars=True,
            decimals=0,
        ),
        kinds.course(
            "Answers of the read API",
            "Requests by the status that they were answered with. 504: a query takes too long;"
            " 429: a client asks too much; 5xx beside it: look at the log.",
            [Metric("sum by (status) (rate(barograph_api_requests_total[5m]))", "{{status}}")],
            empty="Nobody has asked the read API since it started: do these boards reach it?",
            unit="cps",
            height=7,
        ),
    ],
)
STATE = Section(
    "Rules and state",
    [
        kinds.course(
            "Keys held by stage",
            "Groups, entities and systems that each stage keeps state of.",
            [Metric("sum by (stage) (barograph_state_keys)", "{{stage}}")],
            empty=AWAY,
            width=10,
            decimals=0,
        ),
        kinds.number(
            "Groups forgotten",
            "Groups of correlations that were forgotten because there were too many: findings"
            " may lack hits. It should stay 0.",
            "sum(barograph_state_crowded_out_total)",
            empty=AWAY,
            height=8,
            steps=((None, "green"), (1, "red")),
        ),
        kinds.number(
            "Last reload of rules",
            "1: the newest attempt to change the rules went well; 0: it was refused, the old set"
            " runs on.",
            "min(barograph_rules_last_reload_successful)",
            empty=AWAY,
            height=8,
            width=5,
            steps=((None, "red"), (1, "green")),
            mappings=[
                {
                    "type": "value",
                    "options": {
                        "0": {"text": "refused", "index": 0},
                        "1": {"text": "ok", "index": 1},
                    },
                }
            ],
        ),
        kinds.number(
            "These rules run since",
            "When the set of rules at work began to run.",
            "max(barograph_rules_last_change_timestamp_seconds) * 1000",
            empty=AWAY,
            height=8,
            width=5,
            unit="dateTimeFromNow",
            steps=((None, "blue"),),
        ),
    ],
)
KAFKA = Section(
    "Kafka workers",
    [
        kinds.course(
            "Lag by stage",
            "Records that each stage still has to take.",
            [Metric("sum by (stage) (barograph_stage_lag_records)", "{{stage}}")],
            empty="No Kafka worker answers: an embedded run has no such stages.",
            width=8,
            decimals=0,
        ),
        kinds.course(
            "Records by stage",
            "Records that each stage takes.",
            [Metric("sum by (stage) (rate(barograph_stage_records_total[5m]))", "{{stage}}")],
            empty="No Kafka worker answers: an embedded run has no such stages.",
            width=8,
            unit="cps",
        ),
        kinds.course(
            "Beginnings by stage",
            "How often each stage began anew in an hour. More than once: look at the logs of its"
            " worker.",
            [
                Metric(
                    "sum by (stage) (increase(barograph_stage_beginnings_total[1h]))", "{{stage}}"
                )
            ],
            empty="No Kafka worker answers: an embedded run has no such stages.",
            width=8,
            bars=True,
            decimals=0,
        ),
    ],
    closed=True,
)
BOARD = Board(
    uid="barograph-pipeline",
    title="Barograph / Pipeline health",
    description="Whether everything is read, judged and delivered, and which source fell silent.",
    sections=(NOW, READING, DELIVERING, STATE, KAFKA),
    since="now-6h",
    refresh="30s",
)
