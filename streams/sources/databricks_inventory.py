"""Databricks inventory: what its command line and APIs answer of serving, compute and people.

Read are answers of `databricks ... -o json` and of the REST API, alone, in lists or one a line:
serving endpoints, models of the catalog, vector search endpoints and indexes, apps, clusters,
users, tokens, repositories and the account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity, Kind
from schemas.event import Edge, EventEvidence
from schemas.times import DAY
from streams.described import answers
from streams.described.answers import PEOPLE, Thing, no
from streams.described.shape import within
from streams.lineage.calls import at, link
from streams.names import aws
from streams.names.artifacts import repository
from streams.records.untrusted import entity, listing, mapping, text
from streams.source import Json, Narrow, Parsed, Raw

NAME: Final = "databricks_inventory"
TITLE: Final = "Databricks API answers"
LOGSOURCE: Final = Logsource(product="databricks", service="inventory")
LATENESS: Final = DAY  # answers are fetched now and then
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = answers.CATEGORIES
ATTRIBUTES: Final = answers.ATTRIBUTES
VERSIONS: Final = "REST API 2.0 and 2.1 as of 2026"
GAPS: Final = (
    "Answers do not name their workspace: an endpoint or app is not joined with the audit log's.",
    "What a list no longer names is not ended by it.",
)
_LISTS: Final = frozenset(
    {
        *("Resources", "apps", "clusters", "endpoints", "registered_models"),
        *("token_infos", "vector_indexes"),
    }
)
_MARKS: Final = (
    *(
        b'"app_status"',
        b'"catalog_name"',
        b'"cluster_id"',
        b'"head_commit_id"',
        b'"index_type"',
        b'"served_entities"',
    ),
    *(b'"token_id"', b'"userName"', b"databricks"),
)
_MOST: Final = 64
Said = dict[str, Json]


def sniff(head: bytes) -> bool:
    """The first record has the keys of a thing of Databricks."""
    return any(one in head for one in _MARKS) and any(
        marks <= keys.keys() for _, keys in within(head, _LISTS) for marks, _ in _SHAPES
    )


def split(document: bytes) -> Iterator[Raw]:
    """The things of an answer."""
    return answers.split(document, _read, _LISTS)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One thing, or a check of one."""
    return answers.event(NAME, raw, record, evidence, _read)


def _full(kind: Kind, name: Json) -> Entity | None:
    known = text(name, 256)
    return entity(kind, f"databricks/{known}".lower(), known) if known else None


def _person(name: Json) -> Entity | None:
    known = text(name, 256)
    return entity("principal", known.lower()) if known else None


def _endpoint(said: Said) -> Thing | None:
    thing, edges = _full("endpoint", said.get("name")), list[Edge]()
    config = mapping(said.get("config"))
    for one in map(mapping, listing(config.get("served_entities"))[:_MOST]):
        outside = text(at(one, "external_model", "name"), 256)
        served = aws.model(outside) if outside else _full("model", one.get("entity_name"))
        edges += link(thing, "serves", served)
    owner = {"owner": text(said.get("creator"), 256)}
    guarded = "guardrails" in mapping(said.get("ai_gateway"))
    checks = {"no_guardrail": not guarded} if "ai_gateway" in said else {}
    times = (said.get("creation_timestamp"), said.get("last_updated_timestamp"))
    return Thing((thing,), "serving endpoint", edges, owner, times, checks)


def _model(said: Said) -> Thing | None:
    name = text(said.get("full_name"), 256)
    owner: Said = {"owner": text(said.get("owner"), 256)}
    owner["model_data"] = text(said.get("storage_location"), 512)
    times = (said.get("created_at"), said.get("updated_at"))
    return Thing((_full("model", name),), "registered model", (), owner, times)


def _index(said: Said) -> Thing | None:
    thing = _full("datastore", said.get("name"))
    table = _full("dataset", at(said, "delta_sync_index_spec", "source_table"))
    owner = {"owner": text(said.get("creator"), 256)}
    return Thing((thing,), "vector index", link(thing, "fed_by", table), owner)


def _app(said: Said) -> Thing | None:
    thing = _full("application", said.get("name"))
    who = entity("principal", (text(said.get("service_principal_client_id"), 128) or "").lower())
    state = {
        "owner": text(said.get("creator"), 256),
        "status": text(at(said, "app_status", "state"), 64),
        "size": text(said.get("compute_size"), 32),
    }
    times = (said.get("create_time"), said.get("update_time"))
    return Thing((thing, who), "databricks app", link(thing, "runs_as", who), state, times)


def _cluster(said: Said) -> Thing | None:
    state = {
        "owner": text(said.get("creator_user_name"), 256),
        "status": text(said.get("state"), 32),
        "size": text(said.get("node_type_id"), 64),
        "version": text(said.get("spark_version"), 64),
    }
    times = (said.get("start_time"), said.get("last_restarted_time"))
    thing = entity(
        "workload",
        f"databricks/{said['cluster_id']}" if text(said.get("cluster_id"), 128) else None,
        said.get("cluster_name"),
    )
    checks = {"not_encrypted": no(said.get("enable_local_disk_encryption"))}
    return Thing((thing,), "databricks cluster", (), state, times, checks)


def _token(said: Said) -> Thing | None:
    number = text(said.get("token_id"), 128)
    key = entity("apikey", number if number and not number.startswith("dapi") else None)
    owner = _person(said.get("created_by_username")) or _person(said.get("owner_id"))
    # A token without an end is said to expire at -1.
    ends = said.get("expiry_time")
    checks = {"never_expires": ends in (-1, None)}
    times = (said.get("creation_time"), said.get("last_used_day"))
    return Thing(
        (key, owner), "databricks token", link(owner, "owns", key), {}, times, checks, PEOPLE
    )


def _user(said: Said) -> Thing | None:
    person, number = _person(said.get("userName")), _person(said.get("id"))
    off = said.get("active") is False
    edges = link(person, "same_as", number)
    status = {"status": "disabled" if off else None}
    return Thing((person, number), "databricks user", edges, status, (), {}, PEOPLE)


def _repo(said: Said) -> Thing | None:
    thing = repository(said.get("url"))
    return Thing((thing,), "databricks repo", (), {"version": text(said.get("branch"), 128)})


def _account(said: Said) -> Thing | None:
    return Thing((entity("account", said.get("account_id")),), "databricks account")


# The keys of the records that are read, the most telling first.
_SHAPES: Final = (
    (frozenset({"cluster_id", "spark_version"}), _cluster),
    (frozenset({"token_id", "owner_id"}), _token),
    (frozenset({"app_status", "compute_status", "name"}), _app),
    (frozenset({"delta_sync_index_spec", "name"}), _index),
    (frozenset({"index_type", "endpoint_name", "name"}), _index),  # in a list
    (frozenset({"catalog_name", "schema_name", "full_name", "metastore_id"}), _model),
    (frozenset({"name", "config", "creation_timestamp", "creator"}), _endpoint),
    (frozenset({"userName", "displayName", "active", "groups"}), _user),
    (frozenset({"head_commit_id", "path", "provider", "url"}), _repo),
    (frozenset({"account_id", "host", "id"}), _account),
)


def _read(said: Mapping[str, Json], inside: str) -> Thing | None:  # noqa: ARG001 - the keys tell
    return next((read(dict(said)) for marks, read in _SHAPES if marks <= said.keys()), None)
