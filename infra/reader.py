"""Reader: a snapshot of the store, read-only and sandboxed: queries may be anybody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple, Self, cast

import duckdb
import polars as pl

from schemas.config import Config
from schemas.errors import Mistake, Unavailable
from sinks.store import SNAPSHOT

OUT = Path("out")  # where demo and replay write
ROWS = 10_000
SECONDS = 30.0
_SANDBOX: dict[str, Any] = {
    "enable_external_access": False,  # no other file, no network, no extension
    "lock_configuration": True,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": "1GB",
    "temp_directory": "",
    "threads": 2,
}


class Answer(NamedTuple):
    """Rows with the names and DuckDB types of their columns.

    `more`: there were more rows than asked for. Times are naive datetimes in UTC, JSON columns are
    texts.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool


def located(given: str | None, config: Config) -> Path:
    """The snapshot given, by itself or its folder; else the newer of ./out and the data folder."""
    if given is not None:
        path = Path(given)
        return path / SNAPSHOT if path.is_dir() else path
    found = [p for folder in (OUT, Path(config.data)) if (p := folder / SNAPSHOT).is_file()]
    if not found:
        raise Mistake(
            f"there is no store in {OUT} or {config.data}; run `barograph demo` or"
            " `barograph replay` first, or name one with --store"
        )
    return max(found, key=lambda path: path.stat().st_mtime_ns)


class Slow(Mistake):
    """A query that takes longer than it may."""


class Reader:
    """One open snapshot. A newer one takes its place on disk without disturbing this."""

    def __init__(self, path: Path) -> None:
        """Raise Mistake if there is no store, Unavailable if it is in use by its writer."""
        if not path.is_file():
            raise Mistake(f"{path} is no store; name a file like {OUT / SNAPSHOT} with --store")
        try:
            self._db = duckdb.connect(str(path), read_only=True, config=_SANDBOX)
        except duckdb.Error as error:
            if "Could not set lock" in str(error):
                raise Unavailable(
                    f"{path} is being written to; read {SNAPSHOT} beside it"
                ) from error
            raise Mistake(f"{path} is no store that can be read: {_sentence(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def beside(self) -> Self:
        """Another reader of the same snapshot, for another thread; closed with this one."""
        other = copy(self)
        other._db = self._db.cursor()  # noqa: SLF001 - of its own kind
        return other

    @property
    def db(self) -> duckdb.DuckDBPyConnection:
        """The connection, for queries of our own; those of others go through `run`."""
        return self._db

    def run(
        self,
        query: str,
        parameters: Sequence[object] | Mapping[str, object] = (),
        *,
        rows: int = ROWS,
        seconds: float = SECONDS,
    ) -> Answer:
        """The answer to one query. A wrong one, or one that takes too long, is a Mistake."""
        with _Bound(self._db, seconds):
            result = cast("duckdb.DuckDBPyConnection | None", self._db.execute(query, parameters))
            if result is None:
                raise Mistake("the query asks for nothing; begin it with SELECT or FROM")
            described = result.description or []
            found = result.fetchmany(rows + 1) if described else []
        return Answer(
            tuple(str(column[0]) for column in described),
            tuple(str(column[1]) for column in described),
            found[:rows],
            len(found) > rows,
        )

    def frame(self, query: str, *, rows: int = ROWS, seconds: float = SECONDS) -> pl.DataFrame:
        """The answer as a data frame with its exact types, for files."""
        with _Bound(self._db, seconds):
            relation = cast("duckdb.DuckDBPyRelation | None", self._db.sql(query))
            if relation is None:
                raise Mistake("the query gives no rows to write; ask with SELECT or FROM")
            found: pl.DataFrame = relation.limit(rows).pl()
        return found


class _Bound:
    """Interrupts a query after some seconds, and says DuckDB's errors in one sentence."""

    def __init__(self, db: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._seconds = seconds
        self._timer = Timer(seconds, db.interrupt)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        if isinstance(error, duckdb.InterruptException):
            raise Slow(
                f"the query took more than {self._seconds:g} s; narrow it or give it more time"
            ) from error
        if isinstance(error, duckdb.Error):
            raise Mistake(f"the query cannot be answered: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    """DuckDB's message without its drawing of the place."""
    lines = str(error).splitlines()
    kept = [line.strip() for line in lines if line.strip() and not line.startswith(("LINE ", " "))]
    return " ".join(kept)[:500]
