"""Play the bundled scenario: two days of one company, from raw records to explained alerts."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from infra.demo import scenario
from infra.demo.estate import COMPANY
from infra.exits import Exit
from infra.reading.reader import OUT
from infra.replaying import Order, Watch, replay
from infra.report import report, snapshot
from infra.report.estate import Estate
from infra.rules import load
from infra.settings import load as settings
from infra.terminal import shown
from infra.terminal.board import Board
from schemas.errors import Mistake, Unavailable
from schemas.rows import Result
from sinks.store import SNAPSHOT

EXAMPLE = "barograph demo --out out"
BATCH = 25  # records at a time: the board shows alerts form, and the trace has many readings
PAUSE = 0.03  # seconds between two batches on a terminal; none elsewhere


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--out",
        default=str(OUT),
        metavar="DIR",
        help="folder for everything that it writes (default: out)",
    )
    parser.add_argument("--fast", action="store_true", help="as fast as it can, also on a terminal")


def run(args: argparse.Namespace) -> int:
    """Exit 0. Needs no broker and no network."""
    config = settings(args.config)
    config = config.model_copy(
        update={"limits": config.limits.model_copy(update={"batch_records": BATCH})}
    )
    out = Path(args.out)
    inputs = out / "input"
    try:
        written = scenario.write(inputs)
    except OSError as error:
        raise Mistake(
            f"{inputs} cannot be written: {error.strerror}; give another folder with --out"
        ) from error
    print(
        f"{COMPANY}, two days, three AI systems: {sum(written.records.values()):,} records of"
        f" {len(written.records)} sources in {inputs}/",
        flush=True,
    )
    ruleset = load(config.rules)
    with Board() as board:
        pause = PAUSE if sys.stderr.isatty() and not args.fast else 0.0
        summary = replay(config, ruleset, [str(inputs)], out, Order(), _shown_on(board, pause))
    with duckdb.connect(str(out / SNAPSHOT), read_only=True) as db:
        estate = snapshot.read(db, summary, config.sla)
    page = out / "report.html"
    try:
        page.write_text(report.render(estate), encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{page} cannot be written: {error.strerror}; make room") from error
    print(f"\n{report.headline(estate)}\n")
    _next_steps(estate, page, out)
    return Exit.OK


def _shown_on(board: Board, pause: float) -> Watch:
    def watch(results: Sequence[Result], counts: Callable[[], Mapping[str, int]]) -> None:
        board.update(results, counts())
        time.sleep(pause)

    return watch


def _next_steps(estate: Estate, page: Path, out: Path) -> None:
    store = () if out == OUT else ("--store", str(out))
    steps = [(f"open {page}", "the report that a security lead would forward")]
    top = next((alert for alert in estate.alerts if alert.status == "open"), None)
    if top is not None:
        explain = shown.command("explain", top.id[:12], *store)
        verify = shown.command("verify", str(out / "alerts.jsonl"), *store)
        steps += [
            (explain, "why, what next, what to do"),
            (verify, "recompute all evidence from the input"),
        ]
    query = shown.command("query", "--name", "queue", *store)
    lineage = shown.command("lineage", "application:claims-triage", *store)
    steps += [
        (query, "what to look at first; --list: more questions, or ask in SQL"),
        (lineage, "what the system is made of"),
    ]
    width = max(len(command) for command, _ in steps)
    print("What to try next:")
    for command, what in steps:
        print(f"  {command:<{width}}  {what}")
