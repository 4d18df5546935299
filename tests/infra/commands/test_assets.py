"""`barograph assets`: the inventory, by kind and by system."""

import json
from collections.abc import Callable

Ask = Callable[..., tuple[int, str, str]]


def test_a_line_for_each_thing(ask: Ask) -> None:
    code, out, _ = ask("assets")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[2:]] == [
        "application:shop",
        "agent:bot",
        "tool:search",
    ]


def test_json_has_everything_about_it(ask: Ask) -> None:
    _, out, _ = ask("assets", "--kind", "agent", "--json")
    assert json.loads(out) == {
        "entity": "agent:bot",
        "name": None,
        "layer": "agents and tools",
        "names": ["agent:bot"],
        "known": "",
        "declared_from": None,
        "declared_seen": None,
        "observed_from": None,
        "observed_seen": None,
        "deleted": None,
        "first_seen": "2026-01-01T12:00:00.250000Z",
        "last_seen": "2026-01-01T12:00:00.250000Z",
        "sources": ["otel"],
        "systems": ["shop"],
        "open_facts": 1,
        "attributes": {"asset.exposure": "internet"},
    }


def test_a_system_is_known_by_its_name_and_its_root(ask: Ask) -> None:
    for system in ("shop", "application:shop"):
        _, out, _ = ask("assets", "--system", system, "--json")
        assert len(out.splitlines()) == 3
    assert ask("assets", "--system", "other", "--json") == (0, "", "")


def test_an_unknown_kind_is_a_mistake(ask: Ask) -> None:
    code, _, error = ask("assets", "--kind", "unicorn")
    assert code == 2
    assert "unicorn" in error
