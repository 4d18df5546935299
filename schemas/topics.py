"""The topic table: every name, key and policy on one page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from schemas.config import KafkaConfig
from schemas.times import SECOND

Keeps = Literal["time", "newest", "state"]


class Topic(NamedTuple):
    """One Kafka topic of ours. `key` says what owns the state behind it.

    `keeps`: all records for a `time`, or the `newest` of each key; `state` is the newest, compacted
    soon, since a worker reads all of it before it starts. `single`: one partition, however many the
    others have. Names are without the prefix of a deployment.
    """

    name: str
    key: str
    what: str
    keeps: Keeps = "time"
    single: bool = False


HABITS = "habits"
SIGNALS = "signals"
FACTS = "facts"
INVENTORY = "inventory"
MEMBERSHIP = "membership"
ATTACH = "attach"
ASSESS = "assess"
FINDINGS = "findings"
ALERTS = "alerts"
HISTORY = "history"
DEAD_LETTERS = "dead-letters"
AGREEMENT = "agreement"
RAW = "raw."  # before the name of a source: a topic that others write

TOPICS = (
    Topic(HABITS, "detection|group", "what was observed of a group, on its way to its habits"),
    Topic(SIGNALS, "rule|group", "hits of correlations, all levels, with Ticks by level"),
    Topic(FACTS, "entity", "attributes, findings of scanners and edges as the sources say them"),
    Topic(INVENTORY, "estate", "edges that opened, closed or aged a day", single=True),
    Topic(MEMBERSHIP, "entity", "which AI systems an entity belongs to, from when"),
    Topic(ATTACH, "entity", "legs and facts on their way to AI systems"),
    Topic(ASSESS, "system", "legs, facts and leaves of one AI system"),
    Topic(FINDINGS, "finding id", "episodes of correlations, newest by id", "newest"),
    Topic(ALERTS, "alert id", "alerts, newest revision by id", "newest"),
    Topic(HISTORY, "id", "all else that sinks take: events, signals, assets, forecasts"),
    Topic(DEAD_LETTERS, "origin", "records that could not be read, with reason and position"),
    Topic(AGREEMENT, "none", "what all workers have in common", "newest", single=True),
)

# The stages that hold state; the correlations lie between the first and the rest.
_FIRST: Final = ("ingest", "habits")
_REST: Final = ("observe", "inventory", "attach", "assess")
_SINGLE: Final = "inventory"

_MS: Final = SECOND // 1000
_KEPT: Final[dict[Keeps, dict[str, str]]] = {
    "time": {"cleanup.policy": "delete"},
    "newest": {"cleanup.policy": "compact"},
    # Small segments, cleaned early: what a worker reads when it starts is about what it holds.
    "state": {
        "cleanup.policy": "compact",
        "segment.bytes": str(16 * 2**20),
        "segment.ms": "600000",
        "min.cleanable.dirty.ratio": "0.1",
        "max.compaction.lag.ms": "900000",
        "delete.retention.ms": "86400000",
    },
}


class Plan(NamedTuple):
    """One topic as a deployment makes it: its full name and the settings that differ by topic."""

    name: str
    partitions: int
    settings: dict[str, str]


def state(stage: str) -> str:
    """The topic that holds the state of a stage."""
    return f"{stage}-state"


def raw(source: str) -> str:
    """The topic in which others hand us the records of a source."""
    return RAW + source.replace(":", ".")  # `generic:doors` has no name that Kafka takes


def states(levels: int) -> tuple[Topic, ...]:
    """The state topics of a rule set with so many levels of correlations, by stage."""
    counted = (f"correlate-{level + 1}" for level in range(levels))
    return tuple(
        Topic(state(stage), "any", f"what {stage} holds", "state", single=stage == _SINGLE)
        for stage in (*_FIRST, *counted, *_REST)
    )


def deployment(config: KafkaConfig, levels: int, sources: Iterable[str] = ()) -> list[Plan]:
    """Every topic of a deployment, ours first, then the raw topics of `sources`."""
    ours = [_plan(config, topic) for topic in (*TOPICS, *states(levels))]
    named = dict.fromkeys(sources)
    return ours + [_plan(config, Topic(raw(name), "any", f"records of {name}")) for name in named]


def _plan(config: KafkaConfig, topic: Topic) -> Plan:
    settings = dict(_KEPT[topic.keeps])
    if topic.keeps == "time":
        settings["retention.ms"] = str(config.retention // _MS)
    settings["max.message.bytes"] = str(config.message_bytes)
    return Plan(config.prefix + topic.name, 1 if topic.single else config.partitions, settings)
