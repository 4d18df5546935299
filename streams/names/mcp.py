"""MCP: the one id of an MCP server, from where it listens or what starts it, not from its title.

    https://mcp.example/mcp, a span to mcp.example:443      mcp.example
    https://gateway.example/github/v1/mcp                   gateway.example/github
    npx -y @example/server-files@1.2 /data                  npm/@example/server-files
    uvx mcp-server-git, python -m mcp_server_git            pypi/mcp-server-git
    ~/.local/share/uv/tools/mcp-server-git/bin/serve        pypi/mcp-server-git
    mcp-server-git                                          stdio/mcp-server-git
    uvx --from git+https://git.example/o/r server           git/git.example/o/r
    docker run -i --rm mcp/fetch:latest                     docker/mcp/fetch
    uv run python /opt/tools/server.py --port 1             stdio/server.py

A bridge (`npx mcp-remote https://mcp.example/sse`) is the server behind it, a shell what it runs
(`cmd /c npx ...`, `sudo npx ...`), an installed file its package (`node_modules/<package>/`,
`site-packages/<package>/__main__.py`). A command on the path may be of any package: its name makes
it none of them. Versions are no identity, of a package (`pkg@^1.0`) or of an API. Where nothing
else is known, the title stands for the server: `files`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit

from schemas.entity import Entity, short
from streams.names.purls import python
from streams.records.untrusted import entity, listing, text
from streams.source import Json

# The last part of a path where SDKs listen by default: it says how one talks, not with whom.
_TRANSPORT: Final = frozenset({"", "mcp", "message", "messages", "sse", "stream"})
_VERSION: Final = re.compile(r"v\d{1,3}", re.IGNORECASE)  # before it, or behind it
_USUAL_PORTS: Final = frozenset({"80", "443"})
_NPM: Final = frozenset({"bunx", "npx", "pnpx", "bun", "npm", "pnpm", "yarn"})
_PYPI: Final = frozenset({"pipx", "uvx", "uv"})
_CONTAINERS: Final = frozenset({"docker", "nerdctl", "podman"})
_INTERPRETERS: Final = re.compile(r"(?:python|py|node|deno|ruby|php|java|bash|sh)[\d.]*(?:\.exe)?")
_VERBS: Final = frozenset({"container", "dlx", "exec", "run", "tool", "x"})
# Programs that start what stands behind them, and their options.
_STARTERS: Final = frozenset(
    {"asdf", "doas", "env", "exec", "mise", "nohup", "sudo", "volta", "wsl"}
)
# Programs that speak stdio here and pass it on to the URL among their words.
_BRIDGES: Final = frozenset(
    {"npm/@pyroprompts/mcp-stdio-to-streamable-http-adapter", "npm/mcp-remote", "npm/supergateway"}
    | {"pypi/mcp-proxy", "npm/mcp-proxy", "stdio/mcp-proxy", "npm/@modelcontextprotocol/client"}
)
_SHELLS: Final = re.compile(r"(?:ba|da|z)?sh|cmd|powershell|pwsh")
_COMMAND: Final = re.compile(r"-[a-z]{0,4}c|/[ck]|-command", re.IGNORECASE)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w{0,127}=")
_ROOTED: Final = re.compile(r"(?:[~/\\]|[A-Za-z]:[/\\])")
_CODE: Final = (".cjs", ".js", ".mjs", ".py", ".ts")
_NESTED: Final = 4  # shells in shells
_LONGEST: Final = 1024  # characters of a path
# Options that take a value in the next word.
_VALUED: Final = frozenset(
    """
    -e --env --env-file -v --volume --mount --name --network --user -u -p --publish --platform
    -w --workdir --entrypoint --add-host --from --with --python --project
    --directory -c --call --package --label -l --memory -m --cpus
    --annotation --cap-add --cap-drop --context --device --dns --expose --gpus --group-add
    --hostname --ipc --log-driver --log-opt --pid --pull --restart --runtime --security-opt
    --shm-size --stop-signal --stop-timeout --tmpfs --ulimit --userns --volumes-from
    --cache --prefix --registry --refresh-package --spec --userconfig --with-editable
    """.split()  # noqa: SIM905 - options read better as a paragraph
)
# A package that is taken from where it is written: `git+https://host/path`, `github:owner/name`.
_SOURCE: Final = re.compile(
    r"(?:git\+)?(?:https?|ssh)://(?:[^/@]{1,128}@)?(?P<host>[\w.:-]{1,128})/(?P<path>[\w./-]{1,256})"
    r"|github:(?P<name>[\w./-]{1,256})"
)
# What is named here is what runs.
_FROM: Final = frozenset({"--from", "--package", "--spec", "-p"})
_MODULE: Final = frozenset({"-m", "--module"})
# Not `.bin`, where commands of all packages lie.
_INSTALLED: Final = re.compile(r".*/node_modules/((?:@[^/]{1,128}/)?[^/.][^/]{0,213})/")
# A folder that uv or pipx made for one package, and the file that `python -m` runs.
_TOOL: Final = re.compile(
    r".*/(?:uv/tools|pipx/venvs)/([A-Za-z0-9][\w.-]{0,213})/(?:bin|Scripts)/[^/]{1,214}",
    re.ASCII | re.IGNORECASE,
)
_MAIN: Final = re.compile(
    r".*/(?:site|dist)-packages/([A-Za-z_]\w{0,213})/(?:[^/]{1,214}/){0,8}__main__\.py", re.ASCII
)


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
    # A URL that may hold a credential is not kept.
    return _listens(url) if "@" in url or "?" in url else _known(url)


def _listens(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        return None
    path = _without_transport(parts.path.split("/"))
    if path and _VERSION.fullmatch(path[-1]):
        path = _without_transport(path[:-1])
    return "/".join((at(parts.hostname, port) or "", *filter(None, path)))


def _without_transport(path: list[str]) -> list[str]:
    while path and path[-1].lower() in _TRANSPORT:
        path = path[:-1]
    return path


_known: Final = lru_cache(maxsize=4_096)(
    _listens
)  # the same few servers are called again and again


def _of_command(command: str | None, args: list[Json]) -> str | None:
    if command is None:
        return None
    given = [known for one in args if (known := text(one)) is not None]
    words = [command, *given] if _is_path(command) else [*_words(command), *given]
    for _ in range(_NESTED):
        inside = _inside(words)
        if inside == words:
            break
        words = inside
    found = _of_words(words)
    if found in _BRIDGES:
        said = (word.partition("=")[2] if word.startswith("--") else word for word in words[1:])
        return next(filter(None, map(_of_url, said)), None) or found
    return found


def _inside(words: list[str]) -> list[str]:
    """What a shell runs, or `env` behind its assignments; else the words themselves."""
    program = _bare(_file(words[0])) if words else ""
    if program in _STARTERS:
        rest = words[words.index("--") + 1 :] if "--" in words else words[1:]
        started = _first([word for word in rest if not _ASSIGNMENT.match(word)])
        return rest[rest.index(started) :] if started else rest
    if _SHELLS.fullmatch(program) and len(words) > 2 and _COMMAND.fullmatch(words[1]):
        return [*_words(words[2]), *words[3:]]
    return words


def _of_words(words: list[str]) -> str | None:
    if not words:
        return None
    program = _file(words[0])
    name = _bare(program)
    rest = words[1:]
    found: str | None = None
    if name in _NPM:
        found = _package("npm", rest)
    elif name in _PYPI:
        found = _run(rest) or _package("pypi", rest)
    elif name in _CONTAINERS:
        image = _first(rest)
        found = f"docker/{_untagged(image)}" if image else None
    elif _INTERPRETERS.fullmatch(program):
        found = _script(rest)
    return found or _installed(words[0]) or f"stdio/{program}"


def _run(words: Sequence[str]) -> str | None:
    """What `uv run` starts where that is no package: an interpreter, or a file given to `mcp`."""
    module = next((b for a, b in pairwise(words) if a in _MODULE), None)
    program = _first(words)
    if module is not None and (program is None or words.index(module) <= words.index(program)):
        return _script(["-m", module])
    if program is None:
        return None
    behind = words[words.index(program) + 1 :]
    if _INTERPRETERS.fullmatch(program):
        return _script(behind) or f"stdio/{program}"
    if program in {"fastmcp", "mcp"}:
        script = _first(behind)
        return f"stdio/{_file(script.partition(':')[0])}" if script else None
    return None


def _script(words: Sequence[str]) -> str | None:
    """What an interpreter runs: a module, or a file by its name."""
    if "-m" in words[:-1]:
        return f"pypi/{python(words[words.index('-m') + 1].partition('.')[0])}"
    if "-c" in words or "-e" in words:
        return None
    script = _first(words)
    if script is None:
        return None
    if script.startswith("npm:"):
        return _package("npm", [script[4:]])
    return _installed(script) or f"stdio/{_file(script)}"


def _installed(path: str) -> str | None:
    """The package that a file was installed with, where its folder is that of one package."""
    place = path[:_LONGEST].replace("\\", "/")
    npm, found = _INSTALLED.match(place), _TOOL.fullmatch(place) or _MAIN.fullmatch(place)
    if npm is not None:
        return _package("npm", [npm[1]])
    return f"pypi/{python(found[1])}" if found else None


def _package(kind: str, words: Sequence[str]) -> str | None:
    named = next((b for a, b in pairwise(words) if a in _FROM), None)
    given = (word.partition("=") for word in words)
    found = named or next((b for a, _, b in given if a in _FROM and b), None) or _first(words)
    if found is None:
        return None
    source = _SOURCE.match(found)
    if source is not None:
        host, path = source["host"] or "github.com", source["path"] or source["name"]
        return f"git/{host}/{path.partition('.git')[0]}".lower()
    if found.endswith(_CODE):
        return f"stdio/{_file(found)}"
    scope, at_, rest = found.rpartition("@")
    bare = scope if at_ and scope and "/" not in rest else found
    bare = re.split(r"[=<>~!^\[]", bare, maxsplit=1)[0]
    return f"{kind}/{python(bare) if kind == 'pypi' else bare.lower()}"


def _first(words: Sequence[str]) -> str | None:
    """The first word that is neither an option, nor its value, nor a verb of the runner."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _VALUED or (word.startswith("--index") and "=" not in word)
        elif word not in _VERBS:
            return word
    return None


def _untagged(image: str) -> str:
    image = short(image.partition("@")[0].lower())
    host, slash, last = image.rpartition("/")
    return f"{host}{slash}{last.partition(':')[0]}"


def _file(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path


def _bare(program: str) -> str:
    return program.lower().removesuffix(".exe").removesuffix(".cmd")


def _is_path(command: str) -> bool:
    """True of a path with blanks in it that nobody quoted: `C:/Program Files/x.exe`."""
    head, blank, rest = command.partition(" ")
    after = rest.partition(" ")[0]
    if not blank or not _ROOTED.match(head) or _ROOTED.match(after) or after.startswith(("-", ".")):
        return False
    return "/" in after or "\\" in after


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, posix="\\" not in command)
    except ValueError:  # a quote without its end
        return command.split()
