"""Replaying: a finite run over files, to settled findings and alerts in one folder."""

from __future__ import annotations

import heapq
import resource
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Self

import orjson

from correlators.ruleset import Ruleset
from infra.compliance.assessor import Assessor, rule_ids
from schemas.canonical import canonical
from schemas.config import Config
from schemas.errors import Mistake, Unavailable
from schemas.rows import Result
from schemas.times import SECOND, rfc3339
from sinks.delivery.revisions import Revisions
from sinks.jsonl import FILES, Jsonl
from sinks.store import Store
from streams.embedded import Declared, Embedded
from streams.finite import FiniteFile, ShuffledFile, Shuffling
from streams.records.documents import files
from streams.source import named

BATCH = 20_000  # results
OPEN = 10_240  # files at the same time, where the system lets a process have them
# What a run remembers goes with it, so nothing is synced and nothing is rolled back.
MEMORY = """\
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -65536;  -- KiB
CREATE TABLE copy (kind TEXT, id TEXT, body BLOB, PRIMARY KEY (kind, id));
BEGIN;
"""
Watch = Callable[[Sequence[Result], Callable[[], Mapping[str, int]]], None]


class Order(NamedTuple):
    """Which way a finite run goes. Times in microseconds.

    `shuffle` reorders arrival by up to that much event time.
    """

    source: str | None = None
    until: int | None = None
    not_after: int | None = None
    shuffle: int = 0
    seed: int = 0
    final: bool = False


def replay(
    config: Config,
    ruleset: Ruleset,
    paths: Sequence[str],
    out: Path,
    order: Order,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Run, and return the summary.

    Writes {signals,findings,alerts,rejects,late}.jsonl, summary.json and barograph.duckdb to `out`.
    Files are read on where the event time is lowest. Results do not depend on the order of `paths`.
    """
    started = time.perf_counter()
    _allow_files()
    inputs = {input_.name: input_ for input_ in opened(config, paths, order)}
    declared = [Declared(name, (i.source.NAME,) if i.source else ()) for name, i in inputs.items()]
    engine = Embedded(
        ruleset, declared, config.limits, systems=config.system, not_after=order.not_after
    )
    assessor = Assessor(lambda: rule_ids(ruleset), config)
    with _Folder(out, assessor, final=order.final) as folder:

        def tell(results: list[Result]) -> None:
            folder.write(results)
            if watch is not None:
                watch(results, engine.counts)

        reading = sorted(map(engine.place, inputs))
        while reading:
            _, name = reading[0]
            chunk = inputs[name].read()
            if chunk is not None:
                tell(engine.take(name, chunk))
                heapq.heapreplace(reading, engine.place(name))
                continue
            heapq.heappop(reading)
            if reading:
                tell(engine.exhausted(name))
        tell(engine.end(order.until))
        folder.flush()
        seconds = time.perf_counter() - started
        counts = engine.counts()
        assessor.until = until = engine.latest if order.until is None else order.until
        return folder.summary(counts, until, seconds)


class _Folder:
    """What a replay writes."""

    def __init__(self, out: Path, assessor: Assessor, *, final: bool) -> None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name in (*FILES.values(), "summary.json"):
                (out / name).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(out, error) from error
        self._out = out
        self._sinks = (Jsonl(out, final=final), Store(out, finite=True, derive=assessor))
        self._waiting: list[Result] = []
        self._newest: dict[tuple[str, str], tuple[str, str]] = {}

    def __enter__(self) -> Self:
        # A file without a name, of which the newest parts are held in memory.
        self._memory = sqlite3.connect("", isolation_level=None)
        self._memory.executescript(MEMORY)
        self._revisions, self._copies = Revisions(self._memory), _Copies(self._memory)
        for sink in self._sinks:
            sink.open(None)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._memory.close()
        for sink in self._sinks:
            try:
                sink.close()
            except Unavailable:
                if error is None:  # else it is what comes of that
                    raise

    def write(self, results: Sequence[Result]) -> None:
        try:
            kept = [result for result in results if self._copies.fresh(result)]
            self._waiting += self._revisions.stamped(kept, time.time_ns() // 1000)
        except sqlite3.OperationalError as error:
            raise Unavailable(
                f"temporary files cannot be written: {error}; make room, or set TMPDIR"
            ) from error
        for result in kept:
            if result.kind in ("finding", "alert"):
                self._newest[result.kind, result.id] = (result.state, result.body.get("stage", ""))
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand on what waits; a sink is quicker with many results than with few."""
        waiting, self._waiting = self._waiting, []
        for sink in self._sinks:
            delivered = sink.write([result for result in waiting if result.kind in sink.kinds])
            if delivered.problem:
                raise Unavailable(delivered.problem)

    def summary(self, counts: Mapping[str, int], until: int, seconds: float) -> dict[str, Any]:
        alerts = [
            stage
            for (kind, _), (state, stage) in self._newest.items()
            if kind == "alert" and state != "withdrawn"
        ]
        summary = {
            **counts,
            "signals": self._copies.signals(),
            "findings": Counter(
                state for (kind, _), (state, _) in self._newest.items() if kind == "finding"
            ),
            "alerts": Counter(alerts),
            "until": rfc3339(until),
            "events_per_second": round(counts["read"] / seconds) if seconds else 0,
            "seconds": round(seconds, 3),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }
        data = orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        try:
            (self._out / "summary.json").write_bytes(data)
        except OSError as error:
            raise _unwritable(self._out, error) from error
        return summary


class _Copies:
    """The smallest body so far of each signal and event, however many there are."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def fresh(self, result: Result) -> bool:
        """False for a signal or event that came before, unless this copy is the smaller one."""
        if result.kind not in ("signal", "event"):
            return True
        body = canonical(result.body if result.kind == "signal" else _placeless(result.body))
        found = self._db.execute(
            "INSERT INTO copy VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
            " WHERE excluded.body < body",
            (result.kind, result.id, body),
        )
        return found.rowcount > 0

    def signals(self) -> int:
        """How many different signals there were."""
        found = self._db.execute("SELECT count(*) FROM copy WHERE kind = 'signal'").fetchone()
        return int(found[0])


def _placeless(event: Mapping[str, Any]) -> dict[str, Any]:
    """Where a copy lay says nothing about which is the smaller."""
    return {**event, "evidence": event["evidence"]["sha256"]}


def _allow_files() -> None:
    """Large files are read side by side; most systems let a process ask for more than it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN if hard == resource.RLIM_INFINITY else min(OPEN, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _unwritable(out: Path, error: OSError) -> Unavailable:
    reason = error.strerror
    return Unavailable(f"{out} cannot be written: {reason}; make room, or give another with --out")


def opened(config: Config, paths: Sequence[str], order: Order) -> list[FiniteFile]:
    """The files at `paths`, each to be read in its own order; more --shuffle than lateness: no."""
    source = named(order.source) if order.source else None
    random = Random(order.seed)  # noqa: S311 - an order of arrival, not a secret
    shuffling = Shuffling(order.shuffle, random, order.not_after)
    inputs: list[FiniteFile] = []
    for path in dict.fromkeys(files(paths)):
        if not order.shuffle:
            inputs.append(FiniteFile(path, config.limits, source))
            continue
        file = ShuffledFile(path, config.limits, source, shuffling)
        if file.source is not None and order.shuffle > file.source.LATENESS:
            allowed = file.source.LATENESS // SECOND
            raise Mistake(
                f"--shuffle {order.shuffle // SECOND} is more than the lateness of"
                f" {file.source.NAME} ({allowed} s): records would be late; give at most that"
            )
        inputs.append(file)
    return inputs
