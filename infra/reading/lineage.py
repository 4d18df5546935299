"""Lineage: what an entity reaches and what reaches it, as the command and the read API ask."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from schemas.errors import Mistake

if TYPE_CHECKING:
    from infra.reading.reader import Reader

Way = Literal["downstream", "upstream"]
DEPTH: Final = 12  # steps; longer chains are not one system any more
THINGS: Final = 10_000
_ENTITIES: Final = """
    SELECT entity FROM assets UNION SELECT unnest([from_entity, to_entity]) FROM edges
    UNION SELECT 'vulnerability:' || vulnerability FROM facts WHERE vulnerability IS NOT NULL"""


class Step(NamedTuple):
    """`entity` is reached from `parent` over `relation`, `depth` steps away.

    The confidence is that of all steps up to it.
    """

    entity: str
    depth: int
    parent: str
    relation: str
    confidence: float = 1.0


def steps(reader: Reader, way: Way, entity: str, time: str | None, depth: int) -> list[Step]:
    """All that it reaches, or is reached from, at a time (None: now), nearest first."""
    query = f"""
    SELECT entity, depth, parent, relation, confidence FROM {way}($1, CAST($2 AS TIMESTAMP), $3)
    ORDER BY depth, relation, entity"""  # noqa: S608 - one of two names of ours
    return [Step(*row) for row in reader.run(query, [entity, time, depth], rows=THINGS).rows]


def affected(reader: Reader, entity: str, time: str | None, depth: int) -> list[Step]:
    """What has a vulnerability, where it is one that is asked for, and what reaches that."""
    query = "SELECT entity, 1, $1, 'affected_by' FROM affected_at(CAST($2 AS TIMESTAMP))"
    query += " WHERE 'vulnerability:' || vulnerability = $1 ORDER BY entity"
    found = {row[0]: Step(*row) for row in reader.run(query, [entity, time], rows=THINGS).rows}
    for asset in list(found):
        for step in steps(reader, "upstream", asset, time, depth - 1):
            found.setdefault(step.entity, step._replace(depth=step.depth + 1))
    return list(found.values())


def known(reader: Reader, entity: str) -> bool:
    """Whether the store has heard of it: as a thing, an end of an edge, or a vulnerability."""
    query = f"SELECT 1 FROM ({_ENTITIES}) WHERE entity = $1 LIMIT 1"  # noqa: S608 - of ours
    return bool(reader.run(query, [entity]).rows)


def unknown(reader: Reader, entity: str) -> Mistake:
    """What to say of one that is not: those that are spelled nearly so."""
    names = {str(row[0]) for row in reader.run(_ENTITIES, rows=1_000_000).rows}
    close = get_close_matches(entity, names, n=3) or sorted(k for k in names if entity in k)[:3]
    mend = (
        f"did you mean {', '.join(close)}?" if close else "`barograph assets` lists what it knows"
    )
    return Mistake(f"the store knows no entity {entity!r}; {mend}")
