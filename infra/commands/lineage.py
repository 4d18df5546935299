"""Show what an entity reaches, what reaches it, and what an attacker gets with it; as of a time."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from infra.exits import Exit
from infra.settings import load as settings
from infra.shown import text
from schemas.errors import Mistake
from schemas.times import parse, rfc3339

if TYPE_CHECKING:
    from infra.reader import Reader

EXAMPLE = """\
barograph lineage agent:support-bot --as-of 2026-11-21T10:00:00Z
barograph lineage apikey:AKIAEXAMPLE0001 --blast-radius"""

DEPTH = 12  # steps; longer chains are not one system any more
THINGS = 10_000


class Step(NamedTuple):
    """`entity` is reached from `parent` over `relation`, `depth` steps away.

    The confidence is that of all steps up to it.
    """

    entity: str
    depth: int
    parent: str
    relation: str
    confidence: float = 1.0


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
    from infra.reader import Reader, located
    from infra.tables import encoded

    try:
        time = None if args.as_of is None else rfc3339(parse(args.as_of))
    except ValueError as error:
        raise Mistake(f"--as-of: {error}") from error
    with Reader(located(args.store, settings(args.config))) as reader:
        _known(reader, args.entity)
        if args.blast_radius:
            from infra.radius import lines, radius

            found = radius(reader, args.entity, time, args.depth)
            for line in (encoded(found.said(time)),) if args.json else lines(found):
                print(line)
            return Exit.OK
        below = _steps(reader, "downstream", args.entity, time, args.depth)
        above = _steps(reader, "upstream", args.entity, time, args.depth)
        above += _affected(reader, args.entity, time, args.depth)
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
    for heading, steps, arrow in (("reaches", below, "-{}->"), ("is reached by", above, "<-{}-")):
        print(f"{heading}:" if steps else f"{heading}: nothing")
        for line in tree(args.entity, steps, arrow):
            print(line)
    return Exit.OK


def tree(root: str, steps: Sequence[Step], arrow: str, indent: str = "  ") -> Iterator[str]:
    """The steps below `root`, each under its parent, in the order given."""
    for step in steps:
        if step.parent == root:
            sure = "" if step.confidence >= 1 else f" ({step.confidence:.0%} sure)"
            yield f"{indent}{arrow.format(text(step.relation))} {text(step.entity)}{sure}"
            yield from tree(step.entity, steps, arrow, indent + "  ")


def _steps(reader: Reader, way: str, entity: str, time: str | None, depth: int) -> list[Step]:
    query = f"""
    SELECT entity, depth, parent, relation, confidence FROM {way}($1, CAST($2 AS TIMESTAMP), $3)
    ORDER BY depth, relation, entity"""  # noqa: S608 - one of two names of ours
    return [Step(*row) for row in reader.run(query, [entity, time, depth], rows=THINGS).rows]


def _affected(reader: Reader, entity: str, time: str | None, depth: int) -> list[Step]:
    """What has a vulnerability, where it is one that is asked for, and what reaches that."""
    query = "SELECT entity, 1, $1, 'affected_by' FROM affected_at(CAST($2 AS TIMESTAMP))"
    query += " WHERE 'vulnerability:' || vulnerability = $1 ORDER BY entity"
    found = {row[0]: Step(*row) for row in reader.run(query, [entity, time], rows=THINGS).rows}
    for asset in list(found):
        for step in _steps(reader, "upstream", asset, time, depth - 1):
            found.setdefault(step.entity, step._replace(depth=step.depth + 1))
    return list(found.values())


def _known(reader: Reader, entity: str) -> None:
    query = """
    SELECT entity FROM assets UNION SELECT unnest([from_entity, to_entity]) FROM edges
    UNION SELECT 'vulnerability:' || vulnerability FROM facts WHERE vulnerability IS NOT NULL"""
    known = {str(row[0]) for row in reader.run(query, rows=1_000_000).rows}
    if entity in known:
        return
    close = get_close_matches(entity, known, n=3) or sorted(k for k in known if entity in k)[:3]
    mend = (
        f"did you mean {', '.join(close)}?" if close else "`barograph assets` lists what it knows"
    )
    raise Mistake(f"the store knows no entity {entity!r}; {mend}")
