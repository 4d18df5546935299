"""Compaction and retention: few files for each day, and no day for longer than asked.

A replaced file stays for a minute: somebody may be reading it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb

from sinks.history.parts import (
    ARRIVED,
    DRAFT,
    HOLDS,
    KEYS,
    STEADY,
    TOMBSTONE,
    days,
    every,
    listed,
    newest,
    number,
    parts,
    quoted,
    settle,
)

FEW: Final = 8  # small files of a day that are left alone while the day goes on
SMALL: Final = 32 * 2**20  # bytes; larger ones are left alone
GRACE: Final = 60.0  # seconds that a replaced file stays


class Compaction:
    """Over one folder; `clock` gives seconds since 1970. One thread calls it."""

    def __init__(
        self,
        folder: Path,
        db: duckdb.DuckDBPyConnection,
        keep: int | None,
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._db = db
        self._keep = keep
        self._clock = clock
        self._replaced: dict[Path, float] = {}  # until when each stays
        self._horizon: date | None = None  # what is older was looked at
        self.due = True  # files were written since all was in order

    def step(self) -> bool:
        """Do one piece of work; False if there was none. Raises duckdb.Error or OSError."""
        self.clear(now=self._clock())
        if self.due:
            self.due = self._merged() or self._expired()
        return self.due

    def clear(self, now: float | None = None) -> None:
        """Remove replaced files: those whose time is over, or all."""
        for part, until in list(self._replaced.items()):
            if now is None or until <= now:
                part.unlink(missing_ok=True)
                del self._replaced[part]

    def _merged(self) -> bool:
        for table in KEYS:
            folders = days(self._folder, table)
            for day in folders:
                there = [part for part in parts(day) if part not in self._replaced]
                some = [part for part in there if part.stat().st_size < SMALL]
                if len(some) >= (FEW if day == folders[-1] else 2):
                    self._rewrite(table, some, "true")
                    return True
        return False

    def _expired(self) -> bool:
        """Drop the rows of the oldest day that is too old, but what holds."""
        timed = [table for table in KEYS if table not in ARRIVED]
        last = max((_date(day) for t in timed for day in days(self._folder, t)), default=None)
        if last is None or self._keep is None:
            return False
        today = datetime.fromtimestamp(self._clock(), UTC).date()  # a record may lie about its time
        first = min(last, today) - timedelta(days=self._keep)
        if first == self._horizon:
            return False
        for table in KEYS:
            for day in days(self._folder, table):
                if _date(day) < first and self._shed(table, day):
                    return True
        self._horizon = first
        return False

    def _shed(self, table: str, day: Path) -> bool:
        """False if there was nothing to drop: all that is left of the day holds."""
        there = [part for part in parts(day) if part not in self._replaced]
        if not there:
            if not parts(day):
                day.rmdir()
            return False
        if table not in HOLDS:
            self._let_go(there)
            return True
        rows = f"read_parquet({listed(there)})"
        holds = f"{HOLDS[table]} AND NOT {TOMBSTONE} AND {self._current(table)}"
        found = self._db.execute(
            f"SELECT count(*), count(*) FILTER ({holds}) FROM {rows} AS r"  # noqa: S608 - as above
        ).fetchone()
        total, held = found or (0, 0)
        if total == held:
            return False
        if held:
            self._rewrite(table, there, holds)
        else:
            self._let_go(there)
        return True

    def _current(self, table: str) -> str:
        """Whether no later day has a newer state of the row `r`."""
        if table in STEADY:
            return "true"
        everything = listed(list(every(self._folder, table)))
        same = " AND ".join(f"o.{column} = r.{column}" for column in KEYS[table])
        return (
            f"NOT EXISTS (FROM read_parquet({everything}, union_by_name = true) AS o"
            f" WHERE {same} AND o.written > r.written)"
        )

    def _rewrite(self, table: str, some: list[Path], kept: str) -> None:
        """One file in the place of some: it takes the name of the newest, so no number is lost."""
        draft = self._folder / DRAFT / "merged.parquet"
        self._db.execute(
            f"COPY (SELECT * FROM (FROM read_parquet({listed(some)}, union_by_name = true,"  # noqa: S608 - paths of ours
            f" hive_partitioning = false) QUALIFY {newest(table)}) AS r WHERE {kept}"
            f" ORDER BY row_time) TO {quoted(str(draft))} (FORMAT parquet, COMPRESSION zstd)"
        )
        settle(draft, max(some, key=number))
        self._let_go(sorted(some, key=number)[:-1])

    def _let_go(self, some: list[Path]) -> None:
        until = self._clock() + GRACE
        self._replaced |= dict.fromkeys(some, until)


def _date(day: Path) -> date:
    return date.fromisoformat(day.name.removeprefix("day="))
