"""Load files into a topic of Kafka, one document a record."""

from __future__ import annotations

import argparse
import asyncio
import sys

from infra.exits import Exit
from infra.settings import load as settings
from infra.terminal import shown
from infra.terminal.progress import Progress
from infra.terminal.times import seconds
from schemas.errors import Mistake

EXAMPLE = "barograph produce logs/ --topic raw.cloudtrail --rate 1000"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="file or folder (.json .jsonl .ndjson .sarif .csv .gz .zst)",
    )
    parser.add_argument(
        "--topic",
        required=True,
        metavar="TOPIC",
        help="full name, or raw.NAME for the raw topic of the source NAME",
    )
    parser.add_argument(
        "--source",
        metavar="NAME",
        help="the format of all files (default: that of raw.NAME; else each is sniffed)",
    )
    parser.add_argument(
        "--rate", type=_rate, default=0, metavar="N", help="records a second (default: all)"
    )
    parser.add_argument(
        "--key", metavar="PATH", help="dotted path; the text or number there is the record's key"
    )
    parser.add_argument(
        "--shuffle",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="reorder each file by up to this much event time",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="which order --shuffle takes"
    )
    parser.add_argument(
        "--compression",
        choices=("none", "gzip", "lz4", "snappy", "zstd"),
        default="none",
        help="of the records on their way and in the topic (default: none)",
    )
    parser.add_argument("--dry-run", action="store_true", help="read and count, write nothing")


def run(args: argparse.Namespace) -> int:
    """Exit 0, or 1 if a part of a file held no document; the count goes last to stderr.

    A record that the broker refuses ends it: what was written before it stays.
    """
    from infra.brokers import full, kafka
    from infra.producing import Loading, write
    from infra.replaying import Order, opened
    from schemas.topics import RAW
    from streams.kafka.topics import able
    from streams.source import names

    config = settings(args.config)
    brokers = kafka(config, args.config)
    topic = full(brokers, args.topic)
    raw = brokers.prefix + RAW
    if brokers.prefix and topic.startswith(brokers.prefix) and not topic.startswith(raw):
        raise Mistake(f"--topic {topic}: only barograph run writes that one; name raw.NAME")
    told = topic.removeprefix(raw)
    source = args.source or (told if told in names() else None)
    order = Order(source=source, shuffle=args.shuffle, seed=args.seed)
    loading = Loading(opened(config, args.files, order), args.key)
    progress = Progress()

    def watch() -> None:
        progress(lambda: loading.read)

    if args.dry_run:
        for _ in loading.portions():
            watch()
    else:
        able(brokers, topic, "WRITE")
        asyncio.run(write(loading, brokers, topic, args.compression, args.rate, watch))
    for place, fault in loading.faults:
        print(shown.text(f"{place}: {fault.detail}"), file=sys.stderr)
    said = "would be written" if args.dry_run else "written"
    print(f"{loading.read} records, {loading.size} bytes {said} to {topic}", file=sys.stderr)
    return Exit.NO if loading.faults else Exit.OK


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1e9:  # neither is what is no number
        raise argparse.ArgumentTypeError(f"{text!r} is no number of records a second above 0")
    return rate
