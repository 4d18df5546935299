import orjson
import pytest

from schemas.event import EventEvidence
from streams.sources import mcp_config
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "mcp_config.json": [
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": ["mcp_server:npm/@example/server-files"],
            "mcp.transport": "stdio",
            "mcp.env": ["FILES_TOKEN"],
            "mcp.server.name": "files",
        },
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": ["mcp_server:rates.example"],
            "mcp.transport": "http",
            "mcp.auth": ["authorization"],
            "mcp.secret_in_config": True,
            "mcp.server.name": "rates",
        },
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": ["mcp_server:stdio/off"],
            "mcp.transport": "stdio",
            "mcp.disabled": True,
            "mcp.server.name": "off",
        },
    ],
    "mcp_config.published.json": [
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": ["mcp_server:npm/@example/server-files"],
            "mcp.server.name": "io.example/files",
            "package.version": "1.2.0",
            "package.purl": "pkg:npm/@example/server-files",
        }
    ],
    "mcp_config.vscode.json": [
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": ["mcp_server:rates.example", "application:vscode"],
            "edges": ["application:vscode uses mcp_server:rates.example"],
            "mcp.transport": "http",
            "mcp.server.name": "rates",
        }
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [
        ("wrong-shape", "a server is an object in a configuration"),
        ("wrong-shape", "a server is an object in a configuration"),
    ]
    assert rejected("mcp_config.bad.json") == said


@pytest.mark.parametrize(
    ("path", "client"),
    [
        ("file:/home/ann/.cursor/mcp.json#1", "application:cursor"),
        ("file:claude_desktop_config.json#1", "application:claude-desktop"),
        ("file:project/.mcp.json#1", "application:claude-code"),
        ("file:servers.json#1", None),
    ],
)
def test_the_name_of_a_file_says_whose_it_is(path: str, client: str | None) -> None:
    raw = next(mcp_config.split(b'{"mcpServers":{"files":{"command":"uvx","args":["files"]}}}'))
    evidence = EventEvidence(origin=path, sha256="00")
    event = mcp_config.event(raw, {"command": "uvx", "args": ["files"]}, evidence).event
    assert [one.key for one in event.entities[1:]] == ([client] if client else [])
    uses = [one for one in event.edges if one.relation == "uses"]
    assert [one.from_.key for one in uses] == ([client] if client else [])


def test_a_file_says_which_name_it_gives_a_server() -> None:
    raw = next(mcp_config.split(b'{"mcpServers":{"files":{"command":"uvx","args":["files"]}}}'))
    evidence = EventEvidence(origin="file:/Users/ann/.cursor/mcp.json#1", sha256="00")
    event = mcp_config.event(raw, {"command": "uvx", "args": ["files"]}, evidence).event
    same = [(one.from_.id, one.to.id) for one in event.edges if one.relation == "same_as"]
    assert same == [("pypi/files", "~/.cursor/mcp.json#files")]


@pytest.mark.parametrize(
    ("document", "ids"),
    [
        (b'{"projects":{"/x":{"mcpServers":{"a":{"url":"https://a.example"}}}}}', ["a.example"]),
        (b'{"mcp":{"a":{"type":"local","command":["npx","-y","server-a"]}}}', ["npm/server-a"]),
        (b'{"context_servers":{"a":{"command":{"path":"x","args":["--y"]}}}}', ["stdio/x"]),
        (b'{"mcp":{"servers":{"a":{"command":"uvx","args":["b"]}}}}', ["pypi/b"]),
        (b'{"mcp":{}}', []),
    ],
)
def test_where_clients_keep_their_servers(document: bytes, ids: list[str]) -> None:
    assert mcp_config.sniff(document)
    evidence = EventEvidence(origin="file:x#1", sha256="00")
    found = [
        mcp_config.event(raw, orjson.loads(raw.data), evidence).event
        for raw in mcp_config.split(document)
    ]
    assert [event.entities[0].id for event in found] == ids


@pytest.mark.parametrize(
    "head",
    [
        b'{"resourceSpans": [{"mcpServers": {}}]}',
        b'{"servers": [1]}',
        b'{"a": "mcpServers"}',
        b"mcpServers",
    ],
)
def test_what_is_no_configuration(head: bytes) -> None:
    assert not mcp_config.sniff(head)
