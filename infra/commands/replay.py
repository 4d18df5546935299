"""Run all stages over files or folders and write what they found."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.exits import Exit
from infra.replaying import Order, replay
from infra.rules import load
from infra.settings import load as settings
from schemas.errors import Mistake
from schemas.times import SECOND, parse

EXAMPLE = "barograph replay logs/ --out out --until 2026-03-04T00:00:00Z"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="file or folder (.json .jsonl .ndjson .gz .zst)"
    )
    parser.add_argument(
        "--source", metavar="NAME", help="the format of all files; without it each is sniffed"
    )
    parser.add_argument(
        "--rules",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="rules beside the built-in ones",
    )
    parser.add_argument(
        "--no-builtin", action="store_true", help="only the rules given with --rules"
    )
    parser.add_argument(
        "--out", default="out", metavar="DIR", help="folder for the results (default: out)"
    )
    parser.add_argument(
        "--until", type=_time, metavar="T", help="how far time passed (default: the latest record)"
    )
    parser.add_argument(
        "--not-after", type=_time, metavar="T", help="records that claim a later time are rejected"
    )
    parser.add_argument(
        "--shuffle",
        type=float,
        default=0,
        metavar="SECONDS",
        help="reorder arrival by up to this much",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="which order --shuffle takes"
    )
    parser.add_argument(
        "--final", action="store_true", help="only results that can no longer change"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0; the summary goes to stdout as one line a figure, progress to stderr."""
    config = settings(args.config)
    if args.shuffle < 0:
        raise Mistake("--shuffle takes a number of seconds, 0 or more")
    ruleset = load(
        (*config.rules.paths, *args.rules), builtin=config.rules.builtin and not args.no_builtin
    )
    order = Order(
        source=args.source,
        until=args.until,
        not_after=args.not_after,
        shuffle=round(args.shuffle * SECOND),
        seed=args.seed,
        final=args.final,
    )
    shown = 0

    def watch(_results: object, counts: object) -> None:
        nonlocal shown
        read = counts["read"]  # type: ignore[index]
        if sys.stderr.isatty() and read - shown >= 50_000:
            shown = read
            print(f"\r{read:,} records", end="", file=sys.stderr, flush=True)

    summary = replay(config, ruleset, args.inputs, Path(args.out), order, watch)
    if shown:
        print(file=sys.stderr)
    for name, value in summary.items():
        print(f"{name:>18}  {_shown(value)}")
    return Exit.OK


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in sorted(value.items())) or "none"
    return str(value)


def _time(text: str) -> int:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
