"""docs/queries.md is what the code says, and its recipes run."""

import re
from pathlib import Path

import duckdb
import polars as pl
import pytest

from infra.cli import main
from infra.dev.queries import OUT, page
from infra.reading.named import queries
from sinks.store import SNAPSHOT

ROOT = Path(__file__).parents[3]
WRITTEN = (ROOT / OUT).read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", WRITTEN, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the scenario was played into `out`, and into a history."""
    folder = tmp_path_factory.mktemp("recipes")
    assert main(["demo", "--fast", "--out", str(folder / "out")]) == 0
    return folder


def test_the_page_is_up_to_date() -> None:
    assert page(WRITTEN) == WRITTEN, "bring it up to date: python -m infra.dev.queries"


def test_each_query_is_on_the_page() -> None:
    assert all(f"| `{name}` |" in WRITTEN for name in queries())


def test_the_recipes_of_python_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    plain, ours, connected, hours, *_ = blocks("python")
    for code in (plain, ours):
        exec(code, {})  # noqa: S102 - from our own page
    notebook: dict[str, object] = {}
    exec(connected + hours, notebook)  # noqa: S102 - as above
    frame = notebook["hours"]
    assert isinstance(frame, pl.DataFrame)
    assert frame["signals"].sum() == 1795
    store = notebook["store"]
    assert isinstance(store, duckdb.DuckDBPyConnection)
    store.close()


def test_time_travel_runs(folder: Path) -> None:
    (travel, *_) = blocks("sql")
    with duckdb.connect(folder / "out" / SNAPSHOT, read_only=True) as db:
        for statement in travel.strip().split("\n"):
            assert db.execute(statement).fetchall(), statement
