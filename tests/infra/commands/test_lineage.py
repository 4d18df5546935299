"""`barograph lineage`: both directions, as of a time."""

import json
from collections.abc import Callable

Ask = Callable[..., tuple[int, str, str]]


def test_a_tree_both_ways(ask: Ask) -> None:
    assert ask("lineage", "agent:bot") == (
        0,
        "agent:bot\nreaches:\n  -uses-> tool:search\nis reached by:\n  <-runs- application:shop\n",
        "",
    )


def test_steps_lie_under_their_parents(ask: Ask) -> None:
    _, out, _ = ask("lineage", "application:shop")
    assert out == (
        "application:shop\n"
        "reaches:\n"
        "  -runs-> agent:bot\n"
        "    -uses-> tool:search\n"
        "is reached by: nothing\n"
    )


def test_as_of_a_time_it_is_what_held_then(ask: Ask) -> None:
    _, out, _ = ask("lineage", "agent:bot", "--as-of", "2026-01-15T00:00:00Z", "--json")
    said = json.loads(out)
    assert said["as_of"] == "2026-01-15T00:00:00.000000Z"
    assert [step["entity"] for step in said["downstream"]] == ["tool:old", "tool:search"]
    assert said["upstream"] == [
        {
            "entity": "application:shop",
            "depth": 1,
            "parent": "agent:bot",
            "relation": "runs",
            "confidence": 1.0,
        }
    ]
    _, out, _ = ask("lineage", "agent:bot", "--as-of", "2020-01-01", "--json")
    assert out == ""
    _, out, _ = ask("lineage", "agent:bot", "--as-of", "2020-01-01T00:00:00Z")
    assert out == "agent:bot\nreaches: nothing\nis reached by: nothing\n"


def test_the_depth_is_bounded(ask: Ask) -> None:
    _, out, _ = ask("lineage", "application:shop", "--depth", "1", "--json")
    assert [step["entity"] for step in json.loads(out)["downstream"]] == ["agent:bot"]


def test_an_unknown_entity_is_a_mistake_with_a_hint(ask: Ask) -> None:
    code, _, error = ask("lineage", "agent:bat")
    assert (code, error) == (
        2,
        "barograph: the store knows no entity 'agent:bat'; did you mean agent:bot?\n",
    )
    _, _, error = ask("lineage", "sear")
    assert "did you mean tool:search?" in error
    _, _, error = ask("lineage", "zzz")
    assert "`barograph assets` lists what it knows" in error


def test_a_time_that_is_none_is_a_mistake(ask: Ask) -> None:
    code, _, error = ask("lineage", "agent:bot", "--as-of", "yesterday")
    assert (code, "--as-of: not an RFC 3339 time" in error) == (2, True)


def test_what_an_attacker_gets_is_told_with_the_way_there(ask: Ask) -> None:
    code, out, _ = ask("lineage", "tool:search", "--blast-radius")
    assert (code, out) == (
        0,
        (
            "tool:search: 1 thing within reach\n"
            "  agents and tools            agent        1 held\n"
            "AI systems touched: application:shop (1)\n"
            "private data: none\n"
            "the shortest ways:\n"
            "  tool:search <-uses- agent:bot [held]\n"
        ),
    )
    _, out, _ = ask("lineage", "tool:search", "--blast-radius", "--as-of", "2020-01-01T00:00:00Z")
    assert out == "tool:search: 0 things within reach\n"
