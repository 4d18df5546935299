import re

from hypothesis import given
from hypothesis import strategies as st

from infra.report.chain import chain
from infra.report.estate import Line
from infra.report.lineage import MAX_NODES, Link, lineage
from infra.report.route import corner, route, size
from schemas.alert import Step
from schemas.entity import KINDS
from tests.infra.report.sample import AGENT, CLAIMS, IMAGE, SERVER, TOOL, WORKLOAD, sample

KEYS = st.builds("{}:{}".format, st.sampled_from(KINDS), st.sampled_from("abcdef"))
LINES = st.builds(Line, KEYS, st.sampled_from(["uses", "calls"]), KEYS)


def step(from_: str, to: str, state: str = "walked") -> Step:
    return Step.model_validate({"from": from_, "relation": "uses", "to": to, "state": state})


def test_things_stand_from_left_to_right_and_the_path_on_top() -> None:
    known = sample()
    picture = lineage(known.edges, known.alerts[0].path, CLAIMS)
    assert picture.titles == (
        "application",
        "agents",
        "tools",
        "models",
        "data",
        "infrastructure",
    )
    places = {key: (node.column, node.row) for key, node in picture.nodes.items()}
    assert [places[key] for key in (CLAIMS, AGENT, TOOL, SERVER, WORKLOAD, IMAGE)] == [
        (0, 0),
        (1, 0),
        (2, 0),
        (2, 1),
        (5, 0),
        (5, 1),
    ]
    assert [key for key, node in picture.nodes.items() if node.on_path] == [
        CLAIMS,
        AGENT,
        TOOL,
        SERVER,
        "datastore:s3/claims-archive",
        WORKLOAD,
    ]
    assert picture.left_out == 0


def test_an_edge_of_the_path_is_not_drawn_twice() -> None:
    picture = lineage([Line("agent:a", "uses", "tool:t")], [step("agent:a", "tool:t")], "agent:a")
    assert picture.links == (Link("agent:a", "uses", "tool:t", "walked"),)


def test_a_great_estate_is_cut_and_the_path_is_not() -> None:
    edges = [Line("agent:a", "uses", f"tool:{n:03}") for n in range(100)]
    picture = lineage(edges, [step("agent:a", "tool:099", "open")], "agent:a")
    assert len(picture.nodes) == MAX_NODES
    assert picture.left_out == 101 - MAX_NODES
    assert {"agent:a", "tool:099"} <= picture.nodes.keys()
    assert "65 things more in this system" in chain(picture, [])


@given(st.lists(LINES, max_size=30), st.lists(st.tuples(KEYS, KEYS), max_size=5), KEYS)
def test_any_graph_has_a_picture(edges: list[Line], walk: list[tuple[str, str]], root: str) -> None:
    path = [step(*ends) for ends in walk]
    picture = lineage(edges, path, root)
    places = [(node.column, node.row) for node in picture.nodes.values()]
    assert len(set(places)) == len(places)
    width, height = size(picture)
    for node in picture.nodes.values():
        x, y = corner(node)
        assert 0 <= x <= width - 130
        assert 0 <= y <= height - 42
    for link in picture.links:
        label = route(picture, link).label
        assert 0 <= label[0] <= width
        assert 0 <= label[1] <= height
    assert chain(picture, path) == chain(lineage(edges, path, root), path)


def test_the_chain_says_walked_and_open_in_words() -> None:
    path = [step("agent:a", "tool:t"), step("tool:t", "mcp_server:s", "open")]
    drawn = chain(lineage([], path, "agent:a"), path)
    words = re.sub(r"<[^>]*>", "", drawn.partition("<figcaption>")[2])
    assert words == "agent:a uses tool:t walkedtool:t uses mcp_server:s open"
    assert drawn.count('class="edge walked"') == 1
    assert drawn.count('class="edge open"') == 1


def test_a_long_name_is_cut_and_whole_in_its_title() -> None:
    long = "tool:" + "x" * 300
    drawn = chain(lineage([], [step("agent:a", long)], "agent:a"), [])
    assert f"<title>{long}</title>" in drawn
    assert ">xxxxxxxxx…xxxxx</text>" in drawn
