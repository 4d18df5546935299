"""Check that everything a run needs is in order."""

from __future__ import annotations

import argparse
import json
import sys

from infra.exits import Exit
from infra.settings import load as settings

EXAMPLE = "barograph doctor --json"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Exit 0, or 3 if something fails; a warning is no failure."""
    from infra.diagnosis import FAIL, checks

    found = list(checks(settings(args.config)))
    for one in found:
        if args.json:
            print(json.dumps(one._asdict()))
        else:
            mend = f"; {one.mend}" if one.mend else ""
            print(f"{one.result:<5} {one.what}: {one.detail}{mend}")
    failed = sum(one.result == FAIL for one in found)
    if failed:
        print(f"barograph: {failed} of {len(found)} checks failed", file=sys.stderr)
    return Exit.UNAVAILABLE if failed else Exit.OK
