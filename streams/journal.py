"""The embedded driver's local transaction: positions, state and outbox in one SQLite file.

Guarantee: a commit is kept whole or not at all, whatever kills the process. What a power cut can
undo is a suffix of commits, never a part of one, and none with a result in it, for a sink may have
told that: positions, state, revisions and sink cursors go back together, the inputs are files and
are read again.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, Self

import msgspec

from schemas.errors import Unavailable
from schemas.rows import Result
from sinks.delivery.revisions import Revisions, with_meta
from streams.succession import Succession
from streams.unsettled import Block

FORMAT = 4  # user_version of the file; a newer format is refused, not guessed at
WAL_BYTES = 64 * 2**20  # what a large commit leaves of its log on disk

# QUICK: no fsync per commit, one per checkpoint. A kill loses nothing, and every input is a file
# that is read again from an older position. LASTING is for what leaves: a result that was undone
# may not come again, and its next revision would have the number of one that a receiver has.
QUICK, LASTING = "NORMAL", "FULL"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS position (input TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS state (
  stage TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (stage, key));
CREATE TABLE IF NOT EXISTS unsettled (
  sequence INTEGER PRIMARY KEY, stage TEXT NOT NULL, latest INTEGER NOT NULL, value BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS unsettled_latest ON unsettled (stage, latest);
CREATE TABLE IF NOT EXISTS outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, result BLOB NOT NULL, meta BLOB);
CREATE TABLE IF NOT EXISTS cursor (
  sink TEXT PRIMARY KEY, sequence INTEGER NOT NULL DEFAULT 0, kinds TEXT, bookmark BLOB);
CREATE TABLE IF NOT EXISTS succession (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS meta (one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB NOT NULL);
"""
SUCCESSIONS = 1_000  # rows of changes of rules that are kept
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")

_result = msgspec.msgpack.Decoder(Result)


class Saved(NamedTuple):
    """What the last commit left.

    Position by input, state by stage and key, blocks of unsettled rows by stage in order, and the
    driver's own meta (JSON).
    """

    positions: dict[str, Any]
    state: dict[str, dict[str, bytes]]
    unsettled: dict[str, list[bytes]]
    meta: Any


