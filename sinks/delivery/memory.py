"""Memory: what a sink has to know of alerts that it delivered, on disk and bounded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

MOST: Final = 500_000  # keys; the ones that were put longest ago go first
_READY: Final = "ready"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS memory (
  number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL)
"""


class Memory:
    """JSON values by key in the SQLite file `path`, which belongs to one sink and one thread.

    What was put is on disk when `put` returns. A kill between a delivery and `put` has the sink
    deliver again: its receiver upserts, or shows one message twice.
    """

    def __init__(self, path: Path, most: int = MOST) -> None:
        self._path, self._most = path, most
        self._db: sqlite3.Connection | None = None

    def get(self, key: str) -> Any:  # noqa: ANN401 - JSON
        """The value of a key, None if there is none."""
        found = self._opened().execute("SELECT value FROM memory WHERE key = ?", (key,)).fetchone()
        return None if found is None else orjson.loads(found[0])

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of these keys that have a value."""
        wanted = orjson.dumps(list(keys)).decode()
        asked = "SELECT key FROM memory WHERE key IN (SELECT value FROM json_each(?))"
        return {key for (key,) in self._opened().execute(asked, (wanted,))}

    def ready(self) -> None:
        """Raises sqlite3.Error if nothing can be put: to be asked before what must be remembered.

        Else a full disk would have it delivered again and again.
        """
        self.put({_READY: 0})

    def put(self, values: Mapping[str, Any]) -> None:
        """Keep these, all or none."""
        if not values:
            return
        rows = [(key, orjson.dumps(value).decode()) for key, value in values.items()]
        with self._opened() as db:
            db.executemany(
                "INSERT INTO memory (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                rows,
            )
            db.execute(
                "DELETE FROM memory WHERE number <= (SELECT max(number) FROM memory) - ?",
                (self._most,),
            )

    def forget(self, keys: Iterable[str]) -> None:
        """Keep no value of these."""
        with self._opened() as db:
            db.executemany("DELETE FROM memory WHERE key = ?", ((key,) for key in keys))

    def beginning(self, prefix: str) -> dict[str, Any]:
        """Keys that begin so with their values, in the order in which they were first put."""
        asked = "SELECT key, value FROM memory WHERE substr(key, 1, ?) = ? ORDER BY number"
        rows = self._opened().execute(asked, (len(prefix), prefix))
        return {key: orjson.loads(value) for key, value in rows}

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute(_SCHEMA)
            except sqlite3.Error:
                db.close()  # the next question begins anew
                raise
            self._db = db
        return self._db
