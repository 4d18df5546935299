"""A plan decides on speed only; what it calls up is tested against the rules in test_matcher."""

import json
from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import parse
from correlators.sigma.plan import Plan, Share
from correlators.sigma.rule import Rule
from correlators.sigma.witness import Atom, Clause


def rules(*selections: Any, condition: str = "s") -> tuple[Rule, ...]:  # noqa: ANN401 - what YAML has
    documents = [
        {
            "title": "t",
            "name": f"r{n}",
            "logsource": {"product": "test"},
            "detection": {"s": selection, "condition": condition},
        }
        for n, selection in enumerate(selections)
    ]
    ruleset = parse([Document("r.yml", "\n---\n".join(map(json.dumps, documents)))])
    assert ruleset.problems == ()
    return ruleset.rules


def at(plan: Plan) -> dict[str, int]:
    """At how many fields which plan asks for how many texts beyond them."""
    return {path: len(watch.called("x")) for path, watch in plan.watches.items()}


NAMES = [{"name": f"n{n}", "source": "x"} for n in range(8)]


def test_rules_wait_where_they_look_for_many_different_texts() -> None:
    plan = Plan(rules(*NAMES, {"name|contains": "long", "source": "y"}))
    assert plan.watches["name"].called("n3") == (3,)
    assert plan.watches["source"].called("x") == ()
    assert plan.watches["source"].called("y") == (8,)
    assert plan.others[3] == [frozenset({Atom("source", "is", "x")})]
    assert plan.always == set()


def test_where_they_look_for_few_the_deepest_field_is_the_rarest() -> None:
    plan = Plan(rules({"A": "x", "b.c": "y"}))
    assert at(plan) == {"b.c": 0}


def test_a_sample_shows_what_is_rare_after_all() -> None:
    some = rules(*NAMES, {"name": "login", "error.text": "denied"})
    sample = [{"name": "login", "error": {"text": "denied" if n < 2 else "no"}} for n in range(90)]
    assert Plan(some).watches["name"].called("login") == (8,)
    plan = Plan(some, sample=sample)
    assert plan.watches["name"].called("login") == ()
    assert plan.watches["error.text"].called("denied") == (8,)
    assert plan.watches["name"].called("n1") == (1,)  # it is rare enough where it was


def test_a_field_whose_values_are_no_texts_is_no_place_to_wait() -> None:
    some = rules({"A": "x", "b.c|contains": "part"})
    sample = [{"A": ["x"], "b": {"c": "none"}} for _ in range(64)]
    assert set(Plan(some).watches) == {"A"}
    assert set(Plan(some, sample=sample).watches) == {"b.c"}


@pytest.mark.parametrize(
    ("atoms", "share"),
    [
        ([("A", "is", "x")], 0.75),  # twice, and a list that may hold it
        ([("A", "has", "xy")], 0.25),
        ([("A", "there", "")], 0.75),
        ([("B", "is", "true")], 0.25),
        ([("A", "is", "x"), ("B", "is", "true")], 1.0),
        ([("C", "is", "x")], 0.0),
    ],
)
def test_the_share_of_records_that_may_fulfil_a_clause(
    atoms: list[tuple[str, Any, str]], share: float
) -> None:
    clause: Clause = frozenset(Atom(*atom) for atom in atoms)
    sample: list[dict[str, Any]] = [
        {"A": "X"},
        {"A": "x", "B": True},
        {"A": ["axyz"]},
        {"A": None},
    ]
    assert Share(sample).of(clause) == pytest.approx(share)
    assert Share([]).of(clause) == 0


def test_rules_without_a_witness_are_called_up_by_all_records() -> None:
    plan = Plan(rules({"A": "x"}, condition="not s") + rules({"A": "x"}))
    assert plan.always == {0}
    assert plan.called({}) == {0}
    assert plan.called({"A": "X"}) == {0, 1}


@pytest.mark.parametrize("record", [{"A": "x", "B": "y"}, {"A": ["x", "x"]}, {"A": "X"}])
def test_a_rule_that_is_called_up_twice_is_one_candidate(record: dict[str, Any]) -> None:
    plan = Plan(rules([{"A": "x"}, {"B": "y"}]))
    assert [rule.detection.id for rule in plan.named(plan.called(record))] == ["r0"]


def test_the_source_is_a_rule_behind_all_others() -> None:
    plan = Plan(rules({"A": "x"}), {"service": frozenset({"ai"})})
    assert plan.called({"service": "AI"}) == {1}
    assert plan.named({0, 1}) == plan.named({0})
