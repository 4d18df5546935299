"""Judging: silence is never a pass, a fault is always one, and neither order nor copies matter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.judging import judge
from correlators.known import (
    ESTATE,
    Hits,
    Known,
    Linked,
    Looked,
    Opened,
    Reference,
    Shown,
    Thing,
    Weak,
)
from correlators.rating import rate
from correlators.standards import standards
from schemas.framework import Criterion
from schemas.times import DAY, HOUR

NOW = 1_000 * DAY
NOT = False  # waived
SHOP, BOT, IMAGE, MODEL = "application:shop", "agent:bot", "image:a", "model:m"
RULES = frozenset(
    {id_ for one in standards().criteria.values() for a in one.against for id_ in a.rules}
    | {id_ for one in standards().criteria.values() for a in one.against for id_ in a.alerts}
)


def seen(what: Any, id_: str, age: int, entity: str | None = None) -> Reference:  # noqa: ANN401 - a literal
    return Reference(what, id_, f"about {id_}", NOW - age, entity, ((f"e-{id_}", "00"),))


def criterion(**more: Any) -> Criterion:  # noqa: ANN401 - any field
    body: dict[str, Any] = {
        "id": "c",
        "title": "C holds",
        "rationale": "Because.",
        "against": [{"rules": ["bad"], "within": "7d"}],
        "needs": [{"observed": ["application"], "within": "2d"}],
    }
    return Criterion.model_validate(body | more)


def known(**more: Any) -> Known:  # noqa: ANN401 - any field
    """One system, declared ten days ago and heard an hour ago."""
    things = {
        SHOP: Thing(NOW - 10 * DAY, NOW - HOUR, seen("event", "work", HOUR, SHOP)),
        IMAGE: Thing(NOW - 10 * DAY, None),
    }
    body: dict[str, Any] = {
        "time": NOW,
        "rules": RULES | {"bad"},
        "systems": {SHOP: frozenset((SHOP, IMAGE))},
        "things": things,
    }
    return Known(**(body | more))


def status(one: Criterion, what: Known, scope: str = SHOP) -> str:
    return judge([one], what)[one.id, scope].status


def hits(age: int, *entities: str, rule: str = "bad") -> Hits:
    return Hits(rule, entities, "medium", 1, (seen("signal", "s1", age, entities[0]),))


def test_nothing_is_met_by_silence() -> None:
    silent = Known(NOW, RULES, {SHOP: frozenset((SHOP,))}, {SHOP: Thing(None, None)})
    for criteria in ((one,) for one in standards().criteria.values()):
        for judged in judge(criteria, silent).values():
            assert judged.status == "not_assessed", judged
            assert judged.missing
    nothing = judge(standards().criteria.values(), Known(NOW, RULES))
    assert {judged.status for judged in nothing.values()} == {"not_assessed"}


def test_what_was_heard_in_time_and_has_nothing_against_it_is_met() -> None:
    (here,) = judge([criterion()], known()).keys() - {("c", ESTATE)}
    judged = judge([criterion()], known())[here]
    assert (judged.status, judged.fresh_until) == ("pass", NOW - HOUR + 2 * DAY)
    assert [one.id for one in judged.heard] == ["work"]
    assert status(criterion(), known(), ESTATE) == "pass"


def test_what_was_heard_turns_stale() -> None:
    on_time, late = known(time=NOW - HOUR + 2 * DAY), known(time=NOW - HOUR + 2 * DAY + 1)
    assert status(criterion(), on_time) == "pass"
    judged = judge([criterion()], late)["c", SHOP]
    assert judged.status == "not_assessed"
    assert judged.missing == (
        "no application was at work within 2 d (last 1972-09-26T23:00:00.000000Z)",
    )


def test_a_fault_needs_nothing_else_and_counts_in_its_window() -> None:
    silent = {"things": {SHOP: Thing(None, None)}}
    inside = known(hits=(hits(7 * DAY, SHOP),), **silent)
    judged = judge([criterion()], inside)["c", SHOP]
    assert (judged.status, judged.fresh_until, judged.severity) == ("fail", NOW, "medium")
    assert [one.id for one in judged.against] == ["s1"]
    assert status(criterion(), known(hits=(hits(7 * DAY + 1, SHOP),))) == "pass"


def test_a_rule_that_does_not_run_could_not_have_said_anything() -> None:
    judged = judge([criterion()], known(rules=frozenset()))["c", SHOP]
    assert (judged.status, judged.missing) == ("not_assessed", ("bad does not run",))


def test_a_match_belongs_to_the_application_that_it_names_and_no_model_to_anybody() -> None:
    other = "application:other"
    shared = known(
        systems={
            SHOP: frozenset((SHOP, MODEL, "tool:t")),
            other: frozenset((other, MODEL, "tool:t")),
        },
        things={one: Thing(NOW, NOW) for one in (SHOP, other, MODEL, "tool:t")},
    )
    found = judge([criterion()], shared._replace(hits=(hits(HOUR, "tool:t", MODEL, other),)))
    assert {scope: one.status for (_, scope), one in found.items()} == {
        SHOP: "pass",
        other: "fail",
        ESTATE: "fail",
    }
    found = judge([criterion()], shared._replace(hits=(hits(HOUR, "principal:p", MODEL),)))
    assert [one.status for one in found.values()] == ["pass", "pass", "fail"]


WEAK = Weak("finding", IMAGE, "high", "vulnerability", NOT, 3, (seen("fact", "f1", DAY, IMAGE),))


@pytest.mark.parametrize(
    ("against", "counts"),
    [
        ({"facts": ["finding"]}, True),
        ({"facts": ["finding"], "severity": "high", "on": ["image"]}, True),
        ({"facts": ["finding"], "severity": "critical"}, False),
        ({"facts": ["finding"], "of": "check"}, False),
        ({"facts": ["finding"], "on": ["model"]}, False),
        ({"facts": ["embedded_secret"]}, False),
    ],
)
def test_open_facts_count_until_they_are_closed(against: dict[str, Any], *, counts: bool) -> None:
    one = criterion(against=[against])
    judged = judge([one], known(weak=(WEAK,)))["c", SHOP]
    assert (judged.status, judged.total) == (("fail", 3) if counts else ("pass", 0))
    assert judged.fresh_until == (None if counts else NOW - HOUR + 2 * DAY)
    assert status(one, known(weak=())) == "pass"  # mended
    assert status(one, known(weak=(WEAK._replace(waived=True),))) == "pass"


def alert(stage: Any, **more: Any) -> Opened:  # noqa: ANN401 - a literal, any field
    shown = seen("alert", "a1", HOUR, SHOP)
    opened = Opened("bad_story", stage, SHOP, "high", ("owasp.llm01",), NOW + DAY, shown)
    return opened._replace(**more)


def test_alerts_count_from_a_stage_on() -> None:
    one = criterion(against=[{"alerts": ["*"]}])
    assert status(one, known(alerts=(alert("outlook"),))) == "pass"
    judged = judge([one], known(alerts=(alert("watch"),)))["c", SHOP]
    assert (judged.status, judged.fresh_until, judged.severity) == ("fail", NOW + DAY, "high")
    elsewhere = known(alerts=(alert("warning", system="apikey:k"),))
    assert (status(one, elsewhere), status(one, elsewhere, ESTATE)) == ("pass", "fail")


def test_conditions_count_where_they_are_shown() -> None:
    one = criterion(against=[{"condition": "unguarded"}])
    shown = Shown("unguarded", SHOP, "high", seen("asset", SHOP, HOUR, SHOP))
    assert status(one, known(conditions=(shown,))) == "fail"
    assert status(one, known(conditions=(shown._replace(condition="shadow"),))) == "pass"


def test_each_thing_has_to_be_scanned() -> None:
    one = criterion(needs=[{"scanned": ["image"], "within": "7d"}])
    assert judge([one], known())["c", SHOP].missing == ("image:a was not scanned within 7 d",)
    scan = Looked(IMAGE, "trivy", seen("event", "scan", 6 * DAY, IMAGE))
    judged = judge([one], known(scans=(scan,)))["c", SHOP]
    assert (judged.status, judged.fresh_until) == ("pass", NOW + DAY)
    by = criterion(needs=[{"scanned": ["image"], "by": ["grype"], "within": "7d"}])
    assert status(by, known(scans=(scan,))) == "not_assessed"
    more = known(scans=(scan,))
    more = more._replace(
        things={**more.things, "image:b": Thing(NOW, None)},
        systems={SHOP: frozenset((SHOP, IMAGE, "image:b"))},
    )
    assert judge([one], more)["c", SHOP].missing == ("image:b was not scanned within 7 d",)


@pytest.mark.parametrize(
    ("need", "heard", "missing"),
    [
        (
            {"linked": "guarded_by"},
            {"links": (Linked("guarded_by", SHOP, seen("asset", "l", DAY, SHOP)),)},
            "no edge `guarded_by` was seen at work within 2 d",
        ),
        (
            {"content": True},
            {"content": {SHOP: seen("event", "p", DAY, SHOP)}},
            "no record brought a prompt or an answer within 2 d",
        ),
        (
            {"heard": ["cloudtrail", "gcp_audit"]},
            {"sources": {"cloudtrail": seen("event", "c", DAY)}},
            "nothing was heard of cloudtrail or gcp_audit within 2 d",
        ),
        (
            {"declared": ["image"]},
            {"things": {SHOP: Thing(None, NOW), IMAGE: Thing(NOW - DAY, None)}},
            "no image was declared within 2 d (last 1972-09-17T00:00:00.000000Z)",
        ),
    ],
)
def test_what_has_to_be_heard(need: dict[str, Any], heard: dict[str, Any], missing: str) -> None:
    one = criterion(needs=[need | {"within": "2d"}])
    judged = judge([one], known())["c", SHOP]
    assert (judged.status, judged.missing) == ("not_assessed", (missing,))
    judged = judge([one], known(**heard))["c", SHOP]
    assert (judged.status, judged.fresh_until) == ("pass", NOW + DAY)


def test_signals_are_awaited_of_each_thing_that_it_is_about() -> None:
    one = criterion(
        subject=["image"],
        needs=[{"signalled": ["good"], "within": "2d"}],
        against=[{"facts": ["x"]}],
    )
    assert judge([one], known())["c", SHOP].missing == ("image:a was not heard within 2 d",)
    good = hits(HOUR, IMAGE, rule="good")
    assert status(one, known(hits=(good,))) == "pass"


def test_without_its_subject_it_says_nothing_if_somebody_says_what_there_is() -> None:
    one = criterion(subject=["mcp_server"])
    judged = judge([one], known())["c", SHOP]
    assert (judged.status, judged.fresh_until) == ("not_applicable", NOW + 80 * DAY)
    assert status(one, known(), ESTATE) == "not_applicable"
    undeclared = known(things={SHOP: Thing(None, NOW)})
    assert judge([one], undeclared)["c", SHOP].missing == (
        "no mcp_server is known, and nothing has declared for 90 d what there is",
    )


def test_the_estate_is_as_well_seen_as_its_least_seen_system() -> None:
    other = "application:other"
    two = known(
        systems={SHOP: frozenset((SHOP,)), other: frozenset((other,))},
        things={SHOP: Thing(NOW, NOW), other: Thing(NOW, NOW - 3 * DAY)},
    )
    judged = judge([criterion()], two)["c", ESTATE]
    assert judged.status == "not_assessed"
    assert judged.missing[0].startswith("application:other: no application was at work within 2 d")


def test_of_one_signal_on_several_things_the_same_are_named_first_in_any_order() -> None:
    names = [f"agent:{n}" for n in range(9)]
    for order in (names, names[::-1]):
        rows = tuple(hits(HOUR, name) for name in order)
        judged = judge([criterion()], known(hits=rows))["c", ESTATE]
        assert [reference.entity for reference in judged.against] == names[::-1]


ages = st.integers(0, 40).map(lambda days: days * DAY)
things = st.sampled_from([SHOP, BOT, IMAGE, MODEL, "mcp_server:m", "workload:w", "model:sha256:1"])
facts = {
    "hits": st.lists(
        st.builds(
            lambda age, entity, rule: hits(age, entity, rule=rule),
            ages,
            things,
            st.sampled_from(sorted(RULES)),
        )
    ),
    "scans": st.lists(
        st.builds(
            lambda e, age: Looked(e, "trivy", seen("event", f"{e}{age}", age, e)), things, ages
        )
    ),
    "links": st.lists(
        st.builds(lambda e, age: Linked("guarded_by", e, seen("asset", e, age, e)), things, ages)
    ),
    "weak": st.lists(
        st.builds(
            lambda e, name: Weak(name, e, "high", "check", NOT, 1, (seen("fact", e, DAY, e),)),
            things,
            st.sampled_from(["finding", "embedded_secret", "exploitable_vulnerability"]),
        )
    ),
}


@given(st.fixed_dictionaries(facts), st.randoms(use_true_random=False))
def test_order_says_nothing(some: dict[str, list[Any]], random: Any) -> None:  # noqa: ANN401 - hypothesis
    def answered(order: dict[str, list[Any]]) -> list[Any]:
        told = known(
            systems={SHOP: frozenset((SHOP, BOT, IMAGE, MODEL)), BOT: frozenset((BOT, IMAGE))},
            **{name: tuple(rows) for name, rows in order.items()},
        )
        criteria = standards().criteria
        judged = judge(criteria.values(), told)
        rated = rate(standards().frameworks.values(), criteria, judged, told)
        return [
            (
                one.control.ref,
                one.scope,
                one.status,
                one.fresh_until,
                one.severity,
                one.total,
                one.reason,
            )
            for one in rated
        ]

    first = answered(some)
    for rows in some.values():
        random.shuffle(rows)
    assert answered(some) == first
