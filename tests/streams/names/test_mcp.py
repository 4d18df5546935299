import pytest

from streams.names.mcp import at, server


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://MCP.Example/mcp", "mcp.example"),
        ("https://mcp.example:443/sse?key=x", "mcp.example"),
        ("http://127.0.0.1:8931/", "127.0.0.1:8931"),
        ("https://gateway.example/github/mcp", "gateway.example/github"),
        ("wss://gateway.example/a/b/messages/", "gateway.example/a/b"),
        ("https://mcp.example/v1/mcp", "mcp.example"),
        ("https://mcp.example/V1/sse/", "mcp.example"),
        ("https://mcp.example/v1", "mcp.example"),
        ("https://mcp.example/mcp/v2", "mcp.example"),
        ("https://gateway.example/github/v1/mcp", "gateway.example/github"),
        ("https://gateway.example/v1/github/mcp", "gateway.example/v1/github"),
        ("https://gateway.example/v1/v2/mcp", "gateway.example/v1"),
        ("https://gateway.example/v1beta/mcp", "gateway.example/v1beta"),
        ("https://gateway.example/vault/mcp", "gateway.example/vault"),
        ("https://gateway.example/1/mcp", "gateway.example/1"),
        ("https://user:pass@mcp.example/mcp", "mcp.example"),
        ("https://mcp.example:notaport/", None),
        ("ftp://mcp.example/", None),
        ("not a url", None),
        (7, None),
    ],
)
def test_a_server_that_listens(url: object, known: str | None) -> None:
    found = server(url=url)
    assert (found.id if found else None) == known


