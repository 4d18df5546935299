"""Check the mappings of formats that no source knows, and run their cases."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from infra.exits import Exit
from infra.terminal import shown
from schemas.errors import Mistake

if TYPE_CHECKING:
    from infra.mapped import Checked

EXAMPLE = """\
barograph mappings
barograph mappings mappings/doors.yml && barograph parse --source generic:doors doors.ndjson"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="mapping (default: all of the folder `mappings`)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, each a file")


def run(args: argparse.Namespace) -> int:
    """Exit 0; 1 if a case fails, 2 if a mapping or a case cannot be read."""
    from infra.mapped import checked, files

    found = [checked(file) for file in files(map(Path, args.files))]
    if not found:
        raise Mistake("there is no folder `mappings`; write one, as docs/generic-source.md shows")
    for one in found:
        if args.json:
            print(json.dumps(one._asdict()))
        else:
            _tell(one)
    if any(one.problems for one in found):
        return Exit.USAGE
    return Exit.NO if any(one.failed for one in found) else Exit.OK


def _tell(one: Checked) -> None:
    for line in (*one.problems, *one.failed):
        print(shown.text(line))
    passed = one.cases - len(one.failed)
    said = f"{passed} of {shown.plural(one.cases, 'case')} hold" if one.cases else "no cases"
    state = shown.plural(len(one.problems), "problem") if one.problems else said
    print(f"{shown.text(one.path)}: {one.source}: {state}")
