"""Run all stages over files or folders and write what they found."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from correlators.sigma.values import is_object
from infra import intel, rule_options
from infra.exits import Exit
from infra.replaying import Order, replay
from infra.rules import load
from infra.settings import load as settings
from infra.terminal.progress import Progress
from infra.terminal.times import moment, seconds

EXAMPLE = "barograph replay logs/ --out out --until 2026-03-04T00:00:00Z"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="file or folder (.json .jsonl .ndjson .sarif .csv .gz .zst)",
    )
    parser.add_argument(
        "--source", metavar="NAME", help="the format of all files; without it each is sniffed"
    )
    rule_options.beside(parser)
    parser.add_argument(
        "--no-builtin", action="store_true", help="only the rules given with --rules"
    )
    rule_options.arguments(parser)
    intel.arguments(parser)
    parser.add_argument(
        "--out", default="out", metavar="DIR", help="folder for the results (default: out)"
    )
    parser.add_argument(
        "--until", type=moment, metavar="T", help="how far time passed (default: the latest record)"
    )
    parser.add_argument(
        "--not-after", type=moment, metavar="T", help="records that claim a later time are rejected"
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
    parser.add_argument(
        "--final", action="store_true", help="only results that can no longer change"
    )
    parser.add_argument("--json", action="store_true", help="the summary as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Exit 0; the summary goes to stdout, one line a figure."""
    config = intel.stated(settings(args.config), args)
    ruleset = load(
        rule_options.stated(
            args,
            config.rules,
            paths=(*config.rules.paths, *args.rules),
            builtin=config.rules.builtin and not args.no_builtin,
        )
    ).advised(intel.load(config.intel))
    order = Order(
        source=args.source,
        until=args.until,
        not_after=args.not_after,
        shuffle=args.shuffle,
        seed=args.seed,
        final=args.final,
    )
    summary = replay(config, ruleset, args.inputs, Path(args.out), order, Progress().of_run)
    if args.json:
        print(json.dumps(summary))
        return Exit.OK
    for name, value in summary.items():
        print(f"{name:>18}  {_shown(value)}")
    return Exit.OK


def _shown(value: Any) -> str:  # noqa: ANN401 - a number, a text, or counts by name
    if is_object(value):
        return ", ".join(f"{count} {name}" for name, count in sorted(value.items())) or "none"
    return str(value)
