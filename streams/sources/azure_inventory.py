"""Azure inventory: what list and show calls of Azure and Entra answer of an AI estate.

Read are answers of `az ... list` and `show`, of the resource manager (`value`), of the SDK of
Python and of Microsoft Graph, alone, in lists or one a line: Azure AI and OpenAI accounts, their
deployments, projects, agents and content filters, Machine Learning workspaces with what they hold,
AI Search, bots, storage, Cosmos DB, SQL, Synapse, container instances and apps, registries, AKS,
web and function apps, virtual machines, subscriptions; applications, service principals, users and
role assignments of Entra; AI applications among those that Intune found on devices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.described import answers, microsoft
from streams.described.shape import within
from streams.source import Json, Narrow, Parsed, Raw

NAME: Final = "azure_inventory"
TITLE: Final = "Azure and Entra list and show answers"
LOGSOURCE: Final = Logsource(product="azure", service="inventory")
LATENESS: Final = DAY  # answers are fetched now and then
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = answers.CATEGORIES
ATTRIBUTES: Final = answers.ATTRIBUTES
VERSIONS: Final = "api-versions up to 2025-09-01; Microsoft Graph v1.0; Azure CLI 2"
GAPS: Final = (
    "An answer does not say when it was fetched: a thing has the time of its last change, or none.",
    "What a list no longer names is not ended by it; an operation that deletes it ends it.",
    "Groups and roles of Entra are not led to their members.",
)
_LISTS: Final = frozenset({"value"})
_GRAPH: Final = (
    frozenset({"appid", "signinaudience"}),
    frozenset({"appid", "serviceprincipaltype"}),
    frozenset({"userprincipalname", "mail"}),
)
_LOGS: Final = frozenset({"operationname", "category", "eventtimestamp", "resourceid", "time"})


def sniff(head: bytes) -> bool:
    """The first record has the id of a resource of such a kind, or what Graph says of an app."""
    small = head[:4096].lower()
    if not any(one in small for one in (b"/subscriptions/", b'"app', b'"userprincipalname"')):
        return False
    return any(_ours(keys) for _, keys in within(head, _LISTS))


def split(document: bytes) -> Iterator[Raw]:
    """The things of an answer."""
    return answers.split(document, microsoft.described, _LISTS)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One thing, or a check of one."""
    return answers.event(NAME, raw, record, evidence, microsoft.described)


def _ours(keys: Mapping[str, str]) -> bool:
    small = {key.replace("_", "").lower(): value for key, value in keys.items()}
    identity = small.get("id", "")
    if identity.lower().startswith("/subscriptions/"):
        return small.keys().isdisjoint(_LOGS) and microsoft.known(identity)
    if {"applicationkey", "applicationname", "applicationversion"} <= small.keys():
        return True
    if {"approleid", "principalid", "resourceid", "principaltype"} <= small.keys():
        return True
    known = {"id", "displayname"} <= small.keys() and small.keys().isdisjoint(_LOGS)
    return known and any(one <= small.keys() for one in _GRAPH)
