"""Run correlation rules over given signals."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import orjson

from infra import rule_options
from infra.exits import Exit
from infra.rules import load
from infra.settings import load as settings
from infra.terminal import shown
from infra.terminal.times import moment, seconds
from schemas.errors import Mistake
from schemas.rows import Result
from schemas.times import SECOND, rfc3339
from sinks.delivery.revisions import Revisions
from streams.given import BATCH, LATENESS, Correlating, Given, read
from streams.shuffle import Span, shuffled

SHOWN = 10  # detections that no rule refers to

EXAMPLE = "barograph correlate --rules rules/ --final signals.jsonl"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "signals",
        nargs="?",
        metavar="SIGNALS.jsonl",
        help="one signal a line: id, time, detection, fields; - is stdin",
    )
    parser.add_argument(
        "--rules",
        nargs="+",
        action="extend",
        required=True,
        metavar="PATH",
        help="files or folders of rules",
    )
    rule_options.arguments(parser)
    parser.add_argument(
        "--final", action="store_true", help="only findings that can no longer change"
    )
    parser.add_argument(
        "--until", type=moment, metavar="T", help="how far time passed (default: the latest signal)"
    )
    parser.add_argument(
        "--shuffle",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="reorder arrival by up to this much",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="which order --shuffle takes"
    )


def run(args: argparse.Namespace) -> int:
    """Findings as JSONL on stdout; counts on stderr."""
    if args.shuffle > LATENESS:
        raise Mistake(
            f"--shuffle {args.shuffle // SECOND} is more than the lateness of given signals"
            f" ({LATENESS // SECOND} s): signals would be late; give at most that"
        )
    rules, path = _places(args.rules, args.signals)
    config = rule_options.stated(
        args, settings(args.config).rules, paths=tuple(rules), builtin=False
    )
    correlating = Correlating(load(config, external=True))
    revisions = Revisions.in_memory()
    signals: Iterable[Given] = _read(path)
    if args.shuffle:
        given = list(signals)
        random = Random(args.seed)  # noqa: S311 - an order of arrival, not a secret
        order = shuffled([Span(s.time, s.time) for s in given], LATENESS, args.shuffle, random)
        signals = [given[place] for place in order]
    count = 0
    for batch in _batches(signals):
        count += len(batch)
        _write(revisions, correlating.take(batch), final=args.final)
    if args.until is not None and args.until < correlating.latest:
        raise Mistake(
            f"--until {rfc3339(args.until)} lies before the latest signal,"
            f" {rfc3339(correlating.latest)}; give a later time"
        )
    _write(revisions, correlating.end(args.until), final=args.final)
    print(_counts(count, correlating), file=sys.stderr)
    return Exit.OK


def _counts(count: int, correlating: Correlating) -> str:
    """How many signals there were, and why some of them are in no correlation."""
    unknown, missing = correlating.unknown, correlating.ungrouped
    said = [shown.plural(count, "signal"), f"{correlating.late} late"]
    said.append(f"{unknown.total() + missing} in no correlation")
    if unknown:
        named = ", ".join(f"{shown.text(name)} {n}" for name, n in unknown.most_common(SHOWN))
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        said.append(f"{unknown.total()} of a detection that no rule refers to ({named}{more})")
    if missing:
        said.append(f"{missing} without the fields of the group")
    return ", ".join(said)


def _places(rules: list[str], signals: str | None) -> tuple[list[str], str]:
    """The rules and the signals; `--rules a.yml b.yml signals.jsonl` takes all as rules."""
    if signals is not None:
        return rules, signals
    *rules, signals = rules
    if not rules:
        raise Mistake(f"there is --rules {signals}, and no file of signals; name both")
    return rules, signals


def _read(path: str) -> Iterator[Given]:
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            try:
                yield read(line)
            except ValueError as error:
                raise Mistake(f"{path}:{number}: {error}; mend the line") from error


def _lines(path: str) -> Iterator[bytes]:
    if path == "-":
        yield from sys.stdin.buffer
        return
    try:
        with Path(path).open("rb") as file:
            yield from file
    except OSError as error:
        raise Mistake(
            f"{path} cannot be read: {error.strerror}; name a file of signals, or - for stdin"
        ) from error


def _batches(signals: Iterable[Given]) -> Iterator[list[Given]]:
    batch: list[Given] = []
    for signal in signals:
        batch.append(signal)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    yield batch


def _write(revisions: Revisions, results: Iterable[Result], *, final: bool) -> None:
    told = revisions.stamped(list(results), time.time_ns() // 1000)
    for result in told:
        if result.state == "final" or not final:
            sys.stdout.buffer.write(orjson.dumps(result.body, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()
