"""Snowflake inventory: what SHOW commands and the REST API list of Cortex, notebooks and data.

Read are rows of `snow sql --format json` and of the REST API as objects, alone, in lists or one a
line: Cortex search services and agents, models, notebooks, Streamlit apps, compute pools,
databases, functions that reach outside, credentials and accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity, Kind
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.described import answers
from streams.described.answers import PEOPLE, Thing
from streams.described.shape import within
from streams.lineage.calls import link
from streams.names import models
from streams.records.untrusted import entity, listing, text
from streams.source import Json, Narrow, Parsed, Raw

NAME: Final = "snowflake_inventory"
TITLE: Final = "Snowflake SHOW and API answers"
LOGSOURCE: Final = Logsource(product="snowflake", service="inventory")
LATENESS: Final = DAY  # answers are fetched now and then
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = answers.CATEGORIES
ATTRIBUTES: Final = answers.ATTRIBUTES
VERSIONS: Final = "REST API v2 as of 2026"
GAPS: Final = (
    "A row names neither its account nor, mostly, its schema: accounts are not told apart.",
    "Tables, stages and warehouses are not read: only the data that a Cortex service searches.",
    "What a list no longer names is not ended by it.",
)
_LISTS: Final = frozenset({"data", "rows"})
_MOST: Final = 64
Said = dict[str, Json]


def sniff(head: bytes) -> bool:
    """The first row has the columns of a thing of Snowflake."""
    return b'"created_on"' in head and any(
        marks <= keys.keys() for _, keys in within(head, _LISTS) for marks, _ in _SHAPES
    )


def split(document: bytes) -> Iterator[Raw]:
    """The things of an answer."""
    return answers.split(document, _read, _LISTS)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One thing, or a check of one."""
    return answers.event(NAME, raw, record, evidence, _read)


def _thing(kind: Kind, name: Json) -> Entity | None:
    known = text(name, 256)
    return entity(kind, f"snowflake/{known}".lower(), known) if known else None


def _said(said: Said) -> Said:
    status = text(said.get("state") or said.get("status"), 32)
    return {"owner": text(said.get("owner"), 128), "status": status}


def _times(said: Said) -> tuple[Json, ...]:
    return (said.get("created_on"), said.get("last_altered"), said.get("updated_on"))


def _search(said: Said) -> Thing | None:
    """A search service: what an agent or an application looks things up in."""
    thing = _thing("datastore", said.get("name"))
    source = text(said.get("source"), 256)  # a table, or the text of a query
    table = _thing("dataset", source) if source and " " not in source else None
    edges = [*link(thing, "fed_by", table)]
    edges += link(thing, "calls", models.model(said.get("embedding_model")))
    return Thing((thing,), "cortex search service", edges, _said(said), _times(said))


def _code(said: Said) -> Thing | None:
    """A notebook or an app: which pool it runs on, and whether it may call outside."""
    thing = _thing("application", said.get("name"))
    edges = link(thing, "runs_on", _thing("workload", said.get("compute_pool")))
    sort = "snowflake notebook" if "runtime_name" in said else "streamlit app"
    out = bool(listing(said.get("external_access_integrations"))[:_MOST])
    return Thing((thing,), sort, edges, _said(said), _times(said), {"direct_internet": out})


def _pool(said: Said) -> Thing | None:
    size = _said(said) | {"size": text(said.get("instance_family"), 64)}
    thing = _thing("workload", said.get("name"))
    return Thing((thing,), "snowflake compute pool", (), size, _times(said))


def _model(said: Said) -> Thing | None:
    """A model of the registry, by its database and schema as functions call it."""
    parts = (text(said.get(key), 128) for key in ("database_name", "schema_name", "name"))
    thing = _thing("model", ".".join(filter(None, parts)))
    version = {"version": text(said.get("default_version_name"), 64)}
    return Thing((thing,), "snowflake model", (), _said(said) | version, _times(said))


def _database(said: Said) -> Thing | None:
    gone = bool(text(said.get("dropped_on"), 64))
    thing = _thing("datastore", said.get("name"))
    return Thing((thing,), "snowflake database", (), _said(said), _times(said), gone=gone)


def _credential(said: Said) -> Thing | None:
    """A key or token of a user; passwords and second factors are no keys."""
    kind = (text(said.get("type"), 64) or "").upper()
    if kind in {"PASSWORD", "TOTP", "PASSKEY", "DUO"}:
        return None
    number, user = text(said.get("credential_id"), 128), text(said.get("user_name"), 128)
    key = entity("apikey", f"snowflake/{number}" if number else None, said.get("name"))
    who = entity("principal", user.lower() if user else None)
    used = text(said.get("last_used_on"), 64)
    state = {"status": text(said.get("status"), 32), "last_used": used}
    checks = {"never_expires": not text(said.get("expiration_date"), 64)}
    edges = link(who, "owns", key)
    return Thing((key, who), "snowflake key", edges, state, (*_times(said), used), checks, PEOPLE)


def _account(said: Said) -> Thing | None:
    parts = [text(said.get(key), 128) for key in ("organization_name", "name")]
    name = "-".join(filter(None, parts))
    thing = entity("account", f"snowflake/{name}".lower() if name else None)
    return Thing(
        (thing,), "snowflake account", (), {"region": text(said.get("region"), 64)}, _times(said)
    )


def _shape(columns: str) -> frozenset[str]:
    return frozenset(columns.split())


# The columns of the rows that are read, the most telling first.
_SHAPES: Final = (
    (_shape("name search_column embedding_model created_on"), _search),
    (_shape("name model_type default_version_name created_on"), _model),
    (_shape("name main_file runtime_name created_on"), _code),
    (_shape("name main_file root_location created_on"), _code),
    (_shape("name instance_family min_nodes created_on"), _pool),
    (_shape("credential_id user_name type created_on"), _credential),
    (_shape("name origin owner retention_time is_current created_on"), _database),
    (_shape("organization_name name account_locator created_on"), _account),
)


def _read(said: Said, inside: str) -> Thing | None:  # noqa: ARG001 - the columns tell
    return next((read(said) for marks, read in _SHAPES if marks <= said.keys()), None)
