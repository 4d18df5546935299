"""Show the events that records become, and the records that cannot be read."""

from __future__ import annotations

import argparse
import sys
from typing import IO, Any

import orjson

from infra.exits import Exit
from infra.settings import load
from infra.terminal.shown import inert
from schemas.event import Reject
from streams.reading import outcomes
from streams.records.documents import SUFFIXES, files
from streams.source import named

EXAMPLE = "barograph parse --source cloudtrail logs/ > events.jsonl"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    known = " ".join(SUFFIXES)
    parser.add_argument("files", nargs="+", metavar="FILE", help=f"file, or folder ({known})")
    parser.add_argument(
        "--source", metavar="NAME", help="the format of all files (default: each is sniffed)"
    )
    parser.add_argument(
        "--raw",
        action="store_true",
        help='show each record under "raw" too: unredacted, with its prompts and secrets',
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 if a record was rejected")


def run(args: argparse.Namespace) -> int:
    """Events to stdout, Rejects to stderr, one JSON object a line; the count last, to stderr.

    A file without records is named there too.
    """
    limits = load(args.config).limits
    source = None if args.source is None else named(args.source)
    parsed = rejected = 0
    for path in dict.fromkeys(files(args.files)):
        before = parsed + rejected
        for result, record in outcomes(path, limits, source):
            if isinstance(result, Reject):
                rejected += 1
                _write(sys.stderr.buffer, result.body())
            else:
                parsed += 1
                raw = {"raw": record} if args.raw else {}
                _write(sys.stdout.buffer, result.event.body() | raw)
        if parsed + rejected == before:  # a list of none, say: whoever expected some is told
            print(f"no records in {path}", file=sys.stderr)
    sys.stdout.buffer.flush()
    print(f"read {parsed + rejected}, parsed {parsed}, rejected {rejected}", file=sys.stderr)
    return Exit.NO if args.strict and rejected else Exit.OK


def _write(stream: IO[bytes], body: dict[str, Any]) -> None:
    stream.write(inert(orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)))
