"""Reader: a snapshot of the store or its history, read-only and sandboxed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple, Self

import duckdb
import polars as pl

from infra.reading.past import unrolled
from schemas.config import Config
from schemas.errors import Mistake, Slow, Unavailable
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
    "python_enable_replacements": False,  # `FROM rows` must not read a variable of ours
}
_ASKING = frozenset((duckdb.StatementType.SELECT, duckdb.StatementType.MULTI))  # MULTI: a PIVOT
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(ANALYZE\s+)?", re.IGNORECASE)


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


class Reader:
    """One open snapshot, or one folder of the parquet sink.

    A newer snapshot takes the place of this one on disk without disturbing it. Here a query has no
    bounds but its time and what DuckDB counts of its memory: those of strangers are `confined`.
    """

    def __init__(self, path: Path) -> None:
        """Raise Mistake if there is no store, Unavailable if it is in use by its writer."""
        if path.is_dir():
            self._db = unrolled(path, _SANDBOX)
            return
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
        """The answer to one query. A wrong one, or one that takes too long, is a Mistake.

        Only what asks is run: one SELECT, or the explanation of one.
        """
        with _Bound(self._db, seconds):
            self._only_asks(query)
            result = self._db.execute(query, parameters)
            found, described = result.fetchmany(rows + 1), result.description or []
        names = _distinct(str(column[0]) for column in described)
        types = tuple(str(column[1]) for column in described)
        return Answer(names, types, found[:rows], len(found) > rows)

    def frame(
        self,
        query: str,
        parameters: Sequence[object] | Mapping[str, object] = (),
        *,
        rows: int = ROWS,
        seconds: float = SECONDS,
    ) -> pl.DataFrame:
        """The answer as a data frame with its exact types, for files; one row more if there is."""
        with _Bound(self._db, seconds):
            self._only_asks(query)
            relation = self._db.sql(query, params=parameters or None)
            found: pl.DataFrame = relation.limit(rows + 1).pl()
        return found

    def _only_asks(self, query: str) -> None:
        explained = _EXPLAIN.match(query)
        statements = self._db.extract_statements(query[explained.end() :] if explained else query)
        if not statements:
            raise Mistake("the query asks for nothing; begin it with SELECT or FROM")
        if len(statements) > 1:
            raise Mistake(f"ask one thing at a time: this is {len(statements)} statements")
        if statements[0].type not in _ASKING:
            kind = statements[0].type.name.replace("_", " ")
            raise Mistake(f"a query only asks: {kind} is not run; begin it with SELECT or FROM")


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
            raise Slow(too_long(self._seconds)) from error
        if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
            raise Mistake(TOO_LARGE) from error
        if isinstance(error, duckdb.PermissionException):
            raise Mistake(
                "a query sees the store and nothing else: no files, network, extensions or settings"
            ) from error
        if isinstance(error, duckdb.Error):
            raise Mistake(f"the query cannot be answered: {_sentence(error)}") from error


TOO_LARGE = "the query needs more than 1 GB of memory; narrow it"


def too_long(seconds: float) -> str:
    """The sentence about a query that took too long."""
    return f"the query took more than {seconds:g} s; narrow it or give it more time"


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names, those that came before with a number behind: no column hides another."""
    found: dict[str, None] = {}
    for name in names:
        free = (name, *(f"{name}_{n}" for n in range(1, len(found) + 1)))
        found[next(one for one in free if one not in found)] = None
    return tuple(found)


def _sentence(error: Exception) -> str:
    """DuckDB's message without its drawing of the place."""
    lines = str(error).splitlines()
    kept = [line.strip() for line in lines if line.strip() and not line.startswith(("LINE ", " "))]
    return " ".join(kept)[:500]
