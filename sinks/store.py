"""The DuckDB store: the tables and views that people and programs query.

Guarantee: one row per id with the newest state that was emitted; a batch is in it whole or not at
all. The writer owns its file; readers open a snapshot beside it, which is replaced atomically.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import orjson
import polars as pl

import sinks
from schemas.config import SinkConfig
from schemas.errors import Unavailable
from schemas.rows import Result
from sinks.delivery.sink import Delivered

WRITER = "barograph-writer.duckdb"
SNAPSHOT = "barograph.duckdb"
TABLES = "schema.sql"
VIEWS = ("views.sql", "lineage.sql", "inventory.sql", "travel.sql")  # each rests on those before it
STORAGE = "v1.4.0"  # the oldest DuckDB that can open the file; DuckDB 2 would write its own
INTERVAL = 2.0  # seconds between two snapshots, at least
SHARE = 10  # and this many times what the last one took: a tenth of the time at most goes there
DERIVED = 10.0  # seconds between two derivations, at least
DERIVED_SHARE = 4  # and this many times what the last one took: a fifth of the time at most
HISTORIES = frozenset({"alert"})  # kinds of which older revisions of a batch are loaded too
CONFIG: dict[str, Any] = {
    "memory_limit": "1GB",
    "threads": 2,
    "checkpoint_threshold": "256MB",  # by default every few batches; a snapshot checkpoints anyway
    "preserve_insertion_order": False,  # a batch has no order once its newest states are chosen
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


Derive = Callable[[duckdb.DuckDBPyConnection], None]


class Settings(SinkConfig):
    """`path` is the folder of the two files (default: the data folder)."""

    path: str = ""


def connect(settings: Settings, folder: Path) -> Store:
    """The store of these settings."""
    return Store(folder / settings.path)


class Store:
    """The store in one folder: tables in schema.sql, how a kind of Result gets there in loads/.

    A `finite` one begins empty, and `close` turns the writer's file into the snapshot.
    `derive` fills the tables that follow from the others, in a transaction of its own, before a
    snapshot: every now and then, and when the store is closed.
    """

    local = True

    def __init__(
        self,
        folder: Path,
        *,
        finite: bool = False,
        clock: Callable[[], float] = time.monotonic,
        derive: Derive | None = None,
    ) -> None:
        self._loads = {
            load.name.removesuffix(".sql"): load.read_text(encoding="utf-8")
            for load in files(sinks).joinpath("loads").iterdir()
        }
        self.kinds = frozenset(self._loads)
        self._writer = folder / WRITER
        self.snapshot = folder / SNAPSHOT
        self._finite = finite
        self._clock = clock
        self._db: duckdb.DuckDBPyConnection | None = None
        self._copied: int | None = None  # the writer's file, opened to be copied
        self._dirty = False
        self._due = 0.0
        self.derive = derive
        self._behind = False  # what is derived does not follow from the tables as they are
        self._derivation = 0.0  # when the next one is due

    def open(self, bookmark: Any) -> None:  # noqa: ANN401, ARG002 - upserts need no bookmark
        """Raises Unavailable if another process writes to this store, or if the file is damaged."""
        self._writer.parent.mkdir(parents=True, exist_ok=True)
        if self._finite:
            for stale in (self._writer, self._writer.with_name(WRITER + ".wal")):
                stale.unlink(missing_ok=True)
        self._db = self._opened()
        self._dirty = self._behind = True  # a snapshot may be missing or behind

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Upsert in one transaction; a full disk is a problem that leaves the store as it was."""
        newest = {(result.kind, result.id): place for place, result in enumerate(batch)}
        by_kind: dict[str, list[tuple[Result, bool]]] = {}
        for place, result in enumerate(batch):
            last = newest[result.kind, result.id] == place
            if last or result.kind in HISTORIES:
                by_kind.setdefault(result.kind, []).append((result, last))
        try:
            with self._transaction() as db:
                for kind, results in by_kind.items():
                    if kind in self._loads:
                        db.register("batch", _frame(results))
                        db.execute(self._loads[kind])
        except (duckdb.Error, Unavailable) as error:
            self._hang_up()  # after some errors DuckDB refuses everything until it is opened anew
            return Delivered(0, problem=f"cannot write {self._writer}: {_sentence(error)}")
        self._dirty = self._behind = True
        return Delivered(len(batch), problem=self._publish_when_due())

    def flush(self) -> None:
        """Publish what was written, unless the last snapshot is too recent."""
        self._publish_when_due()

    def publish(self) -> str | None:
        """Replace the snapshot by a copy; a reader sees the old file or the new one, whole.

        Returns what kept derived tables as they were, in a sentence.
        """
        problem = self._derived() if self._derivable() else None
        started = self._clock()
        try:
            self._checkpointed()
            self._copy()
        finally:
            ended = self._clock()
            self._due = ended + max(INTERVAL, SHARE * (ended - started))
        self._dirty = False
        return problem

    def close(self) -> None:
        """Publish, and give the files back. Raises Unavailable if the disk refuses."""
        try:
            self._derivation = 0.0
            if self._finite:
                problem = self._derived()
                self._checkpointed()
                self._hang_up()
                self._writer.replace(self.snapshot)
                _sync_folder(self.snapshot.parent)
            else:
                problem = self.publish() if self._dirty or self._derivable() else None
            if problem is not None:
                raise Unavailable(problem)
        except (duckdb.Error, OSError) as error:
            raise Unavailable(f"cannot publish {self.snapshot}: {_sentence(error)}") from error
        finally:
            self._hang_up()

    @contextmanager
    def _transaction(self) -> Generator[duckdb.DuckDBPyConnection]:
        """A cursor on the store; what it did is there if nothing was raised."""
        if self._db is None:
            self._db = self._opened()
        with self._db.cursor() as db:
            db.execute("USE store")
            db.begin()
            yield db
            db.commit()

    def _derivable(self) -> bool:
        return self.derive is not None and self._behind and self._clock() >= self._derivation

    def _derived(self) -> str | None:
        """A failure keeps nobody from the rest of the snapshot: it is said, and tried again."""
        if self.derive is None:
            return None
        started = self._clock()
        try:
            with self._transaction() as db:
                self.derive(db)
        except duckdb.Error as error:
            self._hang_up()
            return f"controls cannot be assessed in {self._writer}: {_sentence(error)}"
        finally:
            ended = self._clock()
            self._derivation = ended + max(DERIVED, DERIVED_SHARE * (ended - started))
        self._behind = False
        return None

    def _checkpointed(self) -> None:
        if self._db is None:
            self._db = self._opened()
        try:
            self._db.execute("CHECKPOINT store")
        except duckdb.Error:
            self._hang_up()  # as in `write`
            raise

    def _copy(self) -> None:
        draft = self.snapshot.with_name(SNAPSHOT + ".draft")
        # The descriptor stays open until the connection is closed: POSIX drops DuckDB's lock on the
        # file with the first descriptor of this process that is closed.
        if self._copied is None:
            self._copied = os.open(self._writer, os.O_RDONLY)
        try:
            with draft.open("wb") as copy:
                size = os.fstat(self._copied).st_size
                sent = 0
                while sent < size:
                    sent += os.sendfile(copy.fileno(), self._copied, sent, size - sent)
                os.fsync(copy.fileno())
            draft.replace(self.snapshot)
        except OSError:
            draft.unlink(missing_ok=True)  # the little room that is left is for the journal
            raise
        _sync_folder(self.snapshot.parent)

    def _opened(self) -> duckdb.DuckDBPyConnection:
        db = duckdb.connect(config=CONFIG)
        try:
            place = str(self._writer).replace("'", "''")
            db.execute(f"ATTACH '{place}' AS store (STORAGE_VERSION '{STORAGE}')")
            db.execute("USE store")
            for name in (TABLES, *VIEWS):
                db.execute(files(sinks).joinpath(name).read_text(encoding="utf-8"))
        except duckdb.Error as error:
            db.close()
            if "Could not set lock" in str(error):
                raise Unavailable(
                    f"{self._writer} is in use by another process; stop it, or give this one"
                    " another folder"
                ) from error
            raise Unavailable(
                f"{self._writer} cannot be opened ({_sentence(error)}); move it away, and the store"
                " begins anew"
            ) from error
        return db

    def _publish_when_due(self) -> str | None:
        if self._finite or self._clock() < self._due or not (self._dirty or self._derivable()):
            return None
        try:
            return self.publish()
        except (duckdb.Error, OSError) as error:
            return f"cannot publish {self.snapshot}: {_sentence(error)}"

    def _hang_up(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
        if self._copied is not None:
            os.close(self._copied)
            self._copied = None


def _frame(results: Sequence[tuple[Result, bool]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [result.id for result, _ in results],
            "state": [result.state for result, _ in results],
            "body": [orjson.dumps(result.body).decode() for result, _ in results],
            "newest": [newest for _, newest in results],
        }
    )


def _sentence(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
