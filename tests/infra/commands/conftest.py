"""A small store that the commands ask."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main
from infra.dev.broker import Broker
from schemas.rows import Result, ResultKind
from sinks.store import Store

T = "2026-01-01T12:00:00.250000Z"
SHOP, BOT = "application:shop", "agent:bot"

Ask = Callable[..., tuple[int, str, str]]


def result(kind: ResultKind, id_: str, **body: Any) -> Result:  # noqa: ANN401 - JSON
    return Result(kind, id_, 0, "final", body)


def edge(from_: str, relation: str, to: str, **more: str) -> Result:
    body = {"from": from_, "relation": relation, "to": to, "declared": True, "last_seen": T}
    return Result("edge", f"{from_}{to}", 0, "final", body | {"valid_from": T} | more)


def asset(kind: str, id_: str, **attributes: str) -> Result:
    body = {"kind": kind, "id": id_, "first_seen": T, "last_seen": T, "sources": ["otel"]}
    return Result("asset", f"{kind}:{id_}", 0, "final", body | {"attributes": attributes})


RESULTS: Sequence[Result] = (
    asset("application", "shop"),
    asset("agent", "bot", **{"asset.exposure": "internet"}),
    asset("tool", "search"),
    edge(SHOP, "runs", BOT),
    edge(BOT, "uses", "tool:search"),
    edge(BOT, "uses", "tool:old", valid_to="2026-02-01T00:00:00.000000Z"),
    result("system", SHOP, id=SHOP, name="shop", root=SHOP, members=[SHOP, BOT, "tool:search"]),
    result(
        "fact",
        "f1",
        entity=BOT,
        name="exposed",
        instance="",
        state="open",
        since=T,
        severity="high",
        confidence=0.9,
        title="=HYPERLINK(1)\x1b[31m",
    ),
)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    writing = Store(folder, finite=True)
    writing.open(None)
    writing.write(RESULTS)
    writing.close()
    return folder


@pytest.fixture
def ask(store: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command on the store; its exit code, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main([*words, "--store", str(store)])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


@pytest.fixture
def kafka(broker: Broker, prefix: str, tmp_path: Path) -> str:
    """The path of a configuration with topics of its own on the broker, two partitions each."""
    path = tmp_path / "kafka.toml"
    path.write_text(
        f'[kafka]\nbootstrap = "{broker.bootstrap}"\nprefix = "{prefix}"\npartitions = 2\n'
    )
    return str(path)
