"""Show the records of a topic of Kafka."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

import orjson

from infra.exits import Exit
from infra.settings import load as settings
from infra.terminal import shown

if TYPE_CHECKING:
    from schemas.config import KafkaConfig
    from streams.kafka.log import Start

EXAMPLE = "barograph tail alerts --follow"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("topic", metavar="TOPIC", help="full name; ours also without the prefix")
    parser.add_argument(
        "--from",
        dest="start",
        type=_start,
        default=-10,
        metavar="PLACE",
        help="beginning, end, an offset, or -N: N places before the end of each partition "
        "(default: -10)",
    )
    parser.add_argument("--limit", type=_limit, metavar="N", help="end after so many records")
    parser.add_argument("--follow", action="store_true", help="go on with what comes; end with ^C")
    parser.add_argument("--json", action="store_true", help="each record whole, one JSON a line")


def run(args: argparse.Namespace) -> int:
    """Exit 0. Order holds within a partition. Nothing in a record drives the terminal."""
    from infra.brokers import full, kafka
    from streams.kafka.topics import able

    brokers = kafka(settings(args.config), args.config)
    topic = full(brokers, args.topic)
    asyncio.run(_tail(brokers, topic, able(brokers, topic, "READ").partitions, args))
    return Exit.OK


async def _tail(
    brokers: KafkaConfig, topic: str, partitions: int, args: argparse.Namespace
) -> None:
    from infra.terminal.tailing import body, line
    from streams.kafka.log import Log

    left = args.limit
    async with Log(brokers) as log:
        entries = log.entries(topic, partitions, args.start, follow=args.follow)
        async for entry in entries:
            if args.json:
                data = orjson.dumps(body(entry), option=orjson.OPT_APPEND_NEWLINE)
                sys.stdout.write(shown.inert(data).decode())
            else:
                print(line(entry))
            if args.follow:
                sys.stdout.flush()
            left = None if left is None else left - 1
            if left == 0:
                break
        await entries.aclose()


def _start(text: str) -> Start:
    if text in ("beginning", "end"):
        return "beginning" if text == "beginning" else "end"
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no place; give beginning, end, an offset or -N"
        ) from None


def _limit(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of records from 1 on")
    return int(text)
