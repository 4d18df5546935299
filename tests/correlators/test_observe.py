"""Observe: what is open on an entity, from when to when, whatever order and copies it comes in."""

from __future__ import annotations

import pytest

from correlators.observe import INSTANCES, Observe
from schemas.canonical import digest
from schemas.rows import Row
from schemas.times import DAY, HOUR, rfc3339
from tests.correlators.sayings import KEY, LONG, asset, edge, fact, links, scan, states
from tests.correlators.stage import ZERO, Stage, bodies, rows_of, whole

# Facts


def test_a_fact_opens_and_closes() -> None:
    outputs = whole(Observe(), [fact(1), fact(5, "closed")], LONG)
    assert states(outputs) == [("exposed|", "open", 1), ("exposed|", "closed", 5)]
    (body,) = bodies(outputs, "fact")
    assert body == {
        "entity": KEY,
        "name": "exposed",
        "instance": "",
        "state": "resolved",
        "since": rfc3339(1),
        "until": rfc3339(5),
        "severity": "high",
        "confidence": 0.7,
        "title": "exposed",
        "tool": "trivy",
        "evidence": [{"event": "event-5", "sha256": ZERO}],
    }


def test_a_posture_row_says_since_when_and_its_id_is_content() -> None:
    row = rows_of(whole(Observe(), [fact(1)], LONG))[0]
    assert (row.topic, row.key, row.time, row.kind) == ("attach", KEY, 1, "posture")
    assert row.id == digest("posture", KEY, "exposed", "", 1)
    assert (row.body["since"], row.body["state"]) == (1, "open")


def test_a_scanner_finding_is_for_the_posture_tables_only() -> None:
    outputs = whole(Observe(), [fact(1, name="finding", instance="u1")], LONG)
    assert states(outputs) == []
    assert [body["instance"] for body in bodies(outputs, "fact")] == ["u1"]


def test_what_is_open_already_says_nothing() -> None:
    assert states(whole(Observe(), [fact(1), fact(5), fact(9)], LONG)) == [("exposed|", "open", 1)]


def test_closing_what_never_was_open_says_nothing() -> None:
    assert whole(Observe(), [fact(1, "closed")], LONG)[:-1] == []


def test_what_is_closed_can_open_again() -> None:
    outputs = whole(Observe(), [fact(1), fact(5, "closed"), fact(9)], LONG)
    assert states(outputs)[2] == ("exposed|", "open", 9)
    told = [(body["state"], body["since"], body.get("until")) for body in bodies(outputs, "fact")]
    assert told == [("resolved", rfc3339(1), rfc3339(5)), ("open", rfc3339(9), None)]


@pytest.mark.parametrize("before", [[], [fact(1)]], ids=["unknown", "open"])
def test_at_equal_times_open_wins(before: list[Row]) -> None:
    rows = [*before, fact(5, "closed", id_="z"), fact(5, "open", id_="a")]
    outputs = whole(Observe(), rows, LONG)
    assert states(outputs)[-1] == ("exposed|", "open", 5)
    assert bodies(outputs, "fact")[-1]["state"] == "open"


def test_of_an_exclusive_attribute_the_new_value_ends_the_old() -> None:
    name = "asset.exposure"
    rows = [fact(1, name=name, instance="internal"), fact(5, name=name, instance="internet")]
    assert states(whole(Observe(), rows, LONG)) == [
        ("asset.exposure|internal", "open", 1),
        ("asset.exposure|internal", "closed", 5),
        ("asset.exposure|internet", "open", 5),
    ]


def test_labels_of_data_stand_beside_each_other() -> None:
    rows = [fact(1, name="asset.data", instance=label) for label in ("payment", "personal")]
    assert [state for _, state, _ in states(whole(Observe(), rows, LONG))] == ["open", "open"]


# Scans


def test_a_scan_closes_what_it_does_not_name_any_more() -> None:
    rows = [fact(1, instance="a"), fact(1, instance="b"), scan(1), fact(9, instance="b"), scan(9)]
    assert states(whole(Observe(), rows, LONG)) == [
        ("exposed|a", "open", 1),
        ("exposed|b", "open", 1),
        ("exposed|a", "closed", 9),
    ]


def test_a_scan_says_nothing_of_what_another_tool_found() -> None:
    rows = [fact(1, tool="grype"), scan(9)]
    assert states(whole(Observe(), rows, LONG)) == [("exposed|", "open", 1)]


# What comes late


def test_a_late_copy_changes_nothing() -> None:
    rows = [fact(100), fact(200, "closed")]
    late = [fact(300, at=100, id_="copy"), fact(300, "open", at=150, id_="older")]
    assert states(whole(Observe(), [*rows, *late], LONG)) == states(whole(Observe(), rows, LONG))


