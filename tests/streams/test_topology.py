"""Which stages there are, what they wait for, and who owns a row."""

from __future__ import annotations

import pytest

from correlators.document import Document
from correlators.routes import Routes
from correlators.ruleset import Ruleset, builtin, parse
from schemas.rows import Delete, Row, Tick
from schemas.topics import ASSESS, ATTACH, FACTS, HABITS, INVENTORY, MEMBERSHIP, SIGNALS
from streams.topology import build, feeding, partition_of, stage_of, stages, topic_between

VENDOR = """\
title: trail
name: trail
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: InvokeModel}, condition: s}
"""
OF_OTEL = """\
title: span
name: span
logsource: {product: barograph, service: otel}
detection: {s: {activity: chat}, condition: s}
"""
OF_ANY = """\
title: form
name: form
logsource: {product: barograph, category: api_activity}
detection: {s: {activity: x}, condition: s}
"""


HABIT = """\
title: new
name: new
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: InvokeModel}, condition: s}
barograph: {habit: {type: first_seen, by: userIdentity.arn, of: sourceIPAddress|network}}
"""


def correlation(name: str, *rules: str) -> str:
    return (
        f"title: {name}\nname: {name}\ncorrelation:\n  type: event_count\n"
        f"  rules: [{', '.join(rules)}]\n  group-by: [user]\n  timespan: 1m\n"
        "  condition: {gte: 2}\n"
    )


def rules(*texts: str) -> Ruleset:
    ruleset = parse(Document(f"{n}.yml", text) for n, text in enumerate(texts))
    assert ruleset.problems == ()
    return ruleset


def test_every_stage_waits_for_all_that_can_feed_it() -> None:
    ruleset = rules(VENDOR, correlation("one", "trail"), correlation("two", "one"))
    plan = {stage.name: (stage.level, stage.feeders) for stage in stages(ruleset, Routes(ruleset))}
    assert plan == {
        "habits": (0, ()),
        "correlate-1": (1, ("ingest",)),
        "correlate-2": (2, ("ingest", "correlate-1")),
        "observe": (0, ("ingest",)),
        "inventory": (0, ("observe",)),
        "attach": (0, ("ingest", "habits", "correlate-1", "correlate-2", "observe", "inventory")),
        "assess": (0, ("attach",)),
    }


def test_correlations_wait_for_habits_that_they_count() -> None:
    ruleset = rules(HABIT, VENDOR, correlation("one", "trail"))
    plan = {stage.name: stage.feeders for stage in stages(ruleset, Routes(ruleset))}
    assert plan["habits"] == ("ingest",)
    assert plan["correlate-1"] == ("ingest",)
    ruleset = rules(HABIT, correlation("one", "new"))
    plan = {stage.name: stage.feeders for stage in stages(ruleset, Routes(ruleset))}
    assert plan["correlate-1"] == ("ingest", "habits")
    assert topic_between("ingest", "habits") == HABITS
    assert topic_between("habits", "correlate-1") == SIGNALS
    assert topic_between("habits", "attach") == ATTACH


def test_habits_do_not_wait_for_what_they_cannot_see() -> None:
    ruleset = rules(HABIT)
    built = build(ruleset, Routes(ruleset), {"logs": ("cloudtrail",), "scans": ("trivy",)}, 1)
    assert set(built["habits/0"].clock.ticks) == {"logs"}
    assert "habits/0" in built["attach/0"].clock.ticks


def test_without_correlations_there_is_no_level() -> None:
    plan = stages(rules(VENDOR), Routes(rules(VENDOR)))
    assert [stage.name for stage in plan] == ["habits", "observe", "inventory", "attach", "assess"]


def test_stages_come_after_their_feeders() -> None:
    ruleset = parse(builtin())
    seen = {"ingest"}
    for stage in stages(ruleset, Routes(ruleset)):
        assert set(stage.feeders) <= seen
        seen.add(stage.name)


def test_a_rule_over_fast_logs_does_not_wait_for_a_scanner() -> None:
    ruleset = rules(VENDOR, correlation("one", "trail"))
    built = build(ruleset, Routes(ruleset), {"logs": ("cloudtrail",), "scans": ("trivy",)}, 1)
    assert set(built["correlate-1/0"].clock.ticks) == {"logs"}
    assert set(built["observe/0"].clock.ticks) == {"logs", "scans"}
    assert {"logs", "scans"} <= set(built["attach/0"].clock.ticks)

    changes, _ = built["correlate-1/0"].step([Tick("logs", 0, 100, 100)])
    assert changes.clock.watermark == 100
    changes, _ = built["observe/0"].step([Tick("logs", 0, 100, 100)])
    assert changes.clock.watermark < 0  # the scans were not heard yet


@pytest.mark.parametrize(
    ("rule", "fed"),
    [
        (VENDOR, {"trail", "any"}),
        (OF_OTEL, {"spans", "any"}),
        (OF_ANY, {"trail", "spans", "scans", "any"}),
    ],
)
def test_an_input_feeds_the_correlations_whose_rules_can_see_its_records(
    rule: str, fed: set[str]
) -> None:
    name = rule.split()[1]
    inputs = {"trail": ["cloudtrail"], "spans": ["otel"], "scans": ["trivy"], "any": None}
    ruleset = rules(rule, correlation("one", name))
    assert set(feeding(ruleset, {**inputs, "nothing": ()})) == fed
    assert "scans" not in set(feeding(rules(rule), inputs))  # no correlation wants it


def test_nobody_waits_for_a_level_that_nothing_can_feed() -> None:
    ruleset = rules(VENDOR, correlation("one", "trail"), correlation("two", "one"))
    built = build(ruleset, Routes(ruleset), {"scans": ("trivy",)}, 1)
    assert set(built["attach/0"].clock.ticks) == {"scans", "observe/0", "inventory/0"}


def test_partitions_of_a_stage_hear_all_partitions_of_their_feeders() -> None:
    ruleset = rules(VENDOR, correlation("one", "trail"))
    built = build(ruleset, Routes(ruleset), {"raw/0": None, "raw/1": None}, 2)
    assert set(built) == {
        *("habits/0", "habits/1", "correlate-1/0", "correlate-1/1"),
        *("observe/0", "observe/1", "inventory/0"),
        *("attach/0", "attach/1", "assess/0", "assess/1"),
    }
    assert set(built["inventory/0"].clock.ticks) == {"observe/0", "observe/1"}
    assert set(built["assess/1"].clock.ticks) == {"attach/0", "attach/1"}
    assert {built[f"attach/{n}"].me for n in (0, 1)} == {"attach/0", "attach/1"}


def test_every_topic_of_rows_has_an_owner() -> None:
    topics = (HABITS, FACTS, INVENTORY, MEMBERSHIP, ATTACH, ASSESS)
    owners = {topic: stage_of(Row(topic, 0, "key", 0, "id", "kind", {})) for topic in topics}
    assert owners == {
        HABITS: "habits",
        FACTS: "observe",
        INVENTORY: "inventory",
        MEMBERSHIP: "attach",
        ATTACH: "attach",
        ASSESS: "assess",
    }
    assert stage_of(Row(SIGNALS, 3, "key", 0, "id", "kind", {})) == "correlate-3"
    assert stage_of(Delete(SIGNALS, 1, "key", 0, "id")) == "correlate-1"


def test_a_key_stays_in_its_partition() -> None:
    keys = [f"principal:{n}" for n in range(100)]
    assert {partition_of(key, 4) for key in keys} == {0, 1, 2, 3}
    assert {partition_of(key, 1) for key in keys} == {0}
    assert partition_of("principal:ann", 64) == 30  # part of what a saved state rests on
