"""Call: who would use which tool, under all names that the store knows of them."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

from pydantic import Field

from infra.reading.reader import Reader
from schemas.entity import MAX_ID
from schemas.event import Record

Name = Annotated[str, Field(min_length=1, max_length=MAX_ID + 20)]
ROWS: Final = 10_000
# What runs the agent answers for it, and what serves the tool stands behind it; that it was deleted
# is a reason of its own.
_CALLERS: Final = """
SELECT DISTINCT from_entity FROM edges
WHERE valid_to IS NULL AND relation IN ('runs', 'uses') AND list_contains($names, to_entity)
  AND split_part(from_entity, ':', 1) IN ('application', 'workload') ORDER BY ALL"""
_SERVERS: Final = """
SELECT DISTINCT to_entity FROM edges
WHERE valid_to IS NULL AND relation = 'served_by' AND list_contains($names, from_entity)
ORDER BY ALL"""
_ALIASES: Final = """
SELECT DISTINCT o.entity FROM identities AS i JOIN identities AS o USING (canonical)
WHERE list_contains($names, i.entity) ORDER BY ALL"""
_KNOWN: Final = """
SELECT entity FROM assets WHERE list_contains($names, entity)
UNION SELECT from_entity FROM edges WHERE list_contains($names, from_entity)
UNION SELECT to_entity FROM edges WHERE list_contains($names, to_entity)"""
_ROOTS: Final = """
SELECT DISTINCT root FROM system_members WHERE list_contains($names, entity) ORDER BY ALL"""


class Call(Record):
    """A tool call: each is a `kind:id`, or the id alone, as its field says the kind."""

    agent: Name
    tool: Name
    principal: Name | None = None
    session: Name | None = None
    model: Name | None = None
    mcp_server: Name | None = None

    def entities(self) -> dict[str, str]:
        """`kind:id` by kind, of what is named."""
        said: dict[str, str | None] = self.model_dump()
        return {
            kind: name if name.startswith(f"{kind}:") else f"{kind}:{name}"
            for kind, name in said.items()
            if name is not None
        }


class Situation(NamedTuple):
    """A call as the store knows it.

    `unseen`: what was named and nobody has ever heard of; a session may be new. `callers` are the
    agent and what runs it, `targets` the tool and its servers, `names` all of them and the rest.
    `roots`: the AI systems of the agent, of the tool and of its servers. What others use too, a
    model or a principal, brings no system with it.
    """

    unseen: tuple[str, ...]
    callers: list[str]
    targets: list[str]
    names: list[str]
    roots: list[str]


def situation(reader: Reader, call: Call, seconds: float) -> Situation:
    """What the store knows of those who take part."""

    def ask(query: str, names: list[str]) -> list[str]:
        rows = reader.run(query, {"names": names}, rows=ROWS, seconds=seconds).rows
        return [str(row[0]) for row in rows]

    def all_names(names: list[str]) -> list[str]:
        return list(dict.fromkeys([*names, *ask(_ALIASES, names)]))

    named = call.entities()
    agent, tool = all_names([named["agent"]]), all_names([named["tool"]])
    given = [named["mcp_server"]] if "mcp_server" in named else []
    servers = all_names([*given, *ask(_SERVERS, tool)]) if given or tool else []
    callers = [*agent, *ask(_CALLERS, agent)]
    others = all_names([named[kind] for kind in ("principal", "session", "model") if kind in named])
    known = set(ask(_KNOWN, list(named.values())))
    unseen = [one for kind, one in named.items() if one not in known and kind != "session"]
    targets = [*tool, *servers]
    return Situation(
        tuple(unseen),
        callers,
        targets,
        list(dict.fromkeys([*agent, *targets, *others])),
        ask(_ROOTS, [*agent, *targets]),
    )
