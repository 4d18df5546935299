"""The topic table: every name, key and policy on one page."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """One Kafka topic of ours. `key` says what owns the state behind it."""

    name: str
    key: str
    compacted: bool
    what: str


SIGNALS = "signals"
FACTS = "facts"
INVENTORY = "inventory"
MEMBERSHIP = "membership"
ATTACH = "attach"
ASSESS = "assess"
FINDINGS = "findings"
ALERTS = "alerts"
DEAD_LETTERS = "dead-letters"

TOPICS = (
    Topic(SIGNALS, "rule|group", False, "hits of correlations, all levels, with Ticks by level"),
    Topic(
        FACTS, "entity", False, "attributes, findings of scanners and edges as the sources say them"
    ),
    Topic(INVENTORY, "estate", False, "edges that opened, closed or aged a day; one partition"),
    Topic(MEMBERSHIP, "entity", False, "which AI systems an entity belongs to, from when"),
    Topic(ATTACH, "entity", False, "legs and facts on their way to AI systems"),
    Topic(ASSESS, "system", False, "legs, facts and leaves of one AI system"),
    Topic(FINDINGS, "finding id", True, "episodes of correlations, newest revision by id"),
    Topic(ALERTS, "alert id", True, "alerts, newest revision by id"),
    Topic(
        DEAD_LETTERS, "origin", False, "records that could not be read, with reason and position"
    ),
)
