"""Gating: what fails a check, what a waiver and a baseline change, and what they do not."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.gating import Verdict, counted, judge
from correlators.known import Hits, Known, Looked, Opened, Reference, Shown, Thing, Weak
from correlators.violations import (
    Answered,
    Estate,
    Unreadable,
    Violation,
    Weakness,
    steady,
    violations,
)
from schemas.policy import Check, Policy
from schemas.times import DAY

NOW, TODAY = 1_000 * DAY, date(2026, 3, 4)
IMAGE, OTHER, SHOP = "image:a", "image:b", "application:shop"


def seen(what: Any, id_: str, entity: str | None = None, age: int = DAY) -> Reference:  # noqa: ANN401 - a literal
    return Reference(what, id_, f"about {id_}", NOW - age, entity, ((f"e-{id_}", "00"),))


def weakness(name: str, severity: Any, entity: str = IMAGE, **more: Any) -> Weakness:  # noqa: ANN401 - a literal, any field
    found = Weakness(
        *(entity, name, severity, f"Title of {name}", ("lib",), (), False, None),
        seen("fact", name, entity),
    )
    return found._replace(**more)


ESTATE = Estate(
    Known(
        NOW,
        rules=frozenset({"bad", "story"}),
        things={
            IMAGE: Thing(NOW, None),
            OTHER: Thing(NOW, None),
            SHOP: Thing(NOW, NOW, seen("event", "work", SHOP)),
            "model:x/1": Thing(None, NOW, seen("event", "x", "model:x/1"), ("model:arn-of-x",)),
            "model:y/1": Thing(None, NOW, seen("event", "y", "model:y/1")),
        },
        hits=(
            Hits("bad", (SHOP,), "medium", 3, (seen("signal", "s1", SHOP),)),
            Hits("bad", (IMAGE,), "medium", 1, (seen("signal", "s2", IMAGE, 9 * DAY),)),
        ),
        alerts=(
            Opened("story", "watch", SHOP, "critical", (), None, seen("alert", "a1", SHOP)),
            Opened("story", "outlook", IMAGE, "high", (), None, seen("alert", "a2", IMAGE)),
        ),
        weak=(
            Weak(
                *("embedded_secret", IMAGE, "medium", "", False, 3),
                (seen("fact", "f1", IMAGE), seen("fact", "f2", IMAGE)),
            ),
        ),
        conditions=(Shown("shadow", "model:y/1", "medium", seen("asset", "y", "model:y/1")),),
        scans=(Looked(IMAGE, "trivy", seen("event", "scan", IMAGE)),),
    ),
    (
        weakness("CVE-1", "critical", exploited=True, epss=0.9, fixed=("2.0",)),
        weakness("CVE-2", "high", epss=0.05),
        weakness("CVE-3", "low", OTHER, fixed=("1.1", "1.2")),
    ),
    (
        Answered("kept", "estate", "fail", "high", "one of its systems"),
        Answered("kept", SHOP, "fail", "high", "it was not", (seen("fact", "f3", SHOP),)),
        Answered("heard", "estate", "not_assessed", None, "nobody spoke"),
        Answered("met", "estate", "pass", None, "all is well"),
    ),
)


def check(**said: Any) -> Check:  # noqa: ANN401 - any field
    return Check.model_validate({"id": "c", "title": "C holds"} | said)


def policy(*checks: dict[str, Any], **more: Any) -> Policy:  # noqa: ANN401 - any field
    named = [{"id": f"c{n}", "title": "It holds"} | one for n, one in enumerate(checks)]
    return Policy.model_validate({"id": "p", "title": "P", "checks": named} | more)


def short(found: list[Violation]) -> list[tuple[str, str, str, int]]:
    return [(one.entity, one.about, one.severity, one.total) for one in found]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"weaknesses": {}}, ["CVE-1", "CVE-2", "CVE-3"]),
        ({"weaknesses": {"severity": "high"}}, ["CVE-1", "CVE-2"]),
        ({"weaknesses": {"fixable": True}}, ["CVE-1", "CVE-3"]),
        ({"weaknesses": {"exploited": True}}, ["CVE-1"]),
        ({"weaknesses": {"likely": 0.05}}, ["CVE-1", "CVE-2"]),
        ({"weaknesses": {"likely": 0.06}}, ["CVE-1"]),
        ({"weaknesses": {"on": ["image:b"]}}, ["CVE-3"]),
        ({"weaknesses": {"severity": "medium", "on": ["image:b"]}}, []),
        ({"weaknesses": {"severity": "critical", "on": ["model"]}}, []),
    ],
)
def test_weaknesses_that_fit_all_that_is_said(said: dict[str, Any], expected: list[str]) -> None:
    assert [one.about for one in violations(check(**said), ESTATE)] == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"against": {"rules": ["bad"]}}, [(SHOP, "bad", "medium", 3)]),  # the other is too old
        ({"against": {"alerts": ["*"]}}, [(SHOP, "story", "critical", 1)]),
        (
            {"against": {"alerts": ["story"], "stage": "outlook"}},
            [(SHOP, "story", "critical", 1), (IMAGE, "story", "high", 1)],
        ),
        (  # each fact that is named, and those that are not
            {"against": {"facts": ["embedded_secret"]}},
            [(IMAGE, "embedded_secret", "medium", 1)] * 3,
        ),
        ({"against": {"condition": "shadow"}}, [("model:y/1", "shadow", "medium", 1)]),
        ({"against": {"condition": "ownerless"}}, []),
        (
            {"allow": {"of": ["model"], "only": ["model:x/*"]}},
            [("model:y/1", "allow", "medium", 1)],
        ),
        (
            {"allow": {"of": ["model"], "only": ["model:arn-*"]}},  # by another name of it
            [("model:y/1", "allow", "medium", 1)],
        ),
        ({"allow": {"of": ["model"], "only": ["model"]}}, []),
        (
            {"allow": {"of": ["model", "image"], "only": []}, "severity": "low"},
            [(e, "allow", "low", 1) for e in (IMAGE, OTHER, "model:x/1", "model:y/1")],
        ),
        ({"criteria": ["kept"]}, [(SHOP, "kept", "high", 1)]),  # said of the system that has it
        ({"criteria": ["met"]}, []),
        ({"criteria": ["heard"]}, [("estate", "heard", "high", 1)]),
        ({"criteria": ["heard"], "unassessed": "pass"}, []),
        ({"criteria": ["unknown"]}, [("estate", "unknown", "high", 1)]),
        (  # nothing is there, but nobody looked at the other image
            {
                "weaknesses": {"exploited": True, "on": ["image:b"]},
                "needs": [{"scanned": ["image"], "within": "7d"}],
            },
            [("estate", "unheard", "high", 1)],
        ),
    ],
)
def test_what_stands_against_a_check(
    said: dict[str, Any], expected: list[tuple[str, str, str, int]]
) -> None:
    assert short(list(violations(check(**said), ESTATE))) == expected


def test_what_cannot_be_read_fails_a_gate_that_allows_none() -> None:
    lost = Unreadable("a.json", "truncated", "it ends", 3, seen("event", "r1"))
    estate = ESTATE._replace(unreadable=(lost,))
    verdict = judge(policy({"criteria": ["met"]}), estate, TODAY)
    assert [(one.check, one.passed) for one in verdict.results] == [
        ("readable", False),
        ("c0", True),
    ]
    assert short(list(verdict.results[0].violations)) == [("a.json", "truncated", "high", 3)]
    assert judge(policy({"criteria": ["met"]}, rejects=3), estate, TODAY).passed
    assert not judge(policy({"criteria": ["met"]}, rejects=2), estate, TODAY).passed


def waived(until: str, day: date = TODAY, **about: Any) -> Verdict:  # noqa: ANN401 - any field
    waiver = {"check": "c0", "reason": "not reachable", "until": until} | about
    return judge(policy({"weaknesses": {}}, waivers=[waiver]), ESTATE, day)


def test_a_waiver_holds_to_the_end_of_its_day_and_for_what_it_names() -> None:
    verdict = waived("2026-03-04", about=["CVE-[12]"])
    assert counted(verdict) == {"new": 1, "known": 0, "waived": 2}
    assert [one.violation.about for one in verdict.results[1].waived] == ["CVE-1", "CVE-2"]
    assert (verdict.expired, verdict.idle) == ((), ())
    assert counted(waived("2026-03-04", on=["image:b"]))["waived"] == 1
    assert counted(waived("2026-03-04", on=["image:b"], about=["CVE-1"]))["waived"] == 0
    assert waived("2026-03-04").passed  # of the check as a whole


def test_a_waiver_whose_day_has_passed_counts_no_more_and_is_told() -> None:
    verdict = waived("2026-03-03", about=["CVE-1"])
    assert counted(verdict) == {"new": 3, "known": 0, "waived": 0}
    assert [(one.reason, count) for one, count in verdict.expired] == [("not reachable", 1)]
    idle = waived("2026-03-03", about=["CVE-9"])
    assert ([one.about for one in idle.idle], idle.expired) == ([("CVE-9",)], ())


def test_only_what_a_baseline_does_not_know_fails() -> None:
    strict = policy({"weaknesses": {}})
    first = judge(strict, ESTATE, TODAY)
    known = {one.fingerprint("p") for one in first.results[1].violations[:2]}
    second = judge(strict, ESTATE, TODAY, {*known, "gone"})
    assert counted(second) == {"new": 1, "known": 2, "waived": 0}
    assert [one.about for one in second.results[1].violations] == ["CVE-3"]
    assert second.mended == {"gone"}
    assert not second.passed
    everything = {one.fingerprint("p") for one in first.results[1].violations}
    assert judge(strict, ESTATE, TODAY, everything).passed


def test_a_fingerprint_knows_no_time_and_no_wording() -> None:
    (one, *_) = violations(check(weaknesses={}), ESTATE)
    same = one._replace(text="other", severity="low", shown=(), total=9, entity="image:c")
    assert same.fingerprint("p") == one.fingerprint("p")
    for other in (
        one._replace(check="d"),
        one._replace(steady=OTHER),
        one._replace(about="CVE-9"),
        one._replace(detail="x"),
    ):
        assert other.fingerprint("p") != one.fingerprint("p")
    assert one.fingerprint("q") != one.fingerprint("p")


@given(st.integers(0, 2**32))
def test_the_order_of_what_is_known_changes_nothing(seed: int) -> None:
    random = Random(seed)
    weaknesses = list(ESTATE.weaknesses)
    random.shuffle(weaknesses)
    answers = list(ESTATE.answers)
    random.shuffle(answers)
    mixed = ESTATE._replace(weaknesses=tuple(weaknesses), answers=tuple(answers))
    everything = policy({"weaknesses": {}}, {"criteria": ["kept", "heard"]})
    want = judge(everything, ESTATE, TODAY).results
    assert judge(everything, mixed, TODAY).results == want


def test_the_gravest_comes_first() -> None:
    verdict = judge(policy({"weaknesses": {}}), ESTATE, TODAY)
    assert [one.severity for one in verdict.results[1].violations] == ["critical", "high", "low"]


@pytest.mark.parametrize(
    ("entity", "labels", "expected"),
    [
        ("image:sha256:aa", (), "image:sha256:aa"),
        ("image:sha256:aa", ("sha256:aa", "hub.example/shop@sha256:aa"), "image:hub.example/shop"),
        ("image:hub.example:5000/shop:1.2", (), "image:hub.example:5000/shop"),
        ("image:shop:latest", ("shop",), "image:shop"),
        ("model:sha256:aa", ("m",), "model:sha256:aa"),
    ],
)
def test_an_image_has_one_name_from_build_to_build(
    entity: str, labels: tuple[str, ...], expected: str
) -> None:
    assert steady(entity, labels) == expected


def test_a_baseline_knows_the_next_build_of_an_image() -> None:
    def built(digest: str) -> Estate:
        image, label = f"image:sha256:{digest}", f"hub.example/shop@sha256:{digest}"
        return Estate(Known(NOW), (weakness("CVE-1", "high", image),), labels={image: (label,)})

    strict = policy(
        {"weaknesses": {"on": ["image:*/shop"]}},
        waivers=[{"check": "c0", "on": ["image:*/other"], "reason": "so", "until": "2026-03-04"}],
    )
    (first,) = judge(strict, built("aa"), TODAY).results[1].violations
    assert first.entity == "image:sha256:aa"
    assert judge(strict, built("bb"), TODAY, {first.fingerprint("p")}).passed


def test_a_check_counts_its_places_and_a_vulnerability_does_not() -> None:
    first = weakness("rule", "high", places=("a.py",))
    second = weakness("rule", "high", places=("b.py",), number=2)
    asked = policy({"weaknesses": {}})
    (known,) = judge(asked, Estate(Known(NOW), (first,)), TODAY).results[1].violations
    assert known.text == "Title of rule (in lib; at a.py)"
    both = Estate(Known(NOW), (first, second))
    found = judge(asked, both, TODAY, {known.fingerprint("p")}).results[1]
    assert [one.text for one in found.violations] == ["Title of rule (in lib; at b.py)"]
    assert found.known == (known,)


def test_a_criterion_that_fails_is_news_where_it_was_not_assessed() -> None:
    def answered(status: Any) -> Estate:  # noqa: ANN401 - a literal
        return Estate(Known(NOW), answers=(Answered("kept", SHOP, status, None, "so"),))

    asked = policy({"criteria": ["kept"]})
    (silent,) = judge(asked, answered("not_assessed"), TODAY).results[1].violations
    baseline = {silent.fingerprint("p")}
    assert judge(asked, answered("not_assessed"), TODAY, baseline).passed
    assert not judge(asked, answered("fail"), TODAY, baseline).passed


def test_no_baseline_knows_what_nobody_looked_at() -> None:
    lost = Unreadable("a.json", "truncated", "it ends", 3, seen("event", "r1"))
    need = {"scanned": ["image"], "within": "7d"}
    asked = policy({"weaknesses": {"exploited": True, "on": ["image:b"]}, "needs": [need]})
    estate = ESTATE._replace(unreadable=(lost,))
    found = [one for it in judge(asked, estate, TODAY).results for one in it.violations]
    assert [one.about for one in found] == ["truncated", "unheard"]
    again = judge(asked, estate, TODAY, {one.fingerprint("p") for one in found})
    assert [one for it in again.results for one in it.violations] == found


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"weaknesses": {"on": ["image:a", "image:c"]}}, ("image:c",)),
        ({"weaknesses": {}}, ()),
        ({"against": {"facts": ["embedded_secret"], "on": ["image:*", "repo"]}}, ("repo",)),
        ({"allow": {"of": ["model:x/*", "model:z/*"], "only": ["model"]}}, ("model:z/*",)),
    ],
)
def test_patterns_that_name_nothing(said: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert judge(policy(said), ESTATE, TODAY).results[1].unmatched == expected
