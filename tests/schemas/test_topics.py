"""Topics of a deployment: names, partitions and policies, all of them written out."""

from schemas.config import KafkaConfig
from schemas.times import DAY
from schemas.topics import TOPICS, Plan, deployment, raw, state, states

CONFIG = KafkaConfig(bootstrap="localhost:9092", prefix="p.", partitions=6, retention=2 * DAY)
PLANS = {plan.name: plan for plan in deployment(CONFIG, 2, ["cloudtrail", "otel", "otel"])}
SIZE = {"max.message.bytes": "8388608"}
KEPT = {"cleanup.policy": "delete", "retention.ms": "172800000"} | SIZE
SOON = {
    "cleanup.policy": "compact",
    "segment.bytes": "16777216",
    "segment.ms": "600000",
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": "900000",
    "delete.retention.ms": "86400000",
} | SIZE


def test_a_topic_has_one_line_of_its_own() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(set(names)) == len(names) == 12
    assert [topic.name for topic in TOPICS if topic.keeps == "newest"] == [
        "findings",
        "alerts",
        "agreement",
    ]


def test_every_topic_of_a_deployment() -> None:
    assert list(PLANS) == [
        "p.habits",
        "p.signals",
        "p.facts",
        "p.inventory",
        "p.membership",
        "p.attach",
        "p.assess",
        "p.findings",
        "p.alerts",
        "p.history",
        "p.dead-letters",
        "p.agreement",
        "p.ingest-state",
        "p.habits-state",
        "p.correlate-1-state",
        "p.correlate-2-state",
        "p.observe-state",
        "p.inventory-state",
        "p.attach-state",
        "p.assess-state",
        "p.raw.cloudtrail",
        "p.raw.otel",
    ]


def test_all_have_the_same_partitions_but_what_has_one() -> None:
    single = {
        "p.inventory",
        "p.inventory-state",
        "p.agreement",
    }
    assert {name for name, plan in PLANS.items() if plan.partitions == 1} == single
    assert {plan.partitions for name, plan in PLANS.items() if name not in single} == {6}


def test_what_each_kind_keeps() -> None:
    assert PLANS["p.signals"] == Plan("p.signals", 6, KEPT)
    assert PLANS["p.dead-letters"].settings == PLANS["p.history"].settings == KEPT
    assert PLANS["p.raw.otel"] == Plan("p.raw.otel", 6, KEPT)
    assert PLANS["p.alerts"] == Plan("p.alerts", 6, {"cleanup.policy": "compact"} | SIZE)
    assert PLANS["p.inventory-state"] == Plan("p.inventory-state", 1, SOON)


def test_names() -> None:
    assert (raw("otel"), state("observe")) == ("raw.otel", "observe-state")
    assert [topic.name for topic in states(0)] == [
        "ingest-state",
        "habits-state",
        "observe-state",
        "inventory-state",
        "attach-state",
        "assess-state",
    ]
