"""Assets: what is known of a thing, by whom and since when, and what a deletion ends."""

from __future__ import annotations

from correlators.asset import LONGEST, STATEMENTS
from correlators.observe import Observe
from schemas.rows import Output, Row
from schemas.times import DAY, HOUR, rfc3339
from tests.correlators.sayings import LONG, asset, edge, fact, links, states
from tests.correlators.stage import Stage, bodies, rows_of, whole

# What was deleted


def gone(time: int, at: int | None = None) -> Row:
    return fact(time, name="asset.state", instance="deleted", at=at)


def absences(outputs: list[Output]) -> list[tuple[bool, int]]:
    """As inventory hears of it: there or not, time."""
    return [(row.body["open"], row.time) for row in rows_of(outputs) if row.kind == "gone"]


def test_a_deletion_ends_facts_and_edges() -> None:
    outputs = whole(Observe(), [asset(1), fact(2), edge(3), gone(9)], LONG)
    assert states(outputs) == [("exposed|", "open", 2), ("exposed|", "closed", 9)]
    assert links(outputs) == [(True, False, 3), (False, False, 9)]
    assert absences(outputs) == [(False, 9)]


def test_what_is_at_work_after_its_deletion_is_there_again_and_a_denial_is_no_work() -> None:
    rows = [asset(1, way="observed"), gone(9), asset(12), asset(15, way="observed")]
    outputs = whole(Observe(), rows, LONG)
    assert absences(outputs) == [(False, 9), (True, 15)]
    (body,) = bodies(outputs, "fact")
    assert (body["since"], body["until"]) == (rfc3339(9), rfc3339(15))


def test_a_deletion_that_comes_late_does_not_end_what_was_said_after_it() -> None:
    rows = [asset(1, way="observed"), fact(50), asset(DAY, way="observed"), gone(2 * DAY, at=60)]
    assert absences(whole(Observe(), rows, LONG)) == []


# Assets


def test_declared_and_observed_are_told_apart() -> None:
    rows = [asset(1, way="observed"), asset(DAY, "cyclonedx", way="declared"), asset(2 * DAY)]
    body = bodies(whole(Observe(), rows, LONG), "asset")[-1]
    assert {name: body[name] for name in body if name.startswith(("declared", "observed"))} == {
        "observed_from": rfc3339(1),
        "observed_seen": rfc3339(1),
        "declared_from": rfc3339(DAY),
        "declared_seen": rfc3339(DAY),
    }


def test_each_value_of_an_attribute_has_its_source_and_its_times() -> None:
    rows = [
        asset(1, "cyclonedx", attributes={"asset.exposure": "internal"}, confidence=900),
        asset(DAY, "cyclonedx", attributes={"asset.exposure": "internal"}, confidence=900),
        asset(2 * DAY, "wiz", attributes={"asset.exposure": "internet"}, confidence=700),
    ]
    body = bodies(whole(Observe(), rows, LONG), "asset")[-1]
    assert body["attributes"] == {"asset.exposure": "internet"}
    assert body["history"] == [
        {
            "name": "asset.exposure",
            "value": "internal",
            "source": "cyclonedx",
            "first_seen": rfc3339(1),
            "last_seen": rfc3339(DAY),
            "confidence": 0.9,
        },
        {
            "name": "asset.exposure",
            "value": "internet",
            "source": "wiz",
            "first_seen": rfc3339(2 * DAY),
            "last_seen": rfc3339(2 * DAY),
            "confidence": 0.7,
        },
    ]


def test_of_too_many_values_those_said_longest_ago_are_forgotten() -> None:
    rows = [asset(n, attributes={"asset.note": n}) for n in range(STATEMENTS + 3)]
    rows.append(asset(STATEMENTS + 3, attributes={"asset.note": "x" * LONGEST}))
    (body,) = bodies(whole(Observe(), rows, LONG), "asset")
    assert [one["value"] for one in body["history"]] == list(range(3, STATEMENTS + 3))


def test_an_asset_is_told_once_a_day_and_when_it_changes() -> None:
    stage = Stage(Observe())
    told = [
        bool(bodies(stage.take(row), "asset", "provisional") + bodies(stage.take(), "asset"))
        for row in (
            asset(0),
            asset(HOUR),
            asset(2 * HOUR, "trivy"),
            asset(3 * HOUR, attributes={"asset.data": ["personal"]}),
            asset(4 * HOUR, name="Chat"),
            asset(DAY),
        )
    ]
    assert told == [True, False, True, True, True, True]
    outputs = stage.pass_to(LONG)
    assert bodies(outputs, "asset")[-1] == {
        "kind": "workload",
        "id": "ecs/prod/chat",
        "name": "Chat",
        "first_seen": rfc3339(0),
        "last_seen": rfc3339(DAY),
        "sources": ["otel", "trivy"],
        "attributes": {"asset.data": ["personal"]},
        "history": [
            {
                "name": "asset.data",
                "value": ["personal"],
                "source": "otel",
                "first_seen": rfc3339(3 * HOUR),
                "last_seen": rfc3339(3 * HOUR),
                "confidence": 1.0,
            },
            {
                "name": "name",
                "value": "Chat",
                "source": "otel",
                "first_seen": rfc3339(4 * HOUR),
                "last_seen": rfc3339(4 * HOUR),
                "confidence": 1.0,
            },
        ],
    }


def test_an_asset_seen_late_was_known_before() -> None:
    rows = [asset(100), asset(300, "trivy", at=50)]
    (body,) = bodies(whole(Observe(), rows, LONG), "asset")
    assert body["sources"] == ["otel"]
