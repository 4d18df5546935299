"""The ledger: which strands and circumstances become terms, and what a change would take away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.ledger import Case, Change, builtin, counterfactual, ledger, value
from correlators.score import priority, totals
from correlators.standing import Strand
from schemas.event import LEVELS
from schemas.times import DAY, HOUR


def strand(
    class_: str = "runtime",
    family: str = "",
    severity: str = "high",
    confidence: int = 700,
    at: int = 0,
) -> Strand:
    return Strand(family or class_, class_, class_, "A title", severity, confidence, at, ())


RUNTIME = strand()
CHANGE = strand("change")
POSTURE = strand("posture", confidence=900)
THREE = (RUNTIME, CHANGE, POSTURE)
SENSITIVE = Case(0, THREE, exposure="internet", data=("personal",))

strands = st.builds(
    strand,
    class_=st.sampled_from(["runtime", "change", "posture", "intel"]),
    family=st.sampled_from("abcd"),
    severity=st.sampled_from(LEVELS),
    confidence=st.integers(0, 1000),
    at=st.integers(-9 * DAY, 0),
)
cases = st.builds(
    Case,
    at=st.just(0),
    strands=st.lists(strands, max_size=6),
    walked=st.booleans(),
    likely=st.booleans(),
    exposure=st.sampled_from([None, "internet", "internal"]),
    data=st.lists(st.sampled_from(["personal", "payment", "confidential", "other"])),
    criticality=st.sampled_from([None, "high", "critical"]),
)


def total(case: Case) -> int:
    ((_, found, _),) = totals(ledger([case])).iter_rows()
    return int(found)


def terms(case: Case) -> dict[str, int]:
    rows = ledger([case])
    return dict(zip(rows["term"], rows["points"], strict=True))


@pytest.mark.parametrize(
    ("case", "least", "most"),
    [
        (Case(0, ()), 10, 10),
        (Case(0, [POSTURE]), 15, 25),
        (Case(0, [strand("posture", confidence=600)]), 15, 25),
        (Case(0, [RUNTIME]), 20, 35),
        (Case(0, [strand(severity="critical", confidence=1000)]), 36, 49),
        (Case(0, [RUNTIME, CHANGE]), 45, 60),
        (Case(0, [RUNTIME, POSTURE]), 45, 60),
        (Case(0, [CHANGE, POSTURE]), 45, 60),
        (Case(0, [RUNTIME, strand(family="other")]), 45, 60),
        (SENSITIVE, 85, 95),
    ],
)
def test_priorities_are_what_the_weights_were_set_for(case: Case, least: int, most: int) -> None:
    assert least <= priority(total(case)) <= most


def test_a_ledger_names_every_term_and_adds_up() -> None:
    case = SENSITIVE._replace(walked=True, likely=True, criticality="high")
    rows = ledger([case])
    assert list(zip(rows["term"], rows["points"], rows["strand"], strict=True)) == [
        ("base", -2200, None),
        ("runtime/runtime", 1120, 0),
        ("change/change", 896, 1),
        ("posture/posture", 864, 2),
        ("corroboration/change", 364, 1),
        ("corroboration/runtime", 364, 0),
        ("data/personal", 432, 2),
        ("exposure/internet", 432, 2),
        ("walked", 360, 2),
        ("likely", 216, 2),
        ("criticality/high", 144, 2),
    ]
    assert total(case) == sum(rows["points"]) == 2992


def test_the_strongest_family_corroborates_nothing() -> None:
    assert [term for term in terms(Case(0, [RUNTIME])) if "corroboration" in term] == []
    assert [term for term in terms(Case(0, THREE)) if "corroboration" in term] == [
        "corroboration/change",
        "corroboration/runtime",
    ]


def test_of_several_labels_the_heaviest_counts_and_an_unknown_one_adds_nothing() -> None:
    labels = terms(
        Case(0, [RUNTIME], data=("confidential", "payment", "other"), exposure="internal")
    )
    assert labels == {"base": -2200, "runtime/runtime": 1120, "data/payment": 336}


def test_old_evidence_fades_by_its_class_and_posture_does_not() -> None:
    case = Case(24 * HOUR, THREE)
    assert terms(case)["runtime/runtime"] == 560
    assert terms(case)["change/change"] == 896 * 5 // 6
    assert terms(case)["posture/posture"] == 864


@given(cases)
def test_a_duplicate_changes_nothing(case: Case) -> None:
    assert total(case._replace(strands=[*case.strands, *case.strands])) == total(case)


@given(cases, st.data())
def test_the_order_of_the_strands_changes_nothing(case: Case, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(case.strands))
    assert total(case._replace(strands=shuffled)) == total(case)


@given(cases, st.data())
def test_stronger_evidence_never_lowers_the_total(case: Case, data: st.DataObject) -> None:
    if not case.strands:
        return
    n = data.draw(st.integers(0, len(case.strands) - 1))
    old = case.strands[n]
    new = strand(
        old.class_,
        old.family,
        data.draw(st.sampled_from(LEVELS[LEVELS.index(old.severity) :])),
        data.draw(st.integers(old.confidence, 1000)),
        data.draw(st.integers(old.at, 0)),
    )
    stronger = [*case.strands[:n], new, *case.strands[n + 1 :]]
    assert total(case._replace(strands=stronger)) >= total(case)


@given(cases)
def test_faded_evidence_leaves_the_base_whatever_the_system_is_like(case: Case) -> None:
    old = [s for s in case.strands if s.class_ != "posture"]
    assert total(case._replace(at=999 * DAY, strands=old)) == builtin().base.weight


@given(cases)
def test_a_case_is_worth_the_same_alone_and_in_company(case: Case) -> None:
    together = totals(ledger([SENSITIVE, case, SENSITIVE]))
    assert together["total"].to_list() == [total(SENSITIVE), total(case), total(SENSITIVE)]


@given(st.integers(1, 5000), st.data())
def test_a_value_gives_its_points_back(weight: int, data: st.DataObject) -> None:
    points = data.draw(st.integers(0, weight))
    assert weight * round(value(points, weight) * 1_000_000) // 1_000_000 == points


def test_the_change_that_lowers_the_total_most_comes_first() -> None:
    (reliefs,) = counterfactual([SENSITIVE])
    assert [(r.change.name, r.total, r.priority) for r in reliefs] == [
        ("runtime", 788, 69),
        ("posture", 852, 70),
        ("change", 1012, 73),
        ("exposure", 1840, 86),
    ]


def test_equal_changes_are_ordered_by_size_and_name() -> None:
    asked = [
        Change("z", frozenset({"runtime"})),
        Change("b", frozenset({"runtime", "nothing"})),
        Change("a", frozenset({"runtime"})),
    ]
    assert [r.change.name for r in counterfactual([SENSITIVE], [asked])[0]] == ["a", "z", "b"]


def test_a_story_with_a_leg_removed_was_not_walked() -> None:
    walked = SENSITIVE._replace(walked=True)
    ((relief,),) = counterfactual([walked], [[Change("x", frozenset({"change"}))]])
    assert relief.total == total(SENSITIVE._replace(strands=(RUNTIME, POSTURE)))


def test_nothing_to_ask_has_no_answer() -> None:
    assert counterfactual([]) == ()
    assert counterfactual([Case(0, ())]) == ((),)


@given(st.lists(cases, max_size=3))
def test_no_removal_raises_a_total(some: list[Case]) -> None:
    for case, reliefs in zip(some, counterfactual(some), strict=True):
        assert all(relief.total <= total(case) for relief in reliefs)


def test_all_levels_have_a_severity() -> None:
    assert list(builtin().severities) == list(LEVELS)
    assert sorted(builtin().severities.values()) == list(builtin().severities.values())
