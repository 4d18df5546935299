"""Known: what criteria look at, as plain values, of the estate or of one AI system."""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple, TypeVar

from schemas.alert import Stage
from schemas.event import Level

ESTATE: Final = "estate"
Times = Literal["declared", "observed"]

# Through what a match belongs to an AI system, in order of preference. A model, an account or a key
# is shared: who called it does not belong to everybody else who does.
CARRIERS: Final = (
    ("application", "agent"),
    ("workload", "image", "guardrail", "mcp_server", "tool", "skill", "endpoint"),
    ("datastore", "dataset", "repo"),
)


# The kinds of things that are judged.
JUDGED: Final = (
    *("application", "agent", "model", "endpoint", "guardrail", "tool", "mcp_server", "skill"),
    *("datastore", "dataset", "repo", "image", "workload"),
)


class Reference(NamedTuple):
    """Something in the store that an answer rests on; `evidence` are events with their sha256."""

    what: Literal["alert", "finding", "signal", "fact", "event", "asset"]
    id: str
    text: str
    time: int
    entity: str | None = None
    evidence: tuple[tuple[str, str], ...] = ()


class Thing(NamedTuple):
    """When a thing was last declared and last seen at work; `event` is the newest that shows it.

    `names` are all that it goes by.
    """

    declared: int | None
    observed: int | None
    event: Reference | None = None
    names: tuple[str, ...] = ()


class Hits(NamedTuple):
    """Matches of one rule on the same things: how many, and some of them, the newest first."""

    rule: str
    entities: tuple[str, ...]
    level: Level
    total: int
    shown: tuple[Reference, ...]


class Opened(NamedTuple):
    """An open alert."""

    convergence: str
    stage: Stage
    system: str
    severity: Level
    tags: tuple[str, ...]
    expires: int | None
    shown: Reference


class Weak(NamedTuple):
    """Open facts of one name and severity on one thing; `about` is a vulnerability, a check or ''.

    `waived`: a statement of the supplier stands against them.
    """

    name: str
    entity: str
    severity: Level
    about: str
    waived: bool
    total: int
    shown: tuple[Reference, ...]


class Shown(NamedTuple):
    """A thing of which the inventory shows a condition."""

    condition: str
    entity: str
    severity: Level
    shown: Reference


class Looked(NamedTuple):
    """The newest time that a scanner looked at a thing."""

    entity: str
    source: str
    shown: Reference


class Linked(NamedTuple):
    """The newest time that an edge of this relation was seen at work from a thing."""

    relation: str
    entity: str
    shown: Reference


class Known(NamedTuple):
    """What is known at `time`. All things are named by the one name that stands for them.

    `systems`: the members of each, by its root. `content`: the newest record of a thing that
    brought prompts or answers. `rules`: those that run, stories too.
    """

    time: int
    rules: Collection[str] = ()
    systems: Mapping[str, frozenset[str]] = {}
    things: Mapping[str, Thing] = {}
    hits: tuple[Hits, ...] = ()
    alerts: tuple[Opened, ...] = ()
    weak: tuple[Weak, ...] = ()
    conditions: tuple[Shown, ...] = ()
    scans: tuple[Looked, ...] = ()
    links: tuple[Linked, ...] = ()
    content: Mapping[str, Reference] = {}
    sources: Mapping[str, Reference] = {}

    def named(self, patterns: Iterable[str]) -> list[str]:
        """The things that these patterns name, sorted."""
        return sorted(filter(lambda entity: matches(entity, patterns), self.things))


def matches(entity: str, patterns: Iterable[str]) -> bool:
    """True if one of the patterns, a kind or `kind:id` with `*` and `?`, names it."""
    return any(fnmatchcase(entity, one if ":" in one else f"{one}:*") for one in patterns)


P = TypeVar("P", Weak, Looked, Linked)


def by_system(known: Known) -> dict[str, Known]:
    """What is known of each system alone; a thing of several is known of each."""
    owners: dict[str, list[str]] = {}
    for root, members in known.systems.items():
        for entity in members:
            owners.setdefault(entity, []).append(root)

    def split(rows: Iterable[P]) -> dict[str, list[P]]:
        found: dict[str, list[P]] = {}
        for row in rows:
            for root in owners.get(row.entity, ()):
                found.setdefault(root, []).append(row)
        return found

    weak, scans, links = split(known.weak), split(known.scans), split(known.links)
    hits: dict[str, list[Hits]] = {}
    for hit in known.hits:
        for root in _carried(hit.entities, owners):
            hits.setdefault(root, []).append(hit)
    alerts, conditions = _of_roots(known, owners)
    return {
        root: known._replace(
            systems={root: members},
            things={entity: known.things[entity] for entity in members if entity in known.things},
            hits=tuple(hits.get(root, ())),
            alerts=tuple(alerts.get(root, ())),
            weak=tuple(weak.get(root, ())),
            conditions=tuple(conditions.get(root, ())),
            scans=tuple(scans.get(root, ())),
            links=tuple(links.get(root, ())),
            content={
                entity: known.content[entity] for entity in members if entity in known.content
            },
        )
        for root, members in known.systems.items()
    }


def _of_roots(
    known: Known, owners: Mapping[str, Collection[str]]
) -> tuple[Mapping[str, list[Opened]], Mapping[str, list[Shown]]]:
    """By root: alerts, which name it; and conditions, which may name it where it is no member."""
    alerts: dict[str, list[Opened]] = {}
    for alert in known.alerts:
        alerts.setdefault(alert.system, []).append(alert)
    conditions: dict[str, list[Shown]] = {}
    for shown in known.conditions:
        for root in {*owners.get(shown.entity, ()), *({shown.entity} & known.systems.keys())}:
            conditions.setdefault(root, []).append(shown)
    return alerts, conditions


def _carried(entities: Iterable[str], owners: Mapping[str, Collection[str]]) -> set[str]:
    """The systems of what names them best."""
    named = list(entities)
    for kinds in CARRIERS:
        found = {
            root
            for entity in named
            if entity.partition(":")[0] in kinds
            for root in owners.get(entity, ())
        }
        if found:
            return found
    return set()
