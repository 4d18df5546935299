"""Feasibility: every entry stands on ATLAS, and the kinds of a system decide what can come."""

from collections import Counter

import pytest

from correlators.atlas import fold
from correlators.feasibility import on, table
from schemas.atlas import atlas
from schemas.entity import KINDS

RESOURCE_DEVELOPMENT, RECONNAISSANCE = "AML.TA0003", "AML.TA0002"
# Frequent in the cases, but nothing that telemetry of the system can show.
ELSEWHERE = {
    "AML.T0005",  # Create Proxy AI Model
    "AML.T0041",  # Physical Environment Access
    "AML.T0048",  # External Harms
    "AML.T0052",  # Phishing
    "AML.T0073",  # Impersonation
    "AML.T0088",  # Generate Deepfakes
}


def test_every_entry_is_a_technique_with_a_mitigation_that_exists() -> None:
    known = atlas()
    assert set(table()) <= {id_ for id_ in known.techniques if fold(id_) == id_}
    assert {needs.mitigation for needs in table().values()} <= set(known.mitigations)
    assert [id_ for id_, needs in table().items() if not (needs.all or needs.any)] == []


def test_nothing_that_happens_off_the_system_is_forecast() -> None:
    known = atlas()
    off = {RESOURCE_DEVELOPMENT, RECONNAISSANCE}
    assert [id_ for id_ in table() if set(known.techniques[id_].tactics) <= off] == []


def test_the_most_frequent_followers_on_a_system_are_covered() -> None:
    known = atlas()
    followers = Counter(fold(t) for case in known.sequences.values() for t in case[1:])
    off = {RESOURCE_DEVELOPMENT, RECONNAISSANCE}
    visible = [
        id_
        for id_, _ in followers.most_common()
        if not set(known.techniques[id_].tactics) <= off and id_ not in ELSEWHERE
    ]
    assert [id_ for id_ in visible[:35] if id_ not in table()] == []


@pytest.mark.parametrize(
    ("technique", "kinds", "possible"),
    [
        ("AML.T0086", {"tool"}, True),
        ("AML.T0086", {"agent", "model"}, False),
        ("AML.T0025", {"datastore"}, True),
        ("AML.T0025", {"model"}, True),
        ("AML.T0025", {"tool"}, False),
        ("AML.T0053", {"tool"}, True),
        ("AML.T0099", {"tool"}, False),
        ("AML.T0099", {"tool", "datastore"}, True),
        ("AML.T0048", set(KINDS), False),
        ("AML.T0065", set(KINDS), False),
    ],
)
def test_the_kinds_of_a_system_decide(technique: str, kinds: set[str], possible: bool) -> None:  # noqa: FBT001 - a case
    assert (on(kinds)(technique) is not None) is possible


def test_a_blocking_action_names_its_mitigation() -> None:
    feasible = on({"tool"})("AML.T0086")
    assert feasible is not None
    assert feasible.precondition == "the agent can call a tool that sends data out"
    assert feasible.blocking_action == (
        "block the tools that write outside while untrusted text is in the context"
        " (AML.M0030 Restrict AI Agent Tool Invocation on Untrusted Data)"
    )


def test_everything_is_possible_on_a_system_that_has_everything() -> None:
    assert [id_ for id_ in table() if on(KINDS)(id_) is None] == []
