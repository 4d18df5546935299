"""Inventory: which AI systems an entity belongs to, by directed lineage from a declared root."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from correlators.inventory import DEPTH, Inventory
from schemas.rows import Output, Row
from tests.correlators.stage import Stage, bodies, rows_of, whole

APP, OTHER = "application:chat", "application:search"
END = 1_000


def link(
    time: int, from_: str, to: str, *, declared: bool = False, opens: bool = True, by: str = "uses"
) -> Row:
    body = {"from": from_, "relation": by, "to": to, "declared": declared, "open": opens}
    id_ = f"link|{time}|{from_}|{by}|{to}|{opens}|{declared}"
    return Row("inventory", 0, "estate", time, id_, "link", body)


def members(outputs: list[Output]) -> dict[str, dict[str, Any]]:
    """By entity the newest membership: system -> path as text."""
    return {
        row.key: {
            system: " ".join(to for _, _, to in path)
            for system, path in row.body["systems"].items()
        }
        for row in sorted(rows_of(outputs), key=lambda row: row.time)
    }


def test_members_are_what_directed_lineage_reaches_from_a_declared_root() -> None:
    rows = [
        link(1, APP, "agent:a", declared=True),
        link(1, "agent:a", "model:m"),
        link(1, "principal:ann", "agent:a"),  # against the direction
        link(1, "model:x", "dataset:d"),  # from nowhere
    ]
    outputs = whole(Inventory(), rows, END)
    assert members(outputs) == {
        APP: {APP: ""},
        "agent:a": {APP: "agent:a"},
        "model:m": {APP: "agent:a model:m"},
    }
    assert bodies(outputs, "system") == [
        {"id": APP, "name": "chat", "root": APP, "members": ["agent:a", APP, "model:m"]}
    ]


def test_a_membership_row_says_the_path_by_edges() -> None:
    rows = [link(1, APP, "agent:a", declared=True), link(1, "agent:a", "model:m", by="calls")]
    row = next(row for row in rows_of(whole(Inventory(), rows, END)) if row.key == "model:m")
    assert (row.topic, row.kind, row.time) == ("membership", "member", 1)
    assert row.body["systems"] == {APP: [[APP, "uses", "agent:a"], ["agent:a", "calls", "model:m"]]}


def test_what_nobody_declared_is_no_system() -> None:
    observed = [link(1, APP, "agent:a"), link(1, "agent:b", "model:m", declared=True)]
    assert whole(Inventory(), observed, END)[:-1] == []


def test_a_root_may_be_declared_later() -> None:
    rows = [link(1, APP, "agent:a"), link(5, APP, "agent:a", declared=True)]
    told = rows_of(whole(Inventory(), rows, END))
    assert {(row.key, row.time) for row in told} == {(APP, 5), ("agent:a", 5)}


def test_the_shortest_path_counts_then_the_first_by_name() -> None:
    rows = [
        link(1, APP, "agent:a", declared=True),
        link(1, "agent:a", "tool:t"),
        link(1, "tool:t", "datastore:d"),
        link(1, "agent:a", "mcp_server:s"),
        link(1, "mcp_server:s", "datastore:d"),
    ]
    reached = members(whole(Inventory(), rows, END))
    assert reached["datastore:d"] == {APP: "agent:a mcp_server:s datastore:d"}
    shorter = [*rows, link(5, APP, "datastore:d")]
    assert members(whole(Inventory(), shorter, END))["datastore:d"] == {APP: "datastore:d"}


def test_a_closed_edge_takes_its_members_away() -> None:
    rows = [
        link(1, APP, "agent:a", declared=True),
        link(1, "agent:a", "model:m"),
        link(5, "agent:a", "model:m", opens=False),
    ]
    outputs = whole(Inventory(), rows, END)
    gone = [row for row in rows_of(outputs) if row.time == 5]
    assert [(row.key, row.body["systems"]) for row in gone] == [("model:m", {})]
    assert bodies(outputs, "system")[-1]["members"] == ["agent:a", APP]


def test_a_system_whose_declared_edges_are_closed_ends() -> None:
    rows = [
        link(1, APP, "agent:a", declared=True),
        link(1, APP, "model:m"),
        link(5, APP, "agent:a", declared=True, opens=False),
    ]
    outputs = whole(Inventory(), rows, END)
    gone = {row.key: row.body["systems"] for row in rows_of(outputs) if row.time == 5}
    assert gone == {APP: {}, "agent:a": {}, "model:m": {}}
    assert bodies(outputs, "system")[-1]["members"] == []


def test_at_equal_times_open_wins() -> None:
    rows = [
        link(1, APP, "agent:a", declared=True),
        link(5, APP, "agent:a", declared=True),
        link(5, APP, "agent:a", declared=True, opens=False),
    ]
    assert members(whole(Inventory(), rows, END))["agent:a"] == {APP: "agent:a"}


def test_an_entity_may_belong_to_several_systems() -> None:
    rows = [
        link(1, APP, "model:m", declared=True),
        link(1, OTHER, "agent:b", declared=True),
        link(5, "agent:b", "model:m"),
    ]
    assert members(whole(Inventory(), rows, END))["model:m"] == {
        APP: "model:m",
        OTHER: "agent:b model:m",
    }


def test_only_entities_whose_systems_changed_are_told() -> None:
    stage = Stage(Inventory())
    stage.take(link(1, APP, "agent:a", declared=True), link(1, OTHER, "agent:b", declared=True))
    outputs = stage.take(link(5, "agent:a", "model:m"))
    assert [row.key for row in rows_of(outputs)] == ["model:m"]
    assert [body["id"] for body in bodies(outputs, "system", "provisional")] == [APP]
    assert rows_of(stage.take(link(6, "agent:a", "model:m"))) == []


def test_a_circle_is_walked_once() -> None:
    rows = [link(1, APP, "agent:a", declared=True), link(1, "agent:a", APP)]
    assert members(whole(Inventory(), rows, END)) == {APP: {APP: ""}, "agent:a": {APP: "agent:a"}}


def test_a_chain_that_is_too_long_is_not_one_system_any_more() -> None:
    rows = [link(1, APP, "agent:00", declared=True)]
    rows += [link(1, f"agent:{n:02}", f"agent:{n + 1:02}") for n in range(DEPTH + 3)]
    reached = members(whole(Inventory(), rows, END))
    assert max(reached) == APP
    assert len(reached) == DEPTH + 1


NAMES = [APP, OTHER, "agent:a", "agent:b", "model:m"]
LINKS = st.lists(
    st.builds(
        link,
        st.integers(1, 9),
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        declared=st.booleans(),
        opens=st.booleans(),
    ),
    max_size=12,
)


@given(rows=LINKS)
def test_membership_is_reachability_over_the_open_edges(rows: list[Row]) -> None:
    edges: dict[tuple[str, str], bool] = {}
    for row in sorted(rows, key=lambda row: (row.time, row.body["open"], row.id)):
        place = (row.body["from"], row.body["to"])
        if row.body["open"]:
            edges[place] = row.body["declared"]
        else:
            edges.pop(place, None)
    want: dict[str, set[str]] = {}
    for root in (APP, OTHER):
        if any(declared for (from_, _), declared in edges.items() if from_ == root):
            reached = {root}
            while more := {to for from_, to in edges if from_ in reached} - reached:
                reached |= more
            for entity in reached:
                want.setdefault(entity, set()).add(root)
    got = members(whole(Inventory(), rows, END))
    assert {entity: set(systems) for entity, systems in got.items() if systems} == want


# Identity and deletion


def absent(time: int, entity: str, *, back: bool = False) -> Row:
    body = {"entity": entity, "open": back}
    return Row("inventory", 0, "estate", time, f"gone|{time}|{entity}", "gone", body)


def test_one_thing_under_two_names_belongs_under_both() -> None:
    for one, other in (("mcp_server:a", "mcp_server:b"), ("mcp_server:b", "mcp_server:a")):
        rows = [
            link(1, APP, "mcp_server:a", declared=True),
            link(1, one, other, by="same_as"),
            link(1, "mcp_server:b", "datastore:d", by="reads"),
        ]
        (row,) = [r for r in rows_of(whole(Inventory(), rows, END)) if r.key == "datastore:d"]
        assert row.body["systems"][APP] == [
            [APP, "uses", "mcp_server:a"],
            ["mcp_server:a", "same_as", "mcp_server:b"],
            ["mcp_server:b", "reads", "datastore:d"],
        ]


def test_names_that_are_told_apart_again_are_two_things() -> None:
    rows = [
        link(1, APP, "agent:a", declared=True),
        link(1, "agent:b", "agent:a", by="same_as"),
        link(5, "agent:b", "agent:a", by="same_as", opens=False),
    ]
    assert bodies(whole(Inventory(), rows, END), "system")[-1]["members"] == ["agent:a", APP]


def test_what_was_deleted_is_reached_by_nothing_until_it_is_there_again() -> None:
    rows = [
        link(1, APP, "agent:a", declared=True),
        link(1, "agent:a", "model:m"),
        absent(5, "agent:a"),
    ]
    assert bodies(whole(Inventory(), rows, END), "system")[-1]["members"] == [APP]
    again = [*rows, absent(9, "agent:a", back=True)]
    told = bodies(whole(Inventory(), again, END), "system")[-1]["members"]
    assert told == ["agent:a", APP, "model:m"]
