"""Times every named query on a store of a size of your choice.

    python benchmarks/queries.py 10000000 [--keep FOLDER] [--only NAME ...]

The store is made with queries.sql inside DuckDB: events over thirty days, one in eight with a
signal, by Zipf's law over agents, tools, models, roles and their keys and addresses; things, edges
and facts in proportion, 200 AI systems, 2,000 alerts with their ledgers and 10,000 forecasts. The
tables have their keys, as the sink makes them, and the file is read as `barograph query` reads it.
Printed is the processor time and the time by the clock of one run each, in a process that is warm.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import duckdb

import sinks
from infra.reading.named import queries
from infra.reading.reader import Reader
from schemas.errors import Mistake
from sinks.store import SNAPSHOT, STORAGE, TABLES, VIEWS

CHUNK = 500_000  # events in one insert: what a writer's memory bears with its keys
SECONDS = 120.0
GIVEN = {"entity": "application:app-7"}


def build(place: Path, total: int) -> None:
    """A store of so many events in a new file."""
    _, macros, events, rest = re.split(
        r"^-- (?:macros|events.*|the rest)\n",
        Path(__file__).with_suffix(".sql").read_text("utf-8"),
        flags=re.MULTILINE,
    )
    with duckdb.connect(config={"memory_limit": "6GB", "threads": 2}) as db:
        db.execute(f"ATTACH '{place}' AS store (STORAGE_VERSION '{STORAGE}')")
        db.execute("USE store")
        for name in (TABLES, *VIEWS):
            db.execute(files(sinks).joinpath(name).read_text("utf-8"))
        db.execute(macros)
        for first in range(0, total, CHUNK):
            _run(db, events, total=total, first=first, last=min(first + CHUNK, total))
        _run(db, rest, total=total)
        db.execute("CHECKPOINT store")


def measured(place: Path, only: list[str]) -> Iterator[tuple[str, str, float, float]]:
    """Name, rows or what went wrong, and the seconds of processor and clock of each query."""
    with Reader(place) as reader:
        reader.run("SELECT count(*) FROM events")
        for query in queries().values():
            if only and query.name not in only:
                continue
            needed = {p.name: GIVEN[p.name] for p in query.parameters if p.default is None}
            processor, clock = time.process_time(), time.perf_counter()
            try:
                answer = reader.run(query.sql, query.bound(needed), seconds=SECONDS)
                told = f"{len(answer.rows):,}" + ("+" if answer.more else "")
            except Mistake as mistake:
                told = str(mistake)
            yield query.name, told, time.process_time() - processor, time.perf_counter() - clock


def main() -> None:
    """Make the store, if it is not there, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--keep", type=Path, help="make the store there, or use the one there")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = (args.keep or Path(folder)) / SNAPSHOT
        if not place.exists():
            began = time.process_time()
            place.parent.mkdir(parents=True, exist_ok=True)
            build(place, args.events)
            size = place.stat().st_size / 2**30
            print(f"{args.events:,} events, {size:.1f} GB, in {time.process_time() - began:.0f} s")
        print("| query | rows | processor s | clock s |\n|---|---|---|---|")
        for name, told, processor, clock in measured(place, args.only):
            print(f"| `{name}` | {told} | {processor:.2f} | {clock:.2f} |", flush=True)


def _run(db: duckdb.DuckDBPyConnection, text: str, **values: int) -> None:
    for statement in text.split(";\n"):
        if statement.strip():
            db.execute(statement, {n: v for n, v in values.items() if f"${n}" in statement})


if __name__ == "__main__":
    main()
