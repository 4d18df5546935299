"""Run the service: read the inputs of the configuration and deliver to its sinks."""

from __future__ import annotations

import argparse
import asyncio

from infra import intel
from infra.exits import Exit
from infra.rules import load, seen
from infra.settings import load as settings
from infra.terminal.times import moment
from schemas.config import Config

EXAMPLE = "barograph run --config barograph.toml"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--until",
        type=moment,
        metavar="T",
        help="end once all inputs are quiet, as if time had passed up to T (for catching up)",
    )
    intel.arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0 after SIGTERM or the end, 130 after SIGINT; 3 if a folder or port is taken."""
    config = intel.stated(settings(args.config), args)
    files = seen(config.rules)
    ruleset = load(config.rules).advised(intel.load(config.intel))
    if config.kafka is None:
        from infra.service.serve import serve

        def anew() -> Config:
            return intel.stated(settings(args.config), args)

        asyncio.run(serve(config, ruleset, files, anew, args.until))
    else:
        from infra.service.worker import work

        asyncio.run(work(config, config.kafka, ruleset, args.until))
    return Exit.OK
