"""`barograph query`: formats, bounds, and what a query may not do."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from infra.cli import main
from sinks.parquet import Parquet
from tests.infra.commands.conftest import RESULTS

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


def test_a_value_is_given_to_a_query_of_ours(ask: Ask) -> None:
    query = ("query", "--name", "new_tools", "--format", "json")
    assert [json.loads(line)["entity"] for line in ask(*query)[1].splitlines()] == ["tool:search"]
    code, out, error = ask(*query, "--param", "since=soon")
    assert (code, out) == (2, "")
    assert error == (
        "barograph: query 'new_tools': since cannot be 'soon'; give it like 7d, 12h or 90m;"
        " it takes since: INTERVAL = 7d\n"
    )


def test_a_value_is_never_part_of_the_query(ask: Ask) -> None:
    hostile = "x' OR true; DROP TABLE facts; --"
    code, out, _ = ask("query", "--name", "reach", "--param", f"cve={hostile}", "--format", "json")
    assert (code, out) == (0, "")
    assert ask("query", FACT)[1].count("\n") == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--name", "agents", "--param", "since"),
            "--param 'since' has no value; write it as NAME=",
        ),
        (("FROM facts", "--param", "a=b"), "--param is for the queries that --name names"),
        (
            ("--name", "lineage"),
            "query 'lineage' needs entity; it takes entity: VARCHAR, as_of: TIM",
        ),
        (("--name", "systems", "--param", "a=b"), "has no parameter 'a'; it takes none"),
        (("FROM facts", "--rows", "0"), "argument --rows: invalid _count value: '0'"),
        (("FROM facts", "--seconds", "nan"), "argument --seconds: invalid _span value: 'nan'"),
    ],
)
def test_what_is_wrong_with_a_question_is_said(ask: Ask, words: tuple[str, ...], said: str) -> None:
    code, out, error = ask("query", *words)
    assert (code, out) == (2, "")
    assert said in error


def test_no_rows_of_a_query_of_ours_are_told_with_what_to_do(ask: Ask) -> None:
    assert ask("query", "--name", "waivers")[2] == (
        "barograph: no rows; the store holds nothing of the kind\n"
    )
    assert ask("query", "--name", "denied")[2] == (
        "barograph: no rows; it takes since: INTERVAL = 7d; give other values with --param\n"
    )


def test_names_of_columns_do_nothing_either(ask: Ask) -> None:
    query = 'SELECT 1 AS "=cmd()", 2 AS "\x1b[31m", INTERVAL \'-1 day\' AS c, 3 AS "a\nb"'
    _, table, _ = ask("query", query)
    assert table.splitlines()[0].split()[:2] == ["=cmd()", "\\x1b[31m"]
    assert len(table.splitlines()) == 3
    _, out, _ = ask("query", query, "--format", "csv")
    assert list(csv.DictReader(out.splitlines(keepends=True))) == [
        {"'=cmd()": "1", "\x1b[31m": "2", "c": "'-1 day, 0:00:00", "a\nb": "3"}
    ]


HOSTILE = (
    "SELECT chr(0) || chr(7) || chr(13) || chr(10) || chr(8238) || repeat('x', 100000) AS text"
)


@pytest.mark.parametrize("form", ["table", "json", "csv", "parquet"])
def test_hostile_texts_arrive_whole_in_every_form(ask: Ask, tmp_path: Path, form: str) -> None:
    file = tmp_path / "answer"
    assert ask("query", HOSTILE, "--format", form, "--output", str(file)) == (0, "", "")
    value = "\0\a\r\n\u202e" + "x" * 100_000
    if form == "json":
        assert json.loads(file.read_bytes()) == {"text": value}
    elif form == "csv":
        with file.open(newline="", encoding="utf-8") as lines:
            assert list(csv.reader(lines)) == [["text"], [value]]
    elif form == "parquet":
        assert pl.read_parquet(file).rows() == [(value,)]
    else:
        assert file.read_text("utf-8").splitlines()[2] == "\\x00\\x07  \\u202e" + "x" * 100_000


def test_the_history_is_asked_in_the_place_of_the_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = Parquet(tmp_path)
    history.open(None)
    history.write(RESULTS)
    history.close()
    query = ["query", "--name", "systems", "--format", "json", "--history", str(tmp_path)]
    assert main(query) == 0
    assert json.loads(capsys.readouterr().out) == {
        "name": "shop",
        "root": "application:shop",
        "members": 3,
        "open_facts": 1,
        "open_alerts": 0,
    }
    assert main([*query, "--history", str(tmp_path / "x")]) == 2
    assert "is no folder; name the `path` of a parquet sink" in capsys.readouterr().err


def test_an_unknown_name_is_answered_with_the_names(ask: Ask) -> None:
    code, _, error = ask("query", "--name", "nobody")
    assert code == 2
    assert "no query is called 'nobody'; there are after_injection, ageing, agents, alerts" in error


def test_the_list_has_queries_tables_views_and_macros(ask: Ask) -> None:
    _, out, _ = ask("query", "--list")
    kinds = {line.split()[0] for line in out.splitlines()[2:]}
    assert kinds == {"query", "table", "view", "macro"}
    assert "open_alerts" in out
    assert "NULL" not in out.replace("edges_at(NULL)", "").replace("= NULL", "")


def test_a_query_without_end_is_interrupted(ask: Ask) -> None:
    endless = "SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE a.range % 7 = b.range"
    code, _, error = ask("query", endless, "--seconds", "0.2")
    *_, last = error.splitlines()  # before it, perhaps, that we are still asking
    assert (code, last) == (
        2,
        "barograph: the query took more than 0.2 s; narrow it or give it more time",
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
