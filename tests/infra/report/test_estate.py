import pytest

from infra.report.estate import Line, System, estate
from schemas.times import parse
from tests.infra.report.sample import CLAIMS, FRAUD, SUMMARY, sample, tables, warning


def test_the_gravest_alert_comes_first_and_open_ones_before_closed() -> None:
    assert [(a.status, a.stage) for a in sample().alerts] == [
        ("open", "warning"),
        ("expired", "watch"),
    ]


def test_a_system_stands_as_its_open_alerts() -> None:
    known = sample()
    assert (known.stage(CLAIMS), known.priority(CLAIMS)) == ("warning", 91)
    assert (known.stage(FRAUD), known.priority(FRAUD)) == (None, 0)
    assert [r.priority for r in known.readings(FRAUD)] == [0]


def test_what_is_over_is_left_out() -> None:
    edge = {"from": "agent:a", "relation": "uses", "to": "tool:t"}
    rows = {
        "alerts": [{**warning(), "meta": {"state": "withdrawn"}}],
        "edges": [edge, {**edge, "valid_to": "2026-11-20T00:00:00Z"}],
        "facts": [{**tables()["facts"][0], "state": "resolved"}],
    }
    known = estate(rows, {})
    assert (known.alerts, known.facts) == ((), ())
    assert known.edges == (Line("agent:a", "uses", "tool:t"),)


def test_an_entity_of_no_system_stands_alone() -> None:
    alone = "principal:arn:aws:iam::111122223333:role/Pipeline"
    known = estate({"alerts": [{**warning(), "system": alone}]}, {})
    assert known.systems == (System(alone, declared=False),)


def test_the_end_is_that_of_the_run() -> None:
    assert sample().until == parse("2026-11-20T21:40:00Z")
    assert estate(tables(), {}).until == parse("2026-11-20T21:33:58.25Z")
    assert sample().since == parse("2026-11-19T15:04:00Z")
    assert sample().counters["read"] == SUMMARY["read"]


def test_facts_are_ranked_by_severity() -> None:
    assert [fact.severity for fact in sample().facts] == ["critical", "high", "medium"]


def test_an_empty_store_is_an_empty_estate() -> None:
    known = estate({}, {})
    assert (known.alerts, known.systems, known.since, known.until) == ((), (), 0, 0)


def test_a_wrong_row_is_refused() -> None:
    with pytest.raises(ValueError, match="stage"):
        estate({"alerts": [{**warning(), "stage": "hurricane"}]}, {})
