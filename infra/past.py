"""Past: the history of the parquet sink as the tables and views of the store."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import duckdb

import sinks
from schemas.errors import Mistake
from sinks.parquet import KEYS, TOMBSTONE, quoted
from sinks.store import TABLES, VIEWS

# The newest revision of each id: of those written last, the one that was emitted last.
_NEWEST: Final = """
CREATE VIEW {table} AS
SELECT {columns} FROM (
  FROM read_parquet({files}, union_by_name = true, hive_partitioning = true)
  QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY written DESC) = 1)
WHERE {kept}"""


def unrolled(folder: Path, sandbox: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A database in memory whose tables are views over the files below `folder`.

    It may read that folder and nothing else. Tables without files are empty. Raises Mistake if
    there is no history.
    """
    found = [table for table in KEYS if next(folder.glob(f"{table}/*/*.parquet"), None)]
    if not found:
        raise Mistake(f"{folder} holds no history; name the `path` of a parquet sink")
    db = duckdb.connect(
        config=sandbox
        | {"lock_configuration": False, "allowed_directories": [str(folder.resolve())]}
    )
    db.execute(_text(TABLES))
    for table in found:
        _replace(db, table, folder.resolve())
    for views in VIEWS:
        db.execute(_text(views))
    db.execute("SET lock_configuration = true")
    return db


def _replace(db: duckdb.DuckDBPyConnection, table: str, folder: Path) -> None:
    """Put a view over the files in the place of an empty table."""
    comment = db.execute(
        "SELECT comment FROM duckdb_tables() WHERE table_name = ?", [table]
    ).fetchone()
    columns = db.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?"
        " ORDER BY column_index",
        [table],
    ).fetchall()
    place = quoted(str(folder / table / "*" / "*.parquet"))
    there = {
        row[0]
        for row in db.execute(
            f"DESCRIBE FROM read_parquet({place}, union_by_name = true)"
        ).fetchall()
    }
    db.execute(f"DROP TABLE {table}")
    db.execute(
        _NEWEST.format(
            table=table,
            columns=", ".join(
                f"CAST({name if name in there else 'NULL'} AS {kind}) AS {name}"
                for name, kind in columns
            ),
            files=place,
            key=", ".join(KEYS[table]),
            kept=f"NOT {TOMBSTONE}",
        )
    )
    db.execute(f"COMMENT ON VIEW {table} IS {quoted(comment[0] if comment else '')}")


def _text(name: str) -> str:
    return files(sinks).joinpath(name).read_text(encoding="utf-8")