class Journal:
    """One process at a time; its methods may be called from any thread.

    Raises Unavailable, in one sentence, when another process has the file, when it is damaged and
    when the disk is full; after a failed commit the file is as before it.
    """

    problem: str | None = None  # as an outbox of couriers: what fails here is raised

    def __init__(
        self, path: Path, clock: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._path = path
        self._clock = clock
        self._mutex = RLock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = path.with_name(path.name + ".lock").open("ab")
        except OSError as error:
            raise Unavailable(
                f"{path.parent} cannot be used as a data folder: {error.strerror}; mend its"
                " permissions, or give another"
            ) from error
        try:
            # The kernel gives a lock back however its holder dies; a file with a process id would
            # outlive it.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise Unavailable(
                f"{path.parent} is in use by another barograph process; stop it, or give this one"
                " another data folder"
            ) from None
        try:
            with self._said():
                self._db = self._opened()
                self._revisions = Revisions(self._db)
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self) -> Saved:
        """Everything that the last commit left."""
        with self._said():
            positions = {
                name: msgspec.json.decode(value)
                for name, value in self._db.execute("SELECT input, value FROM position")
            }
            state: dict[str, dict[str, bytes]] = {}
            for stage, key, value in self._db.execute("SELECT stage, key, value FROM state"):
                state.setdefault(stage, {})[key] = value
            unsettled: dict[str, list[bytes]] = {}
            for stage, value in self._db.execute(
                "SELECT stage, value FROM unsettled ORDER BY sequence"
            ):
                unsettled.setdefault(stage, []).append(value)
            meta = self._db.execute("SELECT value FROM meta").fetchone()
        return Saved(
            positions, state, unsettled, None if meta is None else msgspec.json.decode(meta[0])
        )

    def commit(
        self,
        positions: Mapping[str, Any],
        changes: Mapping[tuple[str, str], bytes | None],
        outbox: Iterable[bytes] = (),
        meta: Any = None,  # noqa: ANN401 - JSON
        succession: Succession | None = None,
        unsettled: Iterable[Block] = (),
        settled: Mapping[str, int] | None = None,
    ) -> None:
        """Save one batch.

        Positions by input (JSON), state by (stage, key) with None for "gone", Results (msgpack).
        Results get their sequence and, findings and alerts, their meta here. `meta` replaces the
        driver's own; `succession` is added to the changes of rules. Blocks of stages that lie below
        `settled` are dropped, then those of `unsettled` are added.
        """
        gone, told = [name for name, value in changes.items() if value is None], list(outbox)
        kept = ((*name, value) for name, value in changes.items() if value is not None)
        with self._transaction(lasting=bool(told)) as db:
            db.executemany(
                "INSERT OR REPLACE INTO position VALUES (?, ?)",
                ((name, msgspec.json.encode(value)) for name, value in positions.items()),
            )
            db.executemany("DELETE FROM state WHERE stage = ? AND key = ?", gone)
            db.executemany(
                "INSERT INTO state VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET value = excluded.value",
                kept,
            )
            db.executemany(
                "DELETE FROM unsettled WHERE stage = ? AND latest < ?", (settled or {}).items()
            )
            db.executemany(
                "INSERT INTO unsettled (stage, latest, value) VALUES (?, ?, ?)", unsettled
            )
            db.executemany(
                "INSERT INTO outbox (kind, result, meta) VALUES (?, ?, ?)",
                self._revisions.stamp(told, self._clock()),
            )
            if meta is not None:
                encoded = msgspec.json.encode(meta)
                db.execute("INSERT OR REPLACE INTO meta VALUES (1, ?)", (encoded,))
            if succession is not None:
                encoded = msgspec.json.encode(succession)
                db.execute("INSERT INTO succession (value) VALUES (?)", (encoded,))
                db.execute(
                    "DELETE FROM succession"
                    " WHERE sequence <= (SELECT max(sequence) FROM succession) - ?",
                    (SUCCESSIONS,),
                )

    def successions(self, limit: int = SUCCESSIONS) -> list[Succession]:
        """The last changes of rules, the newest first; the first of all is the first rule set."""
        query = "SELECT value FROM succession ORDER BY sequence DESC LIMIT ?"
        with self._said():
            rows = self._db.execute(query, (limit,)).fetchall()
        return [msgspec.json.decode(value, type=Succession) for (value,) in rows]

    def now(self) -> int:
        """The wall clock, by which it stamps what it saves."""
        return self._clock()

    def sync(self) -> None:
        """Make every commit so far outlive a power cut: before input that they cover is dropped."""
        with self._said():
            self._db.execute(f"PRAGMA synchronous = {LASTING}")
            self._db.execute(f"PRAGMA user_version = {FORMAT}")  # its sync is one of all before it

    def subscribe(self, sinks: Mapping[str, Collection[str]]) -> None:
        """Declare all sinks and the kinds of Result that each wants.

        A sink not named here loses its cursor.
        """
        with self._transaction() as db:
            names = msgspec.json.encode(list(sinks)).decode()
            db.execute(
                "DELETE FROM cursor WHERE sink NOT IN (SELECT value FROM json_each(?))", (names,)
            )
            db.executemany(
                "INSERT INTO cursor (sink, kinds) VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET kinds = excluded.kinds",
                (
                    (sink, msgspec.json.encode(sorted(kinds)).decode())
                    for sink, kinds in sinks.items()
                ),
            )

    def outbox(
        self,
        after: int,
        limit: int,
        kinds: Collection[str] | None = None,
        limit_bytes: int = 2**62,
    ) -> list[tuple[int, Result]]:
        """At most `limit` results behind sequence `after`, in order, of these kinds.

        At least one if there is one. The body of a finding or alert has its `meta`.
        """
        batch: list[tuple[int, Result]] = []
        size = 0
        with self._said():
            rows = self._db.execute(
                "SELECT sequence, result, meta FROM outbox WHERE sequence > ?1"
                " AND (?2 IS NULL OR kind IN (SELECT value FROM json_each(?2)))"
                " ORDER BY sequence LIMIT ?3",
                (
                    after,
                    None if kinds is None else msgspec.json.encode(list(kinds)).decode(),
                    limit,
                ),
            )
            for sequence, packed, meta in rows:
                size += len(packed)
                if batch and size > limit_bytes:
                    break
                batch.append((sequence, with_meta(_result.decode(packed), meta)))
            rows.close()
        return batch

    def newest(self) -> int:
        """The sequence of the newest result ever put into the outbox, 0 before the first."""
        return int(self._number("SELECT max(seq) FROM sqlite_sequence WHERE name = 'outbox'"))

    def outbox_size(self) -> int:
        """How many results wait for at least one sink (exact after `trim`)."""
        return int(self._number("SELECT count(*) FROM outbox"))

    def crowded(self, limit: int) -> bool:
        """True while more than `limit` results wait for one sink: it takes them, or gives them up.

        What waits for several sinks together is no measure: each of them may be content.
        """
        return self.outbox_size() > limit and any(
            self.backlog(sink) > limit for (sink,) in self._rows("SELECT sink FROM cursor")
        )

    def backlog(self, sink: str) -> int:
        """How many results this sink has still to take."""
        return int(
            self._number(
                "SELECT count(*) FROM outbox, cursor"
                " WHERE cursor.sink = ? AND outbox.sequence > cursor.sequence"
                " AND (kinds IS NULL OR kind IN (SELECT value FROM json_each(kinds)))",
                sink,
            )
        )

    def waiting(self, sink: str) -> int:
        """The same: here it costs one question."""
        return self.backlog(sink)

    def cursor(self, sink: str) -> int:
        """The sequence up to which this sink has taken everything."""
        return int(self._number("SELECT max(sequence) FROM cursor WHERE sink = ?", sink))

    def bookmark(self, sink: str) -> Any:  # noqa: ANN401 - JSON
        """What the sink gave with its last `advance`, None if nothing."""
        with self._said():
            found = self._db.execute(
                "SELECT bookmark FROM cursor WHERE sink = ?", (sink,)
            ).fetchone()
        return None if found is None or found[0] is None else msgspec.json.decode(found[0])

    def advance(self, sink: str, sequence: int, bookmark: Any = None) -> None:  # noqa: ANN401 - JSON
        """This sink has taken everything up to `sequence`; `bookmark` (JSON) is saved with it."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO cursor (sink, sequence, bookmark) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE"
                " SET sequence = excluded.sequence, bookmark = excluded.bookmark",
                (sink, sequence, None if bookmark is None else msgspec.json.encode(bookmark)),
            )

    def trim(self) -> None:
        """Delete the results that no sink wants any more.

        Without a declared sink, that is all of them.
        """
        with self._transaction() as db:
            db.execute(
                "DELETE FROM outbox WHERE sequence <= coalesce("
                "(SELECT min(cursor.sequence) FROM cursor WHERE kinds IS NULL"
                " OR outbox.kind IN (SELECT value FROM json_each(kinds))), sequence)"
            )
            self._revisions.trim()

    def close(self) -> None:
        """Give the file back; every commit is on disk then."""
        with self._mutex:
            self._db.close()
            self._lock.close()

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        (found,) = db.execute("PRAGMA user_version").fetchone()
        if found not in (0, FORMAT):
            db.close()
            raise Unavailable(
                f"{self._path} has format {found}, this version reads {FORMAT}; use the version"
                " that wrote it, or move the file away to read the inputs from their beginning"
            )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        db.executescript(_SCHEMA)
        db.execute(f"PRAGMA user_version = {FORMAT}")
        return db

    @contextmanager
    def _transaction(self, *, lasting: bool = False) -> Generator[sqlite3.Connection]:
        """One commit; a power cut can undo it unless it is `lasting`."""
        with self._said():
            self._db.execute(f"PRAGMA synchronous = {LASTING if lasting else QUICK}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite itself rolls back on a full disk
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _said(self) -> Generator[None]:
        """One thread at a time, and SQLite's errors as one sentence."""
        with self._mutex:
            try:
                yield
            except sqlite3.DatabaseError as error:
                name = getattr(error, "sqlite_errorname", "")
                if name.startswith(_DAMAGE) or "malformed" in str(error):
                    raise Unavailable(
                        f"{self._path} is damaged ({error}); move it and its -wal file away and"
                        " start again: the inputs are then read from their beginning"
                    ) from error
                if isinstance(error, sqlite3.OperationalError):
                    raise Unavailable(
                        f"cannot write {self._path}: {error}; make room on the disk, check its"
                        " permissions and start again"
                    ) from error
                raise

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._said():
            return self._db.execute(query).fetchall()

    def _number(self, query: str, *parameters: object) -> int:
        with self._said():
            found = self._db.execute(query, parameters).fetchone()
        return 0 if found is None or found[0] is None else int(found[0])
