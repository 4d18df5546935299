"""List the inventory: every thing that a source named, with its systems and open facts."""

from __future__ import annotations

import argparse
import sys

from infra.exits import Exit
from infra.settings import load as settings
from schemas.entity import KINDS

EXAMPLE = "barograph assets --kind mcp_server"

QUERY = """
SELECT
  a.entity, a.name, a.first_seen, a.last_seen, a.sources,
  (SELECT list(m.system ORDER BY m.system) FROM system_members AS m WHERE m.entity = a.entity)
    AS systems,
  (SELECT count(*) FROM posture AS p WHERE p.entity = a.entity) AS open_facts, a.attributes
FROM assets AS a
WHERE ($kind IS NULL OR a.kind = $kind)
  AND ($system IS NULL OR a.entity IN (
    SELECT m.entity FROM system_members AS m WHERE $system IN (m.system, m.root)))
ORDER BY a.entity
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--system", help="only what belongs to this AI system: its name or root")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--store", metavar="PATH", help="default: the newer of ./out and the data folder"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0, whether or not there is any."""
    from infra.reader import Reader, located
    from infra.tables import json_lines, table

    with Reader(located(args.store, settings(args.config))) as reader:
        asked = {"kind": args.kind, "system": args.system}
        answer = reader.run(QUERY, asked, rows=1_000_000)
    if args.json:
        lines = json_lines(answer)
    else:
        shown = answer.columns[:-1]
        rows = [row[: len(shown)] for row in answer.rows]
        lines = table(shown, rows, whole=not sys.stdout.isatty())
    for line in lines:
        print(line)
    return Exit.OK
