"""What a query may not do: each way out of the store that was thought of, tried on a real one."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.reading import confined
from infra.reading.reader import TOO_LARGE, Reader
from schemas.errors import Mistake
from schemas.rows import Result
from sinks.parquet import Parquet
from sinks.store import Store

SECRET = "do-not-read"  # noqa: S105 - of nobody
ALONE = "a query sees the store and nothing else: no files, network, extensions or settings"
FACT = {"entity": "agent:bot", "name": "exposed", "state": "open", "since": "2026-01-01T00:00:00Z"}
RESULTS: Sequence[Result] = (Result("fact", "f1", 0, "final", FACT),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store and a history, and a file beside them that is not ours."""
    folder = tmp_path_factory.mktemp("sandbox")
    for sink in (Store(folder / "store", finite=True), Parquet(folder / "history")):
        sink.open(None)
        sink.write(RESULTS)
        sink.close()
    (folder / "secret.csv").write_text(f"a,b\n1,{SECRET}\n")
    return folder


@pytest.fixture(params=["store/barograph.duckdb", "history"])
def place(folder: Path, request: pytest.FixtureRequest) -> Path:
    return folder / str(request.param)


def refused(place: Path, query: str) -> str:
    """Return the one sentence with which it is refused; nothing else is on the disk after."""
    before = sorted(place.parent.rglob("*"))
    with Reader(place) as reader, pytest.raises(Mistake) as mistake:
        reader.run(query)
    assert sorted(place.parent.rglob("*")) == before
    sentence = str(mistake.value)
    assert "\n" not in sentence
    assert SECRET not in sentence
    return sentence


@pytest.mark.parametrize(
    "query",
    [
        "FROM read_csv('{}')",
        "FROM read_text('{}')",
        "FROM read_blob('{}')",
        "FROM sniff_csv('{}')",
        "FROM read_json('{}')",
        "FROM parquet_metadata('{}')",
        "FROM parquet_schema('{}')",
        "FROM glob('{}')",
        "FROM glob('/*')",
        "FROM read_parquet('https://files.example/x.parquet')",
        "FROM read_csv('/proc/self/environ')",
        "FROM duckdb_secrets()",
        "SELECT (SELECT content FROM read_text('{}'))",
        "FROM query('FROM read_text(''{}'')')",
        "EXPLAIN ANALYZE FROM read_text('{}')",
    ],
)
def test_no_file_and_no_network_is_read(place: Path, folder: Path, query: str) -> None:
    assert refused(place, query.format(folder / "secret.csv")) == ALONE


@pytest.mark.parametrize("query", ["FROM '{}'", "FROM '{}/*.csv'", "FROM 'file.parquet'"])
def test_a_file_is_no_table(place: Path, folder: Path, query: str) -> None:
    sentence = refused(place, query.format(folder / "secret.csv"))
    assert sentence == ALONE or "does not exist" in sentence


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("COPY facts TO '{}/x.csv'", "COPY"),
        ("COPY (SELECT 1) TO '{}/x.parquet'", "COPY"),
        ("COPY facts FROM '{}/secret.csv'", "COPY"),
        ("ATTACH '{}/other.duckdb'", "ATTACH"),
        ("DETACH barograph", "DETACH"),
        ("EXPORT DATABASE '{}/x'", "EXPORT"),
        ("IMPORT DATABASE '{}/x'", "PRAGMA"),
        ("INSTALL httpfs", "LOAD"),
        ("LOAD httpfs", "LOAD"),
        ("SET threads = 64", "SET"),
        ("SET enable_external_access = true", "SET"),
        ("SET VARIABLE x = 1", "SET"),
        ("RESET memory_limit", "SET"),
        ("USE memory", "SET"),
        ("PRAGMA database_list", "PRAGMA"),
        ("PRAGMA enable_profiling", "PRAGMA"),
        ("CALL pragma_version()", "CALL"),
        ("CREATE TABLE x (i INTEGER)", "CREATE"),
        ("CREATE TEMP TABLE x AS FROM range(9)", "CREATE"),
        ("CREATE SECRET s (TYPE s3)", "CREATE"),
        ("CREATE MACRO m() AS 1", "CREATE"),
        ("INSERT INTO facts (id) VALUES ('x')", "INSERT"),
        ("UPDATE facts SET title = ''", "UPDATE"),
        ("DELETE FROM facts", "DELETE"),
        ("DROP TABLE facts", "DROP"),
        ("ALTER TABLE facts ADD COLUMN x INTEGER", "ALTER"),
        ("PREPARE p AS SELECT 1", "PREPARE"),
        ("EXECUTE p", "EXECUTE"),
        ("BEGIN", "TRANSACTION"),
        ("VACUUM", "VACUUM"),
        ("CHECKPOINT", "CALL"),
    ],
)
def test_only_questions_are_run(place: Path, folder: Path, query: str, kind: str) -> None:
    sentence = refused(place, query.format(folder))
    assert sentence == f"a query only asks: {kind} is not run; begin it with SELECT or FROM"


@pytest.mark.parametrize("inner", ["COPY facts TO '{}/x.csv'", "CREATE TABLE x (i INTEGER)"])
def test_an_explanation_runs_nothing_but_questions(place: Path, folder: Path, inner: str) -> None:
    for explain in ("EXPLAIN ANALYZE ", "explain\n", "/**/ EXPLAIN ANALYZE "):
        assert "a query only asks" in refused(place, explain + inner.format(folder))


