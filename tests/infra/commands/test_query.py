"""`barograph query`: formats, bounds, and what a query may not do."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from infra.cli import main
from infra.commands.query import queries

Ask = Callable[..., tuple[int, str, str]]
FACT = "SELECT entity, title, since FROM posture"
TITLE = "=HYPERLINK(1)\x1b[31m"


def test_a_table_is_aligned_and_its_texts_do_nothing(ask: Ask) -> None:
    expected = (
        "entity     title                  since\n"
        "---------  ---------------------  ---------------------------\n"
        "agent:bot  =HYPERLINK(1)\\x1b[31m  2026-01-01T12:00:00.250000Z\n"
    )
    assert ask("query", FACT) == (0, expected, "")


def test_json_has_one_object_per_row_with_values_inside(ask: Ask) -> None:
    query = "SELECT entity, attributes, sources, first_seen, name FROM assets ORDER BY ALL LIMIT 2"
    _, out, _ = ask("query", query, "--format", "json")
    agent, application = map(json.loads, out.splitlines())
    assert agent == {
        "entity": "agent:bot",
        "attributes": {"asset.exposure": "internet"},
        "sources": ["otel"],
        "first_seen": "2026-01-01T12:00:00.250000Z",
        "name": None,
    }
    assert application["entity"] == "application:shop"


def test_json_takes_whatever_a_query_may_return(ask: Ask) -> None:
    query = (
        "SELECT 10::HUGEINT * 1000000000000000000000 AS huge, 'x'::BLOB AS blob, [1] AS list,"
        " {'t': TIMESTAMP '2026-01-01'} AS struct, 1.50::DECIMAL(4, 2) AS decimal,"
        " TIMESTAMPTZ '2026-01-01 00:00:00+00' AS zoned"
    )
    _, out, _ = ask("query", query, "--format", "json")
    assert json.loads(out) == {
        "huge": 10**22,
        "blob": "b'x'",
        "list": [1],
        "struct": {"t": "2026-01-01T00:00:00.000000Z"},
        "decimal": "1.50",
        "zoned": "2026-01-01T00:00:00.000000Z",
    }


def test_csv_is_read_back_and_no_spreadsheet_runs_it(ask: Ask) -> None:
    _, out, _ = ask("query", FACT, "--format", "csv")
    assert list(csv.DictReader(out.splitlines(keepends=True))) == [
        {"entity": "agent:bot", "title": "'" + TITLE, "since": "2026-01-01T12:00:00.250000Z"}
    ]


def test_parquet_goes_to_a_file(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "facts.parquet"
    assert ask("query", FACT, "--format", "parquet", "--output", str(file)) == (0, "", "")
    frame = pl.read_parquet(file)
    assert frame.rows()[0][:2] == ("agent:bot", TITLE)
    assert frame.schema["since"] == pl.Datetime("us")


def test_parquet_without_a_file_is_a_mistake(ask: Ask) -> None:
    code, _, error = ask("query", FACT, "--format", "parquet")
    assert (code, error) == (
        2,
        "barograph: parquet is not for the terminal; name a file with --output\n",
    )


def test_an_output_that_cannot_be_written_is_told(ask: Ask, tmp_path: Path) -> None:
    for form in ("json", "parquet"):
        file = str(tmp_path / "nowhere" / "x")
        code, _, error = ask("query", FACT, "--format", form, "--output", file)
        assert (code, file in error) == (3, True)


def test_more_rows_than_asked_for_are_said_on_stderr(ask: Ask) -> None:
    code, out, error = ask("query", "FROM range(9)", "--rows", "2", "--format", "json")
    assert (code, out) == (0, '{"range":0}\n{"range":1}\n')
    assert error == "barograph: the first 2 rows; ask for more with --rows\n"


@pytest.mark.parametrize("name", list(queries()))
def test_every_query_that_comes_along_runs_and_says_what_it_tells(ask: Ask, name: str) -> None:
    code, out, error = ask("query", "--name", name)
    assert (code, error) == (0, "")
    assert out
    assert queries()[name].startswith("-- ")


def test_an_unknown_name_is_answered_with_the_names(ask: Ask) -> None:
    code, _, error = ask("query", "--name", "nobody")
    assert code == 2
    assert "no query is called 'nobody'; there are alerts, detections, " in error


def test_the_list_has_queries_tables_views_and_macros(ask: Ask) -> None:
    _, out, _ = ask("query", "--list")
    kinds = {line.split()[0] for line in out.splitlines()[2:]}
    assert kinds == {"query", "table", "view", "macro"}
    assert "open_alerts" in out
    assert "NULL" not in out.replace("edges_at(NULL)", "")


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("SELEC", "syntax error"),
        ("FROM nothing", "Table with name nothing does not exist"),
        ("FROM read_csv('/etc/passwd')", "file system operations are disabled"),
        ("FROM '/etc/passwd'", "does not exist"),
        ("FROM glob('/*')", "file system operations are disabled"),
        ("COPY facts TO '/tmp/barograph-facts.csv'", "file system operations are disabled"),
        ("ATTACH '/tmp/barograph-other.duckdb'", "file system operations are disabled"),
        ("INSTALL httpfs", "file system operations are disabled"),
        ("CREATE TABLE x (i INTEGER)", "read-only mode"),
        ("DELETE FROM facts", "read-only mode"),
        ("SET threads = 8", "the configuration has been locked"),
        ("SET enable_external_access = true", "configuration"),
    ],
)
def test_what_a_query_may_not_do(ask: Ask, query: str, part: str) -> None:
    code, out, error = ask("query", query)
    assert (code, out) == (2, "")
    assert part in error
    assert error.count("\n") == 1


def test_a_query_without_end_is_interrupted(ask: Ask) -> None:
    endless = "SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE a.range % 7 = b.range"
    code, _, error = ask("query", endless, "--seconds", "0.2")
    assert (code, error) == (
        2,
        "barograph: the query took more than 0.2 s; narrow it or give it more time\n",
    )


def test_without_a_store_the_way_to_one_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["query", "--list"]) == 2
    said = "there is no store in out or barograph-data; run `barograph demo` or"
    assert said in capsys.readouterr().err


def test_the_newer_of_the_usual_places_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("barograph-data", "out"):
        (tmp_path / folder).mkdir()
        with duckdb.connect(tmp_path / folder / "barograph.duckdb") as db:
            db.execute(f"CREATE TABLE place AS SELECT '{folder}' AS folder")
    assert main(["query", "FROM place", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "folder\nout\n"


def test_a_file_that_is_no_store_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_bytes(b"x" * 10_000)
    assert main(["query", "--list", "--store", str(tmp_path / "x")]) == 2
    assert "is no store that can be read" in capsys.readouterr().err
