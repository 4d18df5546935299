"""Named queries: what they take, and what each answers about the bundled scenario, written out.

`queries/<name>.jsonl` has on its first line the values given and how many rows there are, then the
first rows. The scenario's folder is called `out` there.
"""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cli import main
from infra.reading.named import Query, built_in, named, queries, value
from infra.reading.reader import Reader
from infra.terminal.tables import json_lines
from schemas.errors import Mistake
from sinks.store import SNAPSHOT, Store

EXPECTED = Path(__file__).parent / "queries"
ROWS = 10  # of an answer that are written out
NEEDED = {"entity": "application:x"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the scenario's store."""
    out = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--fast", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    store = Store(folder, finite=True)
    store.open(None)
    store.close()
    return folder / SNAPSHOT


@pytest.mark.parametrize("name", list(queries()))
def test_what_a_query_says_of_the_scenario(demo: Path, name: str) -> None:
    text = (EXPECTED / f"{name}.jsonl").read_text("utf-8")
    expected = [json.loads(line) for line in text.strip().split("\n")]
    assert told(demo, name, expected[0]["given"]) == expected


def told(demo: Path, name: str, values: dict[str, str]) -> list[dict[str, Any]]:
    query = named(name)
    with Reader(demo / SNAPSHOT) as reader:
        answer = reader.run(query.sql, query.bound(values))
    lines = (line.replace(str(demo), "out") for line in json_lines(answer))
    rows = [json.loads(line) for line in islice(lines, ROWS)]
    return [{"given": values, "rows": len(answer.rows)}, *rows]


def test_the_ledger_of_one_alert_is_told_also_when_it_is_over(demo: Path) -> None:
    first, *lines = told(demo, "ledger", {"alert": "3fbc2b26"})
    assert first["rows"] == len(lines)
    (priority,) = {line["priority"] for line in lines}
    with Reader(demo / SNAPSHOT) as reader:
        asked = "SELECT id, status, priority FROM alerts WHERE status <> 'open'"
        assert reader.run(asked).rows == [("3fbc2b262ae12cab655dc9ade01d8211", "expired", priority)]
    assert {line["id"] for line in lines} == {"3fbc2b262ae12cab655dc9ade01d8211"}


def test_each_file_of_expected_answers_has_its_query() -> None:
    assert {path.stem for path in EXPECTED.iterdir()} == set(queries())


@pytest.mark.parametrize("name", list(queries()))
def test_an_empty_store_has_no_rows_and_no_error(empty: Path, name: str) -> None:
    query = named(name)
    needed = {p.name: NEEDED[p.name] for p in query.parameters if p.default is None}
    with Reader(empty) as reader:
        assert reader.run(query.sql, query.bound(needed)).rows == []


@pytest.mark.parametrize("query", list(queries().values()), ids=lambda query: query.name)
def test_a_query_says_what_it_tells_and_uses_what_it_takes(query: Query) -> None:
    assert query.sql.startswith(f"-- {query.tells}\n")
    assert query.tells[0].isupper()
    assert len(query.tells) <= 128
    assert all(f"${parameter.name}" in query.sql for parameter in query.parameters)
    assert query.sql.count("-- param ") == len(query.parameters)


def test_there_are_more_than_thirty() -> None:
    assert len(queries()) >= 55


@pytest.mark.parametrize(
    ("kind", "text", "meant"),
    [
        ("INTERVAL", "3d", timedelta(days=3)),
        ("INTERVAL", "7 days", timedelta(days=7)),
        ("INTERVAL", "1 hour", timedelta(hours=1)),
        ("INTERVAL", "90m", timedelta(minutes=90)),
        ("TIMESTAMP", "2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10)),  # noqa: DTZ001 - of DuckDB
        ("TIMESTAMP", "2026-11-21T12:00:00+02:00", datetime(2026, 11, 21, 10)),  # noqa: DTZ001 - as above
        ("INTEGER", "-5", -5),
        ("VARCHAR", "a'b", "a'b"),
        ("VARCHAR", "NULL", None),
        ("VARCHAR[]", "a,b", ["a", "b"]),
        ("VARCHAR[]", "built-in rules", list(built_in())),
    ],
)
def test_a_value_has_the_type_of_its_parameter(kind: str, text: str, meant: object) -> None:
    assert value(kind, text) == meant


@given(st.sampled_from(["INTERVAL", "TIMESTAMP", "INTEGER"]), st.text())
def test_any_text_is_a_value_or_a_mistake_that_says_what_is_taken(kind: str, text: str) -> None:
    query = Query("q", "Tells", (queries()["lineage"].parameters[0]._replace(type=kind),), "")
    try:
        bound = query.bound({"entity": text})
    except Mistake as mistake:
        assert "query 'q': entity cannot be" in str(mistake)  # noqa: PT017 - or it is a value
    else:
        assert isinstance(bound["entity"], timedelta | datetime | int | None)


def test_now_is_the_newest_time_of_the_store(demo: Path) -> None:
    with Reader(demo / SNAPSHOT) as reader:
        ((newest,),) = reader.run("SELECT time FROM newest").rows
    assert newest.replace(tzinfo=UTC).isoformat() == "2026-03-03T23:20:18+00:00"


def test_rules_that_come_along_are_known_by_their_files() -> None:
    assert "lethal_trifecta" in built_in()
    assert "guardrail_blocked_prompt_attack" in built_in()
    assert not [name for name in built_in() if name.endswith(".cases")]
