"""MCP: the one id of an MCP server, from where it listens or what starts it, not from its title.

    https://mcp.example/mcp, a span to mcp.example:443      mcp.example
    https://gateway.example/github/mcp                      gateway.example/github
    npx -y @example/server-files@1.2 /data                  npm/@example/server-files
    uvx mcp-server-git, python -m mcp_server_git            pypi/mcp-server-git
    docker run -i --rm mcp/fetch:latest                     docker/mcp/fetch
    /opt/tools/server.py --port 1                           stdio/server.py

Where nothing else is known, the title stands for the server: `files`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit

from schemas.entity import Entity
from streams.source import Json
from streams.untrusted import entity, listing, text

# The last part of a path where SDKs listen by default: it says how one talks, not with whom.
_TRANSPORT: Final = frozenset({"", "mcp", "message", "messages", "sse", "stream"})
_USUAL_PORTS: Final = frozenset({"80", "443"})
_NPM: Final = frozenset({"bunx", "npx", "pnpx", "bun", "npm", "pnpm", "yarn"})
_PYPI: Final = frozenset({"pipx", "uvx", "uv"})
_CONTAINERS: Final = frozenset({"docker", "nerdctl", "podman"})
_INTERPRETERS: Final = re.compile(r"(?:python|py|node|deno|ruby|php|java|bash|sh)[\d.]*(?:\.exe)?")
_VERBS: Final = frozenset({"dlx", "exec", "run", "tool", "x"})
# Options that take a value in the next word.
_VALUED: Final = frozenset(
    """
    -e --env --env-file -v --volume --mount --name --network --user -u -p --publish --platform
    -w --workdir --entrypoint --add-host --from --with --python --index --index-url --project
    --directory -c --call --package --label -l --memory -m --cpus
    """.split()  # noqa: SIM905 - options read better as a paragraph
)
_FROM: Final = frozenset({"--from", "--package", "-p"})  # what is named here is what runs


def server(
    *, url: Json = None, command: Json = None, args: Json = None, title: Json = None
) -> Entity | None:
    """The MCP server at `url`, or that `command` with `args` starts, or so titled.

    `command` may hold its arguments. None where nothing says anything.
    """
    known = _of_url(text(url)) or _of_command(text(command), listing(args)) or text(title, 256)
    return entity("mcp_server", known, text(title, 256) if known != title else None)


def at(address: Json, port: Json = None) -> str | None:
    """The id of a server from the host, and perhaps the port, that telemetry names."""
    host, number = text(address, 256), text(port, 8)
    if host is None:
        return None
    host = host.lower().rstrip(".")
    return f"{host}:{number}" if number and number not in _USUAL_PORTS else host


def _of_url(url: str | None) -> str | None:
    if url is None or "://" not in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        return None
    path = parts.path.split("/")
    while path and path[-1].lower() in _TRANSPORT:
        path.pop()
    return "/".join((at(parts.hostname, port) or "", *filter(None, path)))


def _of_command(command: str | None, args: list[Json]) -> str | None:
    if command is None:
        return None
    words = _words(command) + [known for one in args if (known := text(one)) is not None]
    if not words:
        return None
    program = _file(words[0])
    name = program.removesuffix(".exe").removesuffix(".cmd")
    rest = words[1:]
    found: str | None = None
    if name in _NPM:
        found = _package("npm", rest)
    elif name in _PYPI:
        found = _package("pypi", rest)
    elif name in _CONTAINERS:
        image = _first(rest)
        found = f"docker/{_untagged(image)}" if image else None
    elif _INTERPRETERS.fullmatch(program):
        found = _script(rest)
    return found or f"stdio/{program}"


def _script(words: Sequence[str]) -> str | None:
    """What an interpreter runs: a module, or a file by its name."""
    if "-m" in words[:-1]:
        return f"pypi/{_module(words[words.index('-m') + 1])}"
    script = _first(words)
    return f"stdio/{_file(script)}" if script else None


def _package(kind: str, words: Sequence[str]) -> str | None:
    named = next((b for a, b in pairwise(words) if a in _FROM), None)
    found = named or _first(words)
    if found is None:
        return None
    if found.endswith((".js", ".py", ".ts")):
        return f"stdio/{_file(found)}"
    scope, at_, rest = found.rpartition("@")
    bare = scope if at_ and scope and "/" not in rest else found
    bare = re.split(r"[=<>~!\[]", bare, maxsplit=1)[0]
    return f"{kind}/{_module(bare) if kind == 'pypi' else bare.lower()}"


def _first(words: Sequence[str]) -> str | None:
    """The first word that is neither an option, nor its value, nor a verb of the runner."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _VALUED
        elif word not in _VERBS:
            return word
    return None


def _untagged(image: str) -> str:
    image = image.partition("@")[0].lower()
    host, slash, last = image.rpartition("/")
    return f"{host}{slash}{last.partition(':')[0]}"


def _module(name: str) -> str:
    """A Python package by its normal name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _file(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, posix="\\" not in command)
    except ValueError:  # a quote without its end
        return command.split()
