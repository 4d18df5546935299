"""Assets: the inventory, and all that is known of one thing."""

from __future__ import annotations

from typing import Any, Final, Literal

from infra.api.answers import Absent, Key, Limit, Moment, Rows, dicts, page
from infra.api.route import Asked, Route
from infra.reading.inventory import LISTED, PARTS, SHADOW
from schemas.entity import Kind
from schemas.event import Level, Record

BY_ENTITY: Final = Key(("entity",), ("VARCHAR",))
_LISTED: Final = f"""
SELECT * EXCLUDE (deleted) FROM ({LISTED})
WHERE (len($kinds) = 0 OR list_contains($kinds, split_part(entity, ':', 1)))
  AND (len($layers) = 0 OR list_contains($layers, layer))
  AND (len($systems) = 0 OR list_has_any($systems, systems))
  AND (NOT $shadow OR entity IN (SELECT entity FROM ({SHADOW})))"""  # noqa: S608 - of ours


class AssetRow(Record):
    """A thing of the inventory: once, under all its `names`; how it is known, and since when."""

    entity: str
    name: str | None
    layer: str
    first_seen: Moment | None
    last_seen: Moment | None
    known: str
    sources: tuple[str, ...]
    systems: tuple[str, ...]
    open_facts: int
    names: tuple[str, ...]
    declared_from: Moment | None
    declared_seen: Moment | None
    observed_from: Moment | None
    observed_seen: Moment | None
    attributes: dict[str, Any] | None


class Attribute(Record):
    """What a source said of a thing, from when to when, and how sure that is."""

    name: str
    value: Any
    source: str | None
    first_seen: Moment | None
    last_seen: Moment | None
    confidence: float | None


class AssetEdge(Record):
    """An edge that still holds."""

    from_entity: str
    relation: str
    to_entity: str
    declared: bool | None
    observed: bool | None
    valid_from: Moment | None
    last_seen: Moment | None
    confidence: float | None


class Weakness(Record):
    """A weakness of a thing, however many scanners say it."""

    weakness: str | None
    state: Literal["open", "resolved", "waived"]
    severity: Level | None
    since: Moment | None
    said_by: tuple[str | None, ...] | None
    packages: tuple[str, ...] | None
    fixed_versions: tuple[str, ...] | None
    kev_since: Moment | None
    epss: float | None
    waived_by: str | None


class Asset(Record):
    """All that is known of one thing."""

    asset: AssetRow
    attributes: tuple[Attribute, ...]
    edges: tuple[AssetEdge, ...]
    weaknesses: tuple[Weakness, ...]
    more: bool
    snapshot: Moment


class WantedAssets(Record):
    """`system`: names of AI systems; `shadow`: only AI at work that nobody declared."""

    kind: tuple[Kind, ...] = ()
    layer: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    shadow: bool = False
    limit: Limit | None = None
    after: str | None = None


class WantedAsset(Record):
    """`kind:id`; any of its names."""

    entity: str


def assets(asked: Asked, wanted: WantedAssets) -> Rows[AssetRow]:
    """The inventory by kind, layer and AI system."""
    rows, following = page(
        asked.reader,
        _LISTED,
        _filters(asked)
        | {
            "kinds": list(wanted.kind),
            "layers": list(wanted.layer),
            "systems": list(wanted.system),
            "shadow": wanted.shadow,
        },
        BY_ENTITY,
        after=wanted.after,
        limit=asked.limit(wanted.limit),
        seconds=asked.seconds,
    )
    return Rows[AssetRow](
        rows=tuple(AssetRow.model_validate(row) for row in rows),
        more=following is not None,
        next=following,
        snapshot=asked.taken,
    )


def asset(asked: Asked, wanted: WantedAsset) -> Asset:
    """One thing: what each source says of it, its edges and its weaknesses."""
    query = f"SELECT * EXCLUDE (deleted) FROM ({LISTED})"  # noqa: S608 - of ours
    filters = _filters(asked) | {"entity": wanted.entity}
    del filters["approved"]
    found = dicts(asked.reader.run(query, filters, rows=1, seconds=asked.seconds))
    if not found:
        raise Absent(f"the store knows no entity {wanted.entity!r}; /api/v1/assets lists them")
    row = AssetRow.model_validate(found[0])
    names = {"names": list(row.names)}
    parts = {
        part: asked.reader.run(query, names, rows=asked.rows, seconds=asked.seconds)
        for part, query in PARTS.items()
    }
    return Asset.model_validate(
        {part: dicts(answer) for part, answer in parts.items()}
        | {"asset": row, "snapshot": asked.taken}
        | {"more": any(answer.more for answer in parts.values())}
    )


def _filters(asked: Asked) -> dict[str, object]:
    """What the query of the command takes, and asks for everything."""
    some: dict[str, object] = {"kind": None, "entity": None, "system": None}
    return some | {"unused": False, "undeclared": False, "approved": list(asked.approved)}


ROUTES: Final = (
    Route("get", "/assets", assets),
    Route("get", "/assets/{entity:.+}", asset),
)