@pytest.mark.parametrize(
    ("command", "args", "known"),
    [
        ("npx", ["-y", "@example/server-files@1.2", "/data"], "npm/@example/server-files"),
        ("npx -y server-files@latest", None, "npm/server-files"),
        ("npx", ["--package=x", "-p", "@example/tools", "serve"], "npm/@example/tools"),
        ("npx", ["-y", "--package=@example/tools@1.2.3", "serve"], "npm/@example/tools"),
        ("npx", ["--prefix", "/opt/x", "-y", "@example/tools"], "npm/@example/tools"),
        ("sh", ["-lc", "exec npx -y @example/tools"], "npm/@example/tools"),
        ("sudo", ["-u", "svc", "npx", "-y", "@example/tools"], "npm/@example/tools"),
        ("mise", ["exec", "node@22", "--", "npx", "@example/tools"], "npm/@example/tools"),
        ("wsl.exe", ["npx", "-y", "@example/tools"], "npm/@example/tools"),
        ("deno", ["run", "-A", "npm:@example/tools@1"], "npm/@example/tools"),
        ("node", ["/x/node_modules/@example/tools/dist/i.js"], "npm/@example/tools"),
        ("node", [r"C:\x\node_modules\tools\i.js"], "npm/tools"),
        ("uv", ["run", "-m", "mcp_server_git.main"], "pypi/mcp-server-git"),
        ("docker", ["run", "-i", "docker.io/mcp/fetch:latest"], "docker/mcp/fetch"),
        ("docker", ["container", "run", "--pull", "always", "mcp/fetch"], "docker/mcp/fetch"),
        ("docker", ["run", "--security-opt", "x", "--gpus", "all", "a/b"], "docker/a/b"),
        ("npx", ["supergateway", "--sse=https://mcp.example/sse"], "mcp.example"),
        ("uvx", ["Mcp_Server.git==2.0"], "pypi/mcp-server-git"),
        ("uvx", ["--index", "https://packages.example/x", "mcp-server-git"], "pypi/mcp-server-git"),
        ("uvx", ["--index=https://packages.example/x", "mcp-server-git"], "pypi/mcp-server-git"),
        ("uvx", ["--from", "mcp-server-git[extra]>=1", "serve"], "pypi/mcp-server-git"),
        ("uv", ["--directory", "/opt/x", "run", "server.py"], "stdio/server.py"),
        ("/usr/bin/python3.12", ["-m", "mcp_server_git", "--repo", "x"], "pypi/mcp-server-git"),
        ("python", ["/opt/tools/server.py", "--port", "1"], "stdio/server.py"),
        ("docker", ["run", "-i", "--rm", "-e", "KEY=x", "mcp/fetch:latest"], "docker/mcp/fetch"),
        ("docker run reg.example:5000/mcp/x@sha256:00", [], "docker/reg.example:5000/mcp/x"),
        (r"C:\tools\server.exe", ["--token", "x"], "stdio/server.exe"),
        ("./server", [], "stdio/server"),
        ("npx", ["server-files@^1.0"], "npm/server-files"),
        ("npx", ["server-files^1.0"], "npm/server-files"),
        ("npx", ["@example/tools@^1.0"], "npm/@example/tools"),
        ("npx", ["@example/tools^1.0"], "npm/@example/tools"),
        ("npx", ["@example/tools@~1.0"], "npm/@example/tools"),
        ("npx", ["@example/tools@>=1.0"], "npm/@example/tools"),
        ("uvx", ["mcp-server-git~=1.0"], "pypi/mcp-server-git"),
        ("uvx", ["mcp-server-git@latest"], "pypi/mcp-server-git"),
        # A command may be of any package that somebody installed.
        ("mcp-server-git", [], "stdio/mcp-server-git"),
        ("/usr/local/bin/mcp-server-git", [], "stdio/mcp-server-git"),
        ("/opt/x/.venv/bin/mcp-server-git", [], "stdio/mcp-server-git"),
        ("python", ["/opt/x/.venv/bin/mcp-server-git"], "stdio/mcp-server-git"),
        ("/x/node_modules/.bin/server-files", [], "stdio/server-files"),
        ("node", ["/x/node_modules/.bin/server-files"], "stdio/server-files"),
        # One in the folder of a package is of that package.
        ("/x/share/uv/tools/mcp-server-git/bin/serve", [], "pypi/mcp-server-git"),
        ("/x/pipx/venvs/mcp_server.git/bin/mcp-server-git", [], "pypi/mcp-server-git"),
        ("C:\\x\\uv\\tools\\mcp-server-git\\Scripts\\mcp.exe", [], "pypi/mcp-server-git"),
        ("python3", ["/x/uv/tools/mcp-server-git/bin/serve"], "pypi/mcp-server-git"),
        ("/x/uv/tools/mcp-server-git/bin/python", ["-m", "mcp_server_git"], "pypi/mcp-server-git"),
        ("/x/uv/tools/mcp-server-git/lib/serve", [], "stdio/serve"),
        ("python", ["/x/site-packages/mcp_server_git/__main__.py"], "pypi/mcp-server-git"),
        ("python", ["/x/site-packages/mcp_server_git/cli.py"], "stdio/cli.py"),
        ("/x/node_modules/@example/tools/dist/i.js", [], "npm/@example/tools"),
        ("node", [], "stdio/node"),
        ("uv run python", ["tests/math_server.py"], "stdio/math_server.py"),
        ("uv run python", ["-c", "raise SystemExit"], "stdio/python"),
        ("uv", ["run", "--with", "mcp[cli]", "mcp", "run", "/x/messages.py"], "stdio/messages.py"),
        ("uv", ["run", "--with", "mcp[cli]", "fastmcp", "run", "a/b.py:app"], "stdio/b.py"),
        ("uv", ["run", "mcp-server-git"], "pypi/mcp-server-git"),
        ("python3", ["-m", "files.server"], "pypi/files"),
        ("~/Library/Application Support/tool/cli-arm64", ["mcp"], "stdio/cli-arm64"),
        ("C:\\Program Files\\nodejs\\npx.cmd", ["-y", "server-files"], "npm/server-files"),
        ("/usr/bin/python3 /opt/server.py", [], "stdio/server.py"),
        ("cmd", ["/c", "npx", "-y", "server-files"], "npm/server-files"),
        ("bash", ["-lc", "cd /x"], "stdio/cd"),
        ("sh", ["-c", "uvx mcp-server-git --x"], "pypi/mcp-server-git"),
        ("env", ["TOKEN=fake", "npx", "server-files"], "npm/server-files"),
        ("npx", ["-y", "mcp-remote", "https://mcp.example/sse"], "mcp.example"),
        ("npx", ["-y", "mcp-remote@0.1", "--port", "1"], "npm/mcp-remote"),
        ("uvx", ["mcp-proxy", "--transport", "x", "https://g.example/a/mcp"], "g.example/a"),
        (
            "uvx",
            ["--from", "git+https://git.example/O/R.git@v1", "serve"],
            "git/git.example/o/r",
        ),
        ("npx", ["-y", "github:owner/name"], "git/github.com/owner/name"),
        ("", [], None),
    ],
)
def test_a_server_that_is_started(command: str, args: object, known: str | None) -> None:
    found = server(command=command, args=args)
    assert (found.id if found else None) == known


def test_a_title_is_the_last_resort() -> None:
    named = server(url="https://mcp.example/mcp", title="Files")
    assert named is not None
    assert (named.id, named.name) == ("mcp.example", "Files")
    alone = server(title="files")
    assert alone is not None
    assert (alone.id, alone.name) == ("files", None)
    assert server() is None


def test_usual_ports_say_nothing() -> None:
    assert at("A.example.", 443) == at("a.example") == "a.example"
    assert at("a.example", "8080") == "a.example:8080"
    assert at(None, 80) is None
