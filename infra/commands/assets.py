"""List the inventory: what there is, how it is known, what nobody declared, what nobody uses."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from infra.exits import Exit
from infra.settings import load as settings
from infra.shown import text
from schemas.entity import KINDS
from schemas.errors import Mistake

if TYPE_CHECKING:
    from infra.reader import Answer, Reader

EXAMPLE = """\
barograph assets --kind mcp_server
barograph assets --shadow
barograph assets model:amazon.nova-pro-v1:0"""

DAYS: Final = 90  # without use, after which a key is stale
ROWS: Final = 1_000_000
LISTED: Final = """
SELECT
  i.entity, i.name, i.layer, i.first_seen, i.last_seen,
  concat_ws('+', CASE WHEN i.declared_from IS NOT NULL THEN 'declared' END,
    CASE WHEN i.observed_from IS NOT NULL THEN 'observed' END) AS known,
  i.sources, coalesce(s.systems, []) AS systems, coalesce(p.open_facts, 0) AS open_facts,
  i.names, i.declared_from, i.declared_seen, i.observed_from, i.observed_seen, i.deleted,
  a.attributes
FROM inventory AS i
LEFT JOIN assets AS a ON a.entity = i.entity
LEFT JOIN thing_systems AS s ON s.entity = i.entity
LEFT JOIN (
  SELECT t.thing, count(*) AS open_facts FROM posture JOIN things AS t USING (entity) GROUP BY ALL
) AS p ON p.thing = i.entity
WHERE ($kind IS NULL OR i.kind = $kind)
  AND ($entity IS NULL OR list_contains(i.names, $entity))
  AND ($system IS NULL OR i.entity IN (
    SELECT t.thing FROM system_members AS m JOIN things AS t USING (entity)
    WHERE $system IN (m.system, m.root)))
  AND ($entity IS NOT NULL OR i.deleted IS NULL)
  AND (NOT $unused OR (i.declarable AND i.declared_from IS NOT NULL AND i.observed_from IS NULL))
  AND (NOT $undeclared OR (i.declarable AND i.declared_from IS NULL
    AND i.observed_from IS NOT NULL))
ORDER BY i.layer_number, i.entity"""
SHADOW: Final = """
SELECT entity, name, layer, first_seen, last_seen, sources, servers, systems
FROM shadow_ai
WHERE len(list_filter(CAST($approved AS VARCHAR[]), lambda pattern: len(list_filter(
  list_concat(names, servers), lambda name: name GLOB pattern)) > 0)) = 0
ORDER BY entity"""
STALE: Final = """
SELECT entity, last_seen, quiet_days, coalesce(owners, []) AS owners,
  CASE WHEN owners IS NULL THEN 'nobody owns it' ELSE 'nobody uses it' END AS why
FROM stale_keys WHERE owners IS NULL OR quiet_days >= $days
ORDER BY quiet_days DESC, entity"""
COUNTS: Final = (
    "SELECT 'things' AS what, layer, kind AS name, things AS number, declared, observed, both_ways"
    " FROM asset_counts UNION ALL"
    " SELECT 'edges', NULL, relation, edges, declared, observed, both_ways FROM edge_counts"
)
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
    from infra.reader import Reader, located
    from infra.tables import json_lines, table

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
    from infra.tables import table

    names: list[str] = answer.rows[0][answer.columns.index("names")]
    parts = {
        "attributes": "SELECT name, value, source, first_seen, last_seen, confidence"
        " FROM asset_attributes WHERE list_contains($names, entity) ORDER BY ALL",
        "edges": "SELECT from_entity, relation, to_entity, declared, observed, valid_from,"
        " last_seen, confidence FROM current_edges"
        " WHERE list_has_any($names, [from_entity, to_entity]) ORDER BY ALL",
        "weaknesses": "SELECT weakness, state, severity, since, said_by, packages, fixed_versions,"
        " kev_since, epss, waived_by FROM weaknesses WHERE list_contains($names, entity)"
        " ORDER BY state, list_position(['critical', 'high', 'medium', 'low'], severity), weakness",
    }
    for title, query in parts.items():
        found = _ask(reader, query, names=names)
        if found.rows:
            yield ""
            yield text(f"{title}:")
            yield from table(found.columns, found.rows, whole=not sys.stdout.isatty())


def _ask(reader: Reader, query: str, **asked: Any) -> Answer:  # noqa: ANN401 - as DuckDB takes it
    return reader.run(query, asked, rows=ROWS)
