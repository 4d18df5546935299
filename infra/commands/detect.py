"""Match rules against records, one by one, without correlation."""

import argparse
import sys

from infra import rule_options
from infra.exits import Exit

EXAMPLE = "barograph detect --rules rules/ trail.ndjson.gz"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--rules",
        action="append",
        metavar="PATH",
        help="file or folder of rules, in place of the built-in ones; may be repeated",
    )
    rule_options.arguments(parser)
    parser.add_argument(
        "--source", metavar="NAME", help="format of all files; else each is sniffed"
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="file or folder (.json .jsonl .ndjson .sarif .csv .gz .zst)",
    )


def run(args: argparse.Namespace) -> int:
    """Write a JSON line for each match to stdout, and last a line of counts to stderr."""
    from infra.detecting import Detecting
    from infra.rules import load
    from infra.settings import load as settings
    from streams.records.documents import files
    from streams.source import named

    config = settings(args.config)
    rules = rule_options.stated(
        args, config.rules, paths=tuple(args.rules or ()), builtin=not args.rules
    )
    # What is only observed is a match of nothing yet.
    stateless = [rule for rule in load(rules).rules if rule.detection.habit is None]
    detecting = Detecting(stateless, config.limits)
    source = None if args.source is None else named(args.source)
    read = rejected = matched = 0
    for path in files(args.files):
        for told in detecting.file(path, source):
            sys.stdout.buffer.write(b"".join(told.matches))
            for reject in told.rejects:
                print(f"{reject.origin}: {reject.reason}: {reject.detail}", file=sys.stderr)
            read += told.read
            rejected += len(told.rejects)
            matched += len(told.matches)
    sys.stdout.buffer.flush()
    print(f"{read} records, {rejected} rejected, {matched} matches", file=sys.stderr)
    return Exit.OK
