"""Blast: what is held, what can only be used, and what is out of reach."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from correlators.blast import DEPENDS, FORWARD, USES, Link, blast

ESTATE: list[Link] = [
    ("principal:ann", "owns", "apikey:k1", 1.0),
    ("principal:ann", "assumes", "session:s1", 1.0),
    ("principal:ann", "calls", "model:m", 1.0),
    ("principal:bob", "calls", "model:m", 1.0),
    ("application:shop", "runs", "agent:bot", 1.0),
    ("agent:bot", "calls", "model:m", 1.0),
    ("agent:bot", "uses", "tool:s/read", 0.5),
    ("tool:s/read", "served_by", "mcp_server:s", 0.8),
    ("tool:s/read", "reads", "datastore:d", 1.0),
    ("model:m", "trained_on", "dataset:t", 1.0),
    ("workload:w", "runs_image", "image:i", 1.0),
    ("application:shop", "runs_on", "workload:w", 1.0),
    ("agent:bot", "guarded_by", "guardrail:g", 1.0),
]


def told(start: str, deepest: int = 12) -> dict[str, str]:
    return {one.entity: one.hold for one in blast(ESTATE, start, deepest)}


def test_a_key_acts_as_its_principal_and_uses_what_that_calls() -> None:
    assert told("apikey:k1") == {"principal:ann": "held", "session:s1": "held", "model:m": "used"}


def test_a_tool_gives_its_server_and_data_and_steers_who_uses_it() -> None:
    assert told("tool:s/read") == {
        "mcp_server:s": "used",
        "datastore:d": "used",
        "agent:bot": "held",
        "model:m": "used",
    }


def test_a_poisoned_data_set_reaches_the_model_and_the_agents_but_no_people() -> None:
    assert told("dataset:t") == {
        "model:m": "held",
        "agent:bot": "held",
        "tool:s/read": "used",
        "mcp_server:s": "used",
        "datastore:d": "used",
    }


def test_an_image_is_its_workload_and_all_that_runs_there() -> None:
    reached = told("image:i")
    assert (reached["workload:w"], reached["application:shop"]) == ("held", "held")
    assert (reached["agent:bot"], reached["datastore:d"]) == ("held", "used")
    assert "guardrail:g" not in reached
    assert "dataset:t" not in reached


def test_the_way_and_how_sure_it_is() -> None:
    (found,) = [one for one in blast(ESTATE, "agent:bot", 12) if one.entity == "mcp_server:s"]
    assert found.path == (
        ("agent:bot", "uses", "tool:s/read"),
        ("tool:s/read", "served_by", "mcp_server:s"),
    )
    assert found.confidence == 0.4


def test_of_equally_near_ways_the_surer_one() -> None:
    links = [
        ("agent:a", "uses", "tool:x", 0.4),
        ("agent:a", "uses", "tool:y", 0.9),
        *((f"tool:{n}", "reads", "datastore:d", 1.0) for n in "xy"),
    ]
    found = blast(links, "agent:a", 12)[-1]
    assert (found.path[0][2], found.confidence) == ("tool:y", 0.9)


def test_it_goes_no_deeper_than_asked() -> None:
    assert told("agent:bot", 1) == {"model:m": "used", "tool:s/read": "used"}


def test_another_name_of_a_thing_is_the_thing() -> None:
    links = [*ESTATE, ("mcp_server:npm/s", "same_as", "mcp_server:s", 1.0)]
    found = {one.entity: one.hold for one in blast(links, "mcp_server:npm/s", 12)}
    assert (found["mcp_server:s"], found["tool:s/read"], found["agent:bot"]) == ("held",) * 3


NAMES = st.sampled_from([f"agent:{n}" for n in range(6)])
LINKS = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(sorted(FORWARD | USES | DEPENDS | {"same_as", "guarded_by"})),
        NAMES,
        st.sampled_from([0.5, 1.0]),
    ),
    max_size=25,
)


@given(LINKS)
def test_every_way_is_of_edges_that_are_there_and_hangs_together(links: list[Link]) -> None:
    known = {link[:3] for link in links}
    reached = blast(links, "agent:0", 12)
    assert reached == blast(links[::-1], "agent:0", 12)
    assert len({one.entity for one in reached}) == len(reached)
    for one in reached:
        here = "agent:0"
        for step in one.path:
            assert step in known
            assert here in (step[0], step[2])
            here = step[2] if here == step[0] else step[0]
        assert here == one.entity


@given(LINKS, st.integers(0, 24))
def test_one_more_edge_never_takes_anything_out_of_reach(links: list[Link], place: int) -> None:
    fewer = links[:place] + links[place + 1 :]
    before = {one.entity for one in blast(fewer, "agent:0", 12)}
    assert before <= {one.entity for one in blast(links, "agent:0", 12)}
