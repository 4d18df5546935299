"""The store of the demo, played once, and a server over any store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from infra.api.api import BODY, Api
from infra.cli import main
from infra.reading.snapshots import Snapshots
from schemas.config import ServerConfig
from schemas.times import parse

NOW = parse("2026-11-21T12:00:00Z")
Client = TestClient[web.Request, web.Application]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the snapshot of the demo's store."""
    folder = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--fast", "--out", str(folder)]) == 0
    return folder / "barograph.duckdb"


@asynccontextmanager
async def serving(path: Path | None, **settings: Any) -> AsyncGenerator[Client]:  # noqa: ANN401
    """A client of the API over this store, with settings of [server]."""
    app = web.Application(client_max_size=BODY)
    snapshots = Snapshots(path)
    config = ServerConfig.model_validate({"rate": 1e6, **settings})
    Api(snapshots, config, (), lambda: NOW).add_to(app)
    async with TestClient(TestServer(app)) as client:
        yield client
    snapshots.close()


@pytest.fixture
async def client(demo: Path) -> AsyncIterator[Client]:
    """Yield a client of the API over the demo's store."""
    async with serving(demo) as client:
        yield client


Get = Callable[[str], Coroutine[Any, Any, Any]]


@pytest.fixture
def get(client: Client) -> Get:
    """Return what asks for a path under /api/v1 and gives the JSON of a good answer."""

    async def asked(path: str) -> Any:  # noqa: ANN401 - JSON
        async with client.get(f"/api/v1{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    return asked
