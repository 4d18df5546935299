"""List the inventory: what there is, how it is known, what nobody declared, what nobody uses."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from infra.exits import Exit
from infra.reading.inventory import COUNTS, LISTED, PARTS, SHADOW, STALE
from infra.settings import load as settings
from infra.terminal.shown import text
from schemas.entity import KINDS
from schemas.errors import Mistake

if TYPE_CHECKING:
    from infra.reading.reader import Answer, Reader

EXAMPLE = """\
barograph assets --kind mcp_server
barograph assets --shadow
barograph assets model:amazon.nova-pro-v1:0"""

DAYS: Final = 90  # without use, after which a key is stale
ROWS: Final = 1_000_000
SHOWN: Final = 9  # columns of a list that stand in the table; the others are for programs


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "entity", nargs="?", metavar="ENTITY", help="kind:id: all that is known of one thing"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--counts", action="store_true", help="how many of each kind, and edges")
    what.add_argument(
        "--declared-not-exercised", action="store_true", help="declared and never seen at work"
    )
    what.add_argument(
        "--exercised-not-declared", action="store_true", help="seen at work and never declared"
    )
    what.add_argument(
        "--shadow",
        action="store_true",
        help="AI at work that nobody declared, and that no pattern of [inventory] approved names",
    )
    what.add_argument(
        "--stale",
        nargs="?",
        type=int,
        const=DAYS,
        metavar="DAYS",
        help="keys without an owner, or not used for DAYS before the newest record;"
        f" default: {DAYS}",
    )
    parser.add_argument("--kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--system", help="only what belongs to this AI system: its name or root")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--store", metavar="PATH", help="default: the newer of ./out and the data folder"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0, whether or not there is any; one thing that nobody knows is a Mistake."""
    from infra.reading.reader import Reader, located
    from infra.terminal.tables import json_lines, table

    config = settings(args.config)
    with Reader(located(args.store, config)) as reader:
        if args.shadow:
            answer = _ask(reader, SHADOW, approved=list(config.inventory.approved))
        elif args.stale is not None:
            answer = _ask(reader, STALE, days=args.stale)
        elif args.counts:
            answer = _ask(reader, COUNTS)
        else:
            answer = _listed(reader, args)
        more = [] if args.entity is None or args.json else [*_known(reader, answer)]
    shown = answer.columns[:SHOWN]
    rows = [row[: len(shown)] for row in answer.rows]
    whole = not sys.stdout.isatty()
    for line in json_lines(answer) if args.json else table(shown, rows, whole=whole):
        print(line)
    for line in more:
        print(line)
    return Exit.OK


def _listed(reader: Reader, args: argparse.Namespace) -> Answer:
    answer = _ask(
        reader,
        LISTED,
        kind=args.kind,
        entity=args.entity,
        system=args.system,
        unused=args.declared_not_exercised,
        undeclared=args.exercised_not_declared,
    )
    if args.entity is not None and not answer.rows:
        raise Mistake(
            f"the store knows no entity {args.entity!r}; `barograph assets` lists what it knows"
        )
    return answer


def _known(reader: Reader, answer: Answer) -> Iterator[str]:
    """What each source says of one thing, its edges and what is weak in it."""
    from infra.terminal.tables import table

    names: list[str] = answer.rows[0][answer.columns.index("names")]
    for title, query in PARTS.items():
        found = _ask(reader, query, names=names)
        if found.rows:
            yield ""
            yield text(f"{title}:")
            yield from table(found.columns, found.rows, whole=not sys.stdout.isatty())


def _ask(reader: Reader, query: str, **asked: Any) -> Answer:  # noqa: ANN401 - as DuckDB takes it
    return reader.run(query, asked, rows=ROWS)