def test_a_late_record_that_is_newer_than_what_is_known_holds_from_when_it_came() -> None:
    outputs = whole(Observe(), [fact(100), fact(300, "closed", at=200)], LONG)
    assert states(outputs)[-1] == ("exposed|", "closed", 300)


def test_a_late_scan_closes_only_what_was_last_seen_before_it() -> None:
    rows = [fact(100, instance="a"), fact(200, instance="b"), scan(300, at=150)]
    closed = [
        place for place, state, _ in states(whole(Observe(), rows, LONG)) if state == "closed"
    ]
    assert closed == ["exposed|a"]


# Edges


def test_an_edge_goes_on_when_it_opens_closes_or_ages_a_day() -> None:
    hours = [edge(n * HOUR) for n in range(50)]
    outputs = whole(Observe(), [*hours, edge(50 * HOUR, "closed")], LONG)
    assert links(outputs) == [
        (True, False, 0),
        (True, False, DAY),
        (True, False, 2 * DAY),
        (False, False, 50 * HOUR),
    ]
    (body,) = bodies(outputs, "edge")
    assert body == {
        "from": KEY,
        "relation": "calls",
        "to": "model:m",
        "declared": False,
        "observed": True,
        "observed_from": rfc3339(0),
        "observed_seen": rfc3339(2 * DAY),
        "confidence": 1.0,
        "valid_from": rfc3339(0),
        "last_seen": rfc3339(50 * HOUR),
        "valid_to": rfc3339(50 * HOUR),
    }


def test_an_edge_that_opens_again_is_a_new_one() -> None:
    outputs = whole(Observe(), [edge(1), edge(5, "closed"), edge(9)], LONG)
    assert [(body["valid_from"], body.get("valid_to")) for body in bodies(outputs, "edge")] == [
        (rfc3339(1), rfc3339(5)),
        (rfc3339(9), None),
    ]


def test_what_was_declared_once_stays_declared() -> None:
    rows = [edge(1), edge(5, declared=True), edge(9)]
    assert links(whole(Observe(), rows, LONG)) == [(True, False, 1), (True, True, 5)]


def test_of_an_edge_too_open_wins_and_late_copies_change_nothing() -> None:
    rows = [edge(1), edge(5, "closed"), edge(5), edge(9, "closed", at=1)]
    told = links(whole(Observe(), rows, LONG))
    assert told == [(True, False, 1), (False, False, 5), (True, False, 5)]


def test_each_way_of_knowing_an_edge_has_its_own_beginning_and_last_time() -> None:
    rows = [edge(HOUR, declared=True), edge(3 * DAY), edge(5 * DAY), edge(6 * DAY, declared=True)]
    body = bodies(whole(Observe(), rows, LONG), "edge")[-1]
    assert {name: body[name] for name in body if "_" in name} == {
        "valid_from": rfc3339(HOUR),
        "last_seen": rfc3339(6 * DAY),
        "declared_from": rfc3339(HOUR),
        "declared_seen": rfc3339(6 * DAY),
        "observed_from": rfc3339(3 * DAY),
        "observed_seen": rfc3339(5 * DAY),
    }


def test_what_is_at_work_after_it_was_detached_is_observed_and_not_declared() -> None:
    rows = [edge(1, declared=True), edge(5), edge(7, "closed", declared=True), edge(9)]
    told = bodies(whole(Observe(), rows, LONG), "edge")
    assert [(body["declared"], body["observed"], body.get("valid_to")) for body in told] == [
        (True, True, rfc3339(7)),
        (False, True, None),
    ]


def test_an_edge_is_as_certain_as_its_most_certain_record() -> None:
    guess = edge(1)
    guess.body["confidence"] = 0.5
    stage = Stage(Observe())
    stage.take(guess)
    assert bodies(stage.pass_to(2), "edge")[0]["confidence"] == 0.5
    stage.take(edge(5))
    assert bodies(stage.pass_to(6), "edge")[0]["confidence"] == 1.0


# The whole


def test_order_of_arrival_within_a_time_and_copies_change_nothing() -> None:
    rows = [
        fact(5, "closed", id_="z"),
        fact(5, id_="a"),
        edge(5),
        edge(5, "closed"),
        asset(5, name="Chat"),
        scan(5),
    ]
    want = whole(Observe(), rows, LONG)
    assert whole(Observe(), [*rows[::-1], *rows], LONG) == want


def test_of_too_many_facts_those_closed_longest_ago_are_forgotten() -> None:
    rows: list[Row] = []
    for n in range(INSTANCES + 2):
        rows += [fact(10 * n, instance=str(n)), fact(10 * n + 5, "closed", instance=str(n))]
    stage = Stage(Observe())
    stage.take(*rows)
    stage.pass_to(LONG)
    facts = stage.keyed.slots[KEY].compact.facts
    assert len(facts) == INSTANCES
    assert "exposed|1" not in facts
    assert "exposed|2" in facts
