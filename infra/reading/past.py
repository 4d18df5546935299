"""Past: the history of the parquet sink as the tables and views of the store."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import duckdb

import sinks
from schemas.errors import Mistake
from sinks.history.parts import (
    KEYS,
    STEADY,
    TOMBSTONE,
    days,
    every,
    listed,
    newest,
    parts,
    quoted,
)
from sinks.store import TABLES, VIEWS

# Of copies of a state, too, one: by its place. Only keys are sorted; the rest is read where asked.
_NEWEST: Final = """
SELECT {columns} FROM read_parquet({files}, {options}, filename = true, file_row_number = true)
WHERE NOT {gone} AND (filename, file_row_number) IN (
  SELECT (filename, file_row_number)
  FROM read_parquet({files}, {options}, filename = true, file_row_number = true)
  QUALIFY {newest})"""
_PLAIN: Final = "SELECT {columns} FROM read_parquet({files}, {options}) WHERE NOT {gone}"
_OPTIONS: Final = "union_by_name = true, hive_partitioning = false"


def unrolled(folder: Path, sandbox: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A database in memory whose tables are views over the files that lie below `folder` now.

    It may read that folder and nothing else. Tables without files are empty. Raises Mistake if
    there is no history.
    """
    folder = folder.resolve()
    found = [table for table in KEYS if next(every(folder, table), None)]
    if not found:
        raise Mistake(f"{folder} holds no history; name the `path` of a parquet sink")
    later = {"enable_external_access", "lock_configuration"}  # DuckDB wants the folder before
    db = duckdb.connect(config={name: sandbox[name] for name in sandbox.keys() - later})
    db.execute(f"SET allowed_directories = {listed([folder])}")
    db.execute("SET enable_external_access = false")
    db.execute(_text(TABLES))
    for table in found:
        _replace(db, table, folder)
    for views in VIEWS:
        db.execute(_text(views))
    db.execute("SET lock_configuration = true")
    return db


def _replace(db: duckdb.DuckDBPyConnection, table: str, folder: Path) -> None:
    """Put a view over the files in the place of an empty table."""
    (comment,) = db.execute(
        "SELECT comment FROM duckdb_tables() WHERE table_name = ?", [table]
    ).fetchall()[0]
    columns = db.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?"
        " ORDER BY column_index",
        [table],
    ).fetchall()
    there = listed(list(every(folder, table)))
    described = db.execute(f"DESCRIBE FROM read_parquet({there}, {_OPTIONS})").fetchall()
    known = {row[0] for row in described}
    said = ", ".join(
        f"CAST({name if name in known else 'NULL'} AS {kind}) AS {name}" for name, kind in columns
    )
    db.execute(f"DROP TABLE {table}")
    db.execute(f"CREATE VIEW {table} AS {' UNION ALL '.join(_selects(folder, table, said))}")
    db.execute(f"COMMENT ON VIEW {table} IS {quoted(comment)}")


def _selects(folder: Path, table: str, columns: str) -> Iterator[str]:
    """Where a day is one file and times are steady, each id is there once: nothing to sort."""
    by_day = [parts(day) for day in days(folder, table)]
    alone = [found for found in by_day if len(found) == 1 and table in STEADY]
    others = [found for found in by_day if found and found not in alone]
    for some, form in ((alone, _PLAIN), (others, _NEWEST)):
        if some:
            yield form.format(
                columns=columns,
                files=listed([part for found in some for part in found]),
                options=_OPTIONS,
                gone=TOMBSTONE,
                newest=newest(table),
            )


def _text(name: str) -> str:
    return files(sinks).joinpath(name).read_text(encoding="utf-8")