@pytest.mark.parametrize(
    "query",
    [
        "FROM enable_logging('QueryLog', storage_path='{}')",
        "FROM enable_profiling(save_location='{}/x.json')",
        "FROM query('COPY (SELECT 1) TO ''{}/x.csv''')",
        "FROM query_table('{}/secret.csv')",
        "FROM sniff_csv('{}/secret.csv')",
        "FROM read_duckdb('{}/other.duckdb')",
        "SUMMARIZE '{}/secret.csv'",
        "DESCRIBE FROM '{}/secret.csv'",
    ],
)
def test_a_function_acts_no_more_than_a_statement(place: Path, folder: Path, query: str) -> None:
    before = sorted(folder.rglob("*"))
    sentence = refused(place, query.format(folder))
    told = ("has been locked", "single SELECT statement", "does not exist")
    assert sentence == ALONE or any(part in sentence for part in told)
    assert sorted(folder.rglob("*")) == before


def test_a_table_expression_writes_nothing(place: Path) -> None:
    sentence = refused(place, "WITH gone AS (DELETE FROM facts RETURNING id) FROM gone")
    assert "read-only mode" in sentence or "Can only" in sentence


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT 1; SELECT 2", "ask one thing at a time: this is 2 statements"),
        ("SELECT 1; COPY facts TO '/x'", "ask one thing at a time: this is 2 statements"),
        ("", "the query asks for nothing; begin it with SELECT or FROM"),
        ("-- nothing", "the query asks for nothing; begin it with SELECT or FROM"),
    ],
)
def test_one_thing_is_asked_at_a_time(place: Path, query: str, sentence: str) -> None:
    assert refused(place, query) == sentence


@pytest.mark.parametrize("name", ["reader", "place", "query", "rows", "self", "os", "frame"])
def test_variables_of_the_program_are_no_tables(place: Path, name: str) -> None:
    with Reader(place) as reader, pytest.raises(Mistake, match=f"name {name} does not exist"):
        reader.run(f"FROM {name}")


def test_the_environment_is_not_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAROGRAPH_SECRET", SECRET)
    assert "getenv does not exist" in refused(place, "SELECT getenv('BAROGRAPH_SECRET')")


def test_questions_of_all_forms_are_answered(place: Path) -> None:
    with Reader(place) as reader:
        for query in (
            "FROM facts",
            "WITH f AS (FROM facts) SELECT count(*) FROM f",
            "VALUES (1)",
            "DESCRIBE facts",
            "SUMMARIZE facts",
            "SHOW TABLES",
            "EXPLAIN FROM facts",
            "explain analyze SELECT 1",
            "PIVOT facts ON name USING count(*)",
            "SELECT 1;",
        ):
            assert reader.run(query).rows, query


BOMBS = {
    "a list of a billion": "SELECT list(range) FROM range(1000000000)",
    "a list at once": "SELECT len(range(3000000000))",
    "a text of 3 GB": "SELECT length(repeat('x', 3000000000))",
    "a padded text": "SELECT length(lpad('x', 2000000000, 'y'))",
    "a wide number": "SELECT length(format('{:2000000000}', 1))",
    "a long list that is sorted": "SELECT len(list_sort(range(400000000)))",
    "a sort without a disk": "FROM range(100000000) a, range(100) b ORDER BY random()",
    "one text of all": "SELECT string_agg(repeat('x', 1000), '') FROM range(10000000)",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_more_memory_than_allowed_is_not_taken(folder: Path, bomb: str) -> None:
    with pytest.raises(Mistake) as mistake:
        confined.answer(folder / "store/barograph.duckdb", BOMBS[bomb], rows=10, seconds=10.0)
    sentence = str(mistake.value)
    assert sentence == TOO_LARGE or sentence.startswith("the query took more than 10 s")


ENDLESS = {
    "counting": "SELECT count(*) FROM range(100000000000000)",
    "recursion": "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t)"
    " SELECT max(i) FROM t",
    "cross joins": "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c"
    " WHERE a.range + b.range = c.range + random()",
    "a function that hears nothing": "SELECT"
    " levenshtein(repeat('ab', 200000), repeat('ba', 200000))",
}


@pytest.mark.parametrize("endless", ENDLESS)
def test_no_query_goes_on_without_end(
    folder: Path, endless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "PATIENCE", 4.0)
    with pytest.raises(Mistake, match="the query took more than 1 s; narrow it or give it more"):
        confined.answer(folder / "store/barograph.duckdb", ENDLESS[endless], rows=10, seconds=1.0)


def test_no_more_rows_than_asked_for_come_back(place: Path) -> None:
    answer = confined.answer(place, "FROM range(10000000000000)", rows=5, seconds=30.0)
    assert (answer.rows, answer.more) == ([(0,), (1,), (2,), (3,), (4,)], True)


def test_a_frame_has_exact_types(place: Path) -> None:
    found = confined.frame(place, "SELECT $n::SMALLINT AS n", {"n": 5}, rows=5, seconds=30.0)
    assert found.to_dict(as_series=False) == {"n": [5]}
    assert str(found.schema["n"]) == "Int16"


def test_the_process_knows_no_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAROGRAPH_SINK__0__SECRET", SECRET)
    passed = {name for name in os.environ if name in confined.PASSED}
    assert "BAROGRAPH_SINK__0__SECRET" not in passed
    assert confined.answer(folder / "history", "SELECT 1 AS n", rows=1, seconds=30.0).rows == [(1,)]


def test_somebody_who_waits_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "SLOW", 0.01)
    told: list[str] = []
    confined.answer(
        folder / "history", "SELECT 1", rows=1, seconds=30.0, slow=lambda: told.append("slow")
    )
    assert told == ["slow"]
