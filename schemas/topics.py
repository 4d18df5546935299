"""The topic table: every name, key and policy on one page."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """One Kafka topic of ours. `key` says what owns the state behind it."""

    name: str
    key: str
    what: str
    compacted: bool = False


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
    Topic(SIGNALS, "rule|group", "hits of correlations, all levels, with Ticks by level"),
    Topic(FACTS, "entity", "attributes, findings of scanners and edges as the sources say them"),
    Topic(INVENTORY, "estate", "edges that opened, closed or aged a day; one partition"),
    Topic(MEMBERSHIP, "entity", "which AI systems an entity belongs to, from when"),
    Topic(ATTACH, "entity", "legs and facts on their way to AI systems"),
    Topic(ASSESS, "system", "legs, facts and leaves of one AI system"),
    Topic(FINDINGS, "finding id", "episodes of correlations, newest by id", compacted=True),
    Topic(ALERTS, "alert id", "alerts, newest revision by id", compacted=True),
    Topic(DEAD_LETTERS, "origin", "records that could not be read, with reason and position"),
)
