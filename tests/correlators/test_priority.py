"""Priority: a draft becomes a body whose ledger adds up, alone and in company."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.alerting import Draft
from correlators.ledger import Case, ledger
from correlators.priority import complete
from correlators.score import priority, totals
from correlators.standing import Standing, Strand
from correlators.surroundings import Surroundings
from schemas.alert import Alert, Term
from schemas.canonical import body_sha256
from schemas.rows import Result
from schemas.times import HOUR
from tests.correlators.stage import ZERO
from tests.correlators.stories import story

STORY = story(
    {"use": {"class": "runtime"}, "weak": {"class": "posture", "fact": "exposed", "on": "agent"}},
    actions=[
        {"text": "Close it", "control": "AML.M0005", "removes": ["weak"]},
        {"text": "Stop it", "removes": ["use"]},
    ],
)
STORIES = {STORY.id: STORY}


def strand(
    family: str = "f", leg: str = "use", class_: str = "runtime", confidence: int = 700
) -> Strand:
    evidence = tuple((f"event-{family}-{n}", ZERO) for n in range(30))
    return Strand(family, class_, leg, "Title", "high", confidence, 0, evidence)


USE, WEAK = strand(), strand("g", "weak", "posture", 900)


def draft(*strands: Strand, at: int = 0, likely: bool = False, **around: Any) -> Result:  # noqa: ANN401
    standing = Standing("watch", ("use",), strands, walked=False, complete=False)
    scored = Draft(at, standing, Surroundings(**around), likely)
    body = {
        "id": "a",
        "convergence": "story",
        "title": "Story",
        "draft": msgspec.json.encode(scored).decode(),
    }
    return Result("alert", "a", 5, "settled", body)


def completed(*results: Result) -> list[dict[str, Any]]:
    return [result.body for result in complete(list(results), STORIES)]


def test_a_draft_becomes_a_body() -> None:
    (result,) = complete([draft(USE, WEAK)], STORIES)
    assert (result.kind, result.id, result.time, result.state) == ("alert", "a", 5, "settled")
    body = result.body
    assert "draft" not in body
    assert (body["id"], body["title"]) == ("a", "Story")
    assert body["body_sha256"] == body_sha256(body)
    assert body["confidence"] == 0.97
    assert [(term["term"], term["points"]) for term in body["why"]] == [
        ("base", -2200),
        ("use/f", 1120),
        ("weak/g", 864),
        ("corroboration/f", 364),
    ]
    assert body["priority"] == 54
    for term in body["why"]:
        Term.model_validate(term)
    assert set(body) - {"id", "convergence", "title"} <= set(Alert.model_fields)


def test_actions_say_what_they_would_take_away_the_most_first() -> None:
    (body,) = completed(draft(USE, WEAK))
    assert body["actions"] == [
        {"text": "Stop it", "effect": "priority 54 -> 21"},
        {"text": "Close it", "effect": "priority 54 -> 25", "control": "AML.M0005"},
    ]


def test_a_term_names_the_first_of_its_evidence() -> None:
    (body,) = completed(draft(USE))
    base, use = body["why"]
    assert base["evidence"] == []
    assert [pair["event"] for pair in use["evidence"]] == [f"event-f-{n}" for n in range(20)]


def test_what_a_system_is_like_counts() -> None:
    (body,) = completed(draft(USE, exposure="internet", data=("personal",), criticality="high"))
    terms = {term["term"] for term in body["why"]}
    assert {"exposure/internet", "data/personal", "criticality/high"} <= terms


def test_confidence_counts_a_family_once() -> None:
    (body,) = completed(draft(USE, strand(leg="weak")))
    assert body["confidence"] == 0.7


def test_what_is_no_alert_is_left_alone_and_order_is_kept() -> None:
    other = Result("forecast", "f", 1, "final", {"id": "f"})
    results = complete([other, draft(USE), other, draft(WEAK)], STORIES)
    assert [result.kind for result in results] == ["forecast", "alert", "forecast", "alert"]
    assert results[0] is other
    assert complete([other], STORIES) == [other]


strands = st.lists(
    st.builds(
        strand,
        st.sampled_from("fgh"),
        st.sampled_from(["use", "weak"]),
        st.sampled_from(["runtime", "posture", "change", "intel"]),
        st.integers(0, 1000),
    ),
    max_size=5,
)
drafts = st.builds(
    lambda some, at, likely, exposure: draft(*some, at=at, likely=likely, exposure=exposure),
    strands,
    st.integers(0, 900 * HOUR),
    st.booleans(),
    st.sampled_from([None, "internet", "internal"]),
)


@given(some=st.lists(drafts, min_size=1, max_size=3))
def test_the_ledger_adds_up_and_company_changes_nothing(some: list[Result]) -> None:
    for result, body in zip(some, completed(*some), strict=True):
        total = sum(term["points"] for term in body["why"])
        assert body["priority"] == priority(total)
        for term in body["why"]:
            assert abs(term["points"]) == int(
                abs(term["weight"]) * round(term["value"] * 10**6)
            ) // (10**6)
        assert completed(result) == [body]


@given(some=strands)
def test_a_duplicate_changes_nothing(some: list[Strand]) -> None:
    once, twice = completed(draft(*some), draft(*some, *some))
    assert once["priority"] == twice["priority"]
    assert [term["points"] for term in once["why"]] == [term["points"] for term in twice["why"]]


@pytest.mark.parametrize("strands", [(), (USE,), (USE, WEAK)])
def test_a_priority_is_that_of_the_ledger_alone(strands: tuple[Strand, ...]) -> None:
    (body,) = completed(draft(*strands))
    assert body["priority"] == totals(ledger([Case(0, strands)]))["priority"][0]
