"""Parquet: history as files by day that any DuckDB, Polars or Spark reads.

Guarantee: what was taken is on disk, first in a log, then in files; read as one row per id, the
newest, each result is there once, whatever was killed when. A result is in the files half a minute
after it came, or as soon as a file is full.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

import duckdb
import msgspec
import orjson
import polars as pl
from pydantic import Field

import sinks
from schemas.config import SinkConfig
from schemas.rows import Result
from schemas.times import SECOND
from sinks.delivery.sink import Delivered
from sinks.history.compaction import FEW, Compaction
from sinks.history.parts import (
    ARRIVED,
    DRAFT,
    KEYS,
    TOMBSTONE,
    every,
    number,
    place,
    quoted,
    settle,
)
from sinks.history.pending import Pending
from sinks.store import HISTORIES, TABLES

ROWS: Final = 20_000  # results in one publication, at most a batch more
BYTES: Final = 32 * 2**20
REST: Final = 30.0  # seconds that a result waits for more before it gets into a file
FIRST_DAY: Final = -62_135_596_800_000_000  # microseconds; the first day that a date can have
LAST_DAY: Final = 253_402_214_400_000_000
_TABLES: Final = {
    "event": ("events",),
    "signal": ("signals",),
    "finding": ("findings",),
    "alert": ("alerts", "scores"),
    "asset": ("assets",),
    "edge": ("edges",),
    "fact": ("facts",),
    "system": ("systems",),
    "forecast": ("forecasts",),
    "late": ("late",),
    "reject": ("rejects",),
}


class Settings(SinkConfig):
    """`path` is the folder, `days` for how long a day is kept (default: for ever).

    What holds stays: open alerts and facts, edges that still hold, things and AI systems.
    """

    path: str
    days: Annotated[int, Field(gt=0, le=100_000)] | None = None


def connect(settings: Settings, folder: Path) -> Parquet:
    """The history of these settings."""
    return Parquet(folder / settings.path, days=settings.days)


class Parquet:
    """The files of one folder; columns are those of the store, made by the same loads."""

    local = True

    def __init__(
        self, folder: Path, *, days: int | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.kinds = frozenset(_TABLES)
        self._folder = folder
        self._days = days
        self._clock = clock
        self._since: float | None = None  # when the oldest result began to wait
        self._next = 1
        self._unkept = 0  # publications since house was kept
        loads = files(sinks).joinpath("loads")
        self._loads = {kind: loads.joinpath(f"{kind}.sql").read_text("utf-8") for kind in _TABLES}
        self._db: duckdb.DuckDBPyConnection
        self._pending: Pending
        self._compaction: Compaction
        self._opened = False

    def open(self, bookmark: Any) -> None:  # noqa: ANN401, ARG002 - upserts need no bookmark
        """Take up what a kill left: drafts go, what is in the log waits again.

        OSError while another process writes to this folder.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._pending = Pending(self._folder)
        self._opened = True
        drafts = self._folder / DRAFT
        shutil.rmtree(drafts, ignore_errors=True)
        drafts.mkdir()
        numbers = (number(part) for table in KEYS for part in every(self._folder, table))
        self._next = 1 + max(numbers, default=0)
        self._since = self._clock() if self._pending.results else None
        self._db = self._connected()
        self._compaction = Compaction(self._folder, self._db, self._days, self._clock)

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Log and sync; a full disk is a problem that leaves the history as it was."""
        wanted = [self._filed(result) for result in batch if result.kind in _TABLES]
        try:
            if len(self._pending.results) >= ROWS or self._pending.size >= BYTES:
                self.publish()
            self._pending.add(wanted)
        except (duckdb.Error, OSError) as error:
            return Delivered(0, problem=f"cannot write to {self._folder}: {_sentence(error)}")
        if self._since is None and wanted:
            self._since = self._clock()
        return Delivered(len(batch), problem=self._publish_when_due())

    def flush(self) -> None:
        """Nothing comes: publish what waited long enough, and keep house, one piece at a time."""
        if self._publish_when_due() is None:
            self._unkept = 0
            try:
                self._compaction.step()
            except duckdb.Error as error:
                raise OSError(f"cannot compact {self._folder}: {_sentence(error)}") from error

    def publish(self) -> None:
        """Put all that waits into files, then forget the log. Raises duckdb.Error or OSError."""
        if not self._pending.results:
            return
        written = self._next
        self._next += 1  # another try must not give other rows the same number
        with self._connected() as db:
            db.execute(files(sinks).joinpath(TABLES).read_text("utf-8"))
            for kind, table_names in _TABLES.items():
                results = [result for result in self._pending.results if result.kind == kind]
                if results:
                    db.register("batch", _frame(results))
                    db.execute(self._loads[kind])
                    for table in table_names:
                        self._write(db, table, written)
        self._pending.clear()
        self._since = None
        self._compaction.due = True
        self._unkept += 1
        if self._unkept > FEW:  # there was no rest
            self._unkept = 0
            for _ in range(2 * len(KEYS)):
                if not self._compaction.step():
                    break

    def close(self) -> None:
        """Publish, and give the files back."""
        if not self._opened:
            return
        self._opened = False
        try:
            self.publish()
        except duckdb.Error as error:
            raise OSError(f"cannot write to {self._folder}: {_sentence(error)}") from error
        finally:
            self._compaction.clear()
            self._pending.close()
            self._db.close()

    def _filed(self, result: Result) -> Result:
        if not ARRIVED.isdisjoint(_TABLES[result.kind]):
            return msgspec.structs.replace(result, time=int(self._clock() * SECOND))
        return result

    def _publish_when_due(self) -> str | None:
        if self._since is None or self._clock() < self._since + REST:
            return None
        try:
            self.publish()
        except (duckdb.Error, OSError) as error:
            self._since = self._clock()
            return f"cannot write to {self._folder}: {_sentence(error)}"
        return None

    def _connected(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(
            config={
                "memory_limit": "512MB",
                "threads": 1,  # rows stay in order
                "temp_directory": str(self._folder / DRAFT),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )

    def _write(self, db: duckdb.DuckDBPyConnection, table: str, written: int) -> None:
        """The rows of a table, each in a file of its day; ids that were withdrawn are marked."""
        key, *others = KEYS[table]
        # What has more than an id, as a line of a ledger has, is not withdrawn for itself.
        join = "INNER" if others else "LEFT"
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE stamped AS"  # noqa: S608 - names of ours
            f" SELECT t.* REPLACE (b.id AS {key}), b.row_time,"
            f" CAST({written} AS BIGINT) AS written, t.{key} IS NULL AS {TOMBSTONE},"
            f" strftime(b.row_time, '%Y-%m-%d') AS day"
            f" FROM (SELECT id, row_time FROM batch WHERE newest) AS b"
            f" {join} JOIN {table} AS t ON t.{key} = b.id"
        )
        draft = self._folder / DRAFT / "part.parquet"
        for (day,) in db.execute("SELECT DISTINCT day FROM stamped ORDER BY day").fetchall():
            db.execute(
                f"COPY (SELECT * EXCLUDE day FROM stamped WHERE day = {quoted(day)}"  # noqa: S608 - as above
                f" ORDER BY row_time) TO {quoted(str(draft))} (FORMAT parquet, COMPRESSION zstd)"
            )
            settle(draft, place(self._folder, table, day, written))


def _frame(results: Sequence[Result]) -> pl.DataFrame:
    newest = {result.id: n for n, result in enumerate(results)}
    kept = [
        (result, newest[result.id] == n)
        for n, result in enumerate(results)
        if newest[result.id] == n or result.kind in HISTORIES
    ]
    times: Iterable[int] = (min(max(result.time, FIRST_DAY), LAST_DAY) for result, _ in kept)
    return pl.DataFrame(
        {
            "id": [result.id for result, _ in kept],
            "state": [result.state for result, _ in kept],
            "body": [orjson.dumps(result.body).decode() for result, _ in kept],
            "newest": [newest for _, newest in kept],
            "row_time": pl.Series(list(times), dtype=pl.Datetime("us")),
        }
    )


def _sentence(error: Exception) -> str:
    return str(error).partition("\n")[0]
