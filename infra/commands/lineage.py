"""Show what an entity reaches, what reaches it, and what an attacker gets with it; as of a time."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from infra.exits import Exit
from infra.reading.lineage import DEPTH, Step, affected, known, steps, unknown
from infra.settings import load as settings
from infra.terminal.shown import text
from schemas.errors import Mistake
from schemas.times import parse, rfc3339

EXAMPLE = """\
barograph lineage agent:support-bot --as-of 2026-11-21T10:00:00Z
barograph lineage apikey:AKIAEXAMPLE0001 --blast-radius"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("entity", metavar="ENTITY", help="kind:id, as `barograph assets` has it")
    parser.add_argument("--as-of", metavar="T", help="the time to look at; default: what holds now")
    parser.add_argument("--depth", type=int, default=DEPTH, help=f"steps; default: {DEPTH}")
    parser.add_argument(
        "--blast-radius",
        action="store_true",
        help="what somebody who holds it could use or control, and the shortest way there",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--store", metavar="PATH", help="default: the newer of ./out and the data folder"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0; an entity that the store does not know is a mistake."""
    from infra.reading.reader import Reader, located
    from infra.terminal.tables import encoded

    try:
        time = None if args.as_of is None else rfc3339(parse(args.as_of))
    except ValueError as error:
        raise Mistake(f"--as-of: {error}") from error
    with Reader(located(args.store, settings(args.config))) as reader:
        if not known(reader, args.entity):
            raise unknown(reader, args.entity)
        if args.blast_radius:
            from infra.reading.radius import lines, radius

            reach = radius(reader, args.entity, time, args.depth)
            for line in (encoded(reach.said(time)),) if args.json else lines(reach):
                print(line)
            return Exit.OK
        below = steps(reader, "downstream", args.entity, time, args.depth)
        above = steps(reader, "upstream", args.entity, time, args.depth)
        above += affected(reader, args.entity, time, args.depth)
    if args.json:
        said = {
            "entity": args.entity,
            "as_of": time,
            "downstream": [step._asdict() for step in below],
            "upstream": [step._asdict() for step in above],
        }
        print(encoded({name: value for name, value in said.items() if value is not None}))
        return Exit.OK
    print(text(args.entity))
    for heading, found, arrow in (("reaches", below, "-{}->"), ("is reached by", above, "<-{}-")):
        print(f"{heading}:" if found else f"{heading}: nothing")
        for line in tree(args.entity, found, arrow):
            print(line)
    return Exit.OK


def tree(root: str, found: Sequence[Step], arrow: str, indent: str = "  ") -> Iterator[str]:
    """The steps below `root`, each under its parent, in the order given."""
    for step in found:
        if step.parent == root:
            sure = "" if step.confidence >= 1 else f" ({step.confidence:.0%} sure)"
            yield f"{indent}{arrow.format(text(step.relation))} {text(step.entity)}{sure}"
            yield from tree(step.entity, found, arrow, indent + "  ")
