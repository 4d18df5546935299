import pytest

from schemas.entity import Entity
from streams.reports.servers import alias, client, declared, labels, named_in, tool

SERVER = Entity(kind="mcp_server", id="rates.example")


def test_names_of_secrets_are_kept_and_their_values_not() -> None:
    found = declared(
        "rates",
        {
            "url": "https://rates.example/mcp",
            "headers": {"Authorization": "Bearer obviously-fake-token"},
            "env": {"B": "x", "A": "y"},
            "disabled": True,
        },
    )
    assert found is not None
    assert found.entity.key == "mcp_server:rates.example"
    assert found.attributes == {
        "mcp.transport": "http",
        "mcp.env": ["A", "B"],
        "mcp.auth": ["authorization"],
        "mcp.disabled": True,
        "mcp.secret_in_config": True,
        "mcp.server.name": "rates",
    }


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ({"command": ["npx", "-y", "server-files"]}, "npm/server-files"),
        ({"command": {"path": "uvx", "args": ["server-files"]}}, "pypi/server-files"),
        ({"serverUrl": "https://a.example/sse"}, "a.example"),
        ({"command": []}, "x"),
        ({}, "x"),
    ],
)
def test_the_ways_to_say_it(said: dict[str, object], known: str) -> None:
    found = declared("x", said)
    assert found is not None
    assert found.entity.id == known


def test_a_skill_is_no_server() -> None:
    found = declared("letters", {"type": "skill", "path": "/skills/letters"})
    assert found is not None
    assert found.entity.key == "skill:letters"


def test_neither_name_nor_declaration() -> None:
    assert declared(None, {}) is None


@pytest.mark.parametrize(
    "path", ["/home/ann/.cursor/mcp.json", "/Users/bob/.cursor/mcp.json", "~/.cursor/mcp.json"]
)
def test_a_name_in_a_file(path: str) -> None:
    found = named_in(path, "rates")
    assert found is not None
    assert (found.id, found.name) == ("~/.cursor/mcp.json#rates", "rates")
    (same,) = alias(SERVER, path, "rates")
    assert (same.from_, same.relation, same.to, same.declared) == (SERVER, "same_as", found, True)


@pytest.mark.parametrize(
    ("name", "known"),
    [("claude", "claude-desktop"), ("Claude Code", "claude-code"), ("cursor", "cursor")],
)
def test_a_client_has_one_name(name: str, known: str) -> None:
    found = client(name)
    assert found is not None
    assert found.key == f"application:{known}"
    assert client(" ") is None


def test_a_name_alone_is_a_title() -> None:
    found = named_in(None, "rates")
    assert found is not None
    assert found.id == "rates"
    assert alias(SERVER, None, "rates") == ()


def test_a_tool_belongs_to_its_server() -> None:
    found, alone = tool(SERVER, "get_rate"), tool(None, "get_rate")
    assert found is not None
    assert alone is not None
    assert (found.id, alone.id, tool(SERVER, None)) == ("rates.example/get_rate", "get_rate", None)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (
            {"is_public_sink": 1, "destructive": 0.5, "private_data": 0.4},
            ["destructive", "public_sink"],
        ),
        ({"untrusted_content": "1"}, None),
        (None, None),
    ],
)
def test_labels(said: object, known: list[str] | None) -> None:
    assert labels(said) == known
