"""Azure: the canonical entities behind its resource ids, so that all sources name alike.

    /SUBSCRIPTIONS/<s>/.../MICROSOFT.COGNITIVESERVICES/ACCOUNTS/<a>/DEPLOYMENTS/<d>   azure/<a>/<d>

Ids come in any letters: what is made of them is in small ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.entity import Entity, Kind
from schemas.event import Edge
from streams.records import untrusted
from streams.records.untrusted import edge, entity, mapping, text
from streams.source import Json, Unreadable

# Provider and types of a resource -> kind. Of a resource below another both are things.
_KINDS: Final[dict[str, Kind]] = {
    "microsoft.app/containerapps": "workload",
    "microsoft.botservice/botservices": "agent",
    "microsoft.cognitiveservices/accounts": "endpoint",
    "microsoft.cognitiveservices/accounts/applications": "agent",
    "microsoft.cognitiveservices/accounts/deployments": "endpoint",
    "microsoft.cognitiveservices/accounts/projects": "application",
    "microsoft.cognitiveservices/accounts/projects/agents": "agent",
    "microsoft.cognitiveservices/accounts/projects/applications": "agent",
    "microsoft.cognitiveservices/accounts/raiblocklists": "guardrail",
    "microsoft.cognitiveservices/accounts/raipolicies": "guardrail",
    "microsoft.compute/virtualmachines": "host",
    "microsoft.containerinstance/containergroups": "workload",
    "microsoft.containerregistry/registries": "repo",
    "microsoft.containerservice/managedclusters": "workload",
    "microsoft.documentdb/databaseaccounts": "datastore",
    "microsoft.machinelearningservices/workspaces": "application",
    "microsoft.machinelearningservices/workspaces/batchendpoints": "endpoint",
    "microsoft.machinelearningservices/workspaces/data": "dataset",
    "microsoft.machinelearningservices/workspaces/datasets": "dataset",
    "microsoft.machinelearningservices/workspaces/datastores": "datastore",
    "microsoft.machinelearningservices/workspaces/jobs": "job",
    "microsoft.machinelearningservices/workspaces/models": "model",
    "microsoft.machinelearningservices/workspaces/onlineendpoints": "endpoint",
    "microsoft.machinelearningservices/workspaces/serverlessendpoints": "endpoint",
    "microsoft.search/searchservices": "datastore",
    "microsoft.search/searchservices/indexes": "datastore",
    "microsoft.sql/servers": "datastore",
    "microsoft.sql/servers/databases": "datastore",
    "microsoft.storage/storageaccounts": "datastore",
    "microsoft.storage/storageaccounts/blobservices/containers": "datastore",
    "microsoft.synapse/workspaces": "application",
    "microsoft.synapse/workspaces/bigdatapools": "workload",
    "microsoft.synapse/workspaces/sqlpools": "datastore",
    "microsoft.web/sites": "workload",
}
AI: Final = frozenset(
    f"microsoft.{name}"
    for name in ("botservice", "cognitiveservices", "machinelearningservices", "search")
)
AI_TYPES: Final = frozenset(one for one in _KINDS if one.partition("/")[0] in AI)
_PARTS: Final = 24  # of one id
_PORT: Final = re.compile(r"(?:(?P<four>[\d.*]{3,15})|\[(?P<six>[\da-fA-F:.%]{2,64})\]):\d{1,5}")
_HOST: Final = re.compile(
    r"([\w-]{1,128})\.(?:openai\.azure\.com|cognitiveservices\.azure\.com|services\.ai\.azure\.com)"
)
_AMERICAN: Final = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2})(:\d{2}:\d{2}(?:\.\d{1,7})?)(?: ([AP]M))?"
    r"(?: ?(Z|[+-]\d{2}:\d{2}))?",
    re.ASCII,
)
_LARGEST: Final = 65_536  # characters of an object in a text


def resources(identity: Json) -> tuple[Entity, ...]:
    """What a resource id leads through, the innermost first."""
    known = text(identity, 1024)
    if known is None:
        return ()
    parts = known.lower().strip("/").split("/")[:_PARTS]
    if "providers" not in parts:
        return ()
    at = len(parts) - parts[::-1].index("providers")  # of an extension, the one that it extends
    rest = parts[at:]
    ends = range(3, len(rest) + 1, 2)  # provider/type/name/type/name
    found = [_named(rest[:end], "/".join(parts[: at + end])) for end in ends]
    outer = resources("/".join(parts[: at - 1]))
    return (*(one for one in found[::-1] if one is not None), *outer)


def asset(identity: Json) -> Entity | None:
    """The innermost thing that a resource id names."""
    return next(iter(resources(identity)), None)


def thing(kind: str) -> bool:
    """True of `provider/type/type`, in small letters, of what is an asset."""
    return kind in _KINDS


def deletes(operation: str, identity: Json) -> bool:
    """True if an operation takes away the innermost thing of a resource id, and no part of it."""
    kind, _, verb = operation.lower().rpartition("/")
    parts = (text(identity, 1024) or "").lower().strip("/").split("/")[:_PARTS]
    at = len(parts) - parts[::-1].index("providers") if "providers" in parts else len(parts)
    rest = parts[at:]
    return verb == "delete" and kind in _KINDS and "/".join((*rest[:1], *rest[1::2])) == kind


def subscription(identity: Json) -> Entity | None:
    """The subscription that a resource lies in."""
    return entity("account", part(identity, "subscriptions"))


def deployed(account: Entity | None, name: Json) -> Entity | None:
    """The deployment of that name, where the asset is an account of Azure AI; else the asset."""
    if account is None or account.kind != "endpoint" or account.id.count("/") > 1:
        return account
    return deployment(account.id.removeprefix("azure/"), name) or account


def served(host: Json) -> Entity | None:
    """The account of Azure AI that listens at a host: `claims.openai.azure.com`."""
    known = _HOST.fullmatch((text(host, 256) or "").lower())
    return entity("endpoint", f"azure/{known[1]}") if known else None


def deployment(account: Json, name: Json) -> Entity | None:
    """A deployment of Azure OpenAI: `azure/<account>/<deployment>`."""
    first, second = text(account, 128), text(name, 128)
    return entity("endpoint", f"azure/{first}/{second}".lower()) if first and second else None


def model(name: Json, version: Json = None) -> Entity | None:
    """A model of a publisher: its name, and its version where it is said.

    Azure alone writes `gpt-35-turbo` for `gpt-3.5-turbo`.
    """
    known, which = text(name, 256), text(version, 64)
    if known is None:
        return None
    own = known.lower().replace("gpt-35-", "gpt-3.5-")
    return entity("model", f"{own}-{which}".lower() if which else own)


def principal(said: Json) -> Entity | None:
    """A user by name, or whatever an id stands for, in small letters."""
    known = text(said, 256)
    return entity("principal", known.lower()) if known else None


def known_as(person: Entity | None, number: Json) -> Iterator[Edge]:
    """That a user who is named is the one whom other logs know by the number of his object."""
    other = principal(number)
    if person is None or other is None or "@" not in person.id or "@" in other.id:
        return
    if other.id.strip("0-"):  # all zeros is nobody
        yield edge(person, "same_as", other)


def part(identity: Json, kind: str) -> str | None:
    """What follows a word of an id: (`/SUBSCRIPTIONS/<s>/...`, `subscriptions`) -> `<s>`."""
    parts = (text(identity, 1024) or "").lower().split("/")
    at = parts.index(kind) + 1 if kind in parts else len(parts)
    return parts[at] or None if at < len(parts) else None


def provider(identity: Json) -> str | None:
    """The innermost provider of a resource id: `microsoft.cognitiveservices`."""
    parts = (text(identity, 1024) or "").lower().split("/")
    held = parts[:-1]
    return parts[len(held) - held[::-1].index("providers")] if "providers" in held else None


def address(said: Json) -> str | None:
    """An address without the port that logs of storage and of Microsoft 365 have behind it."""
    known = text(said, 256)
    found = _PORT.fullmatch(known or "")
    return known if found is None else found["four"] or found["six"]


def moment(said: Json) -> int:
    """Microseconds of a time as RFC 3339 has it, or as some services write it: month first.

    `11/14/2025 1:48:53 AM`, in UTC unless an offset follows. Raises Unreadable as for the former.
    """
    try:
        return untrusted.moment(said)
    except Unreadable:
        found = _AMERICAN.fullmatch(said) if isinstance(said, str) else None
        if found is None:
            raise
    month, day, year, hour, rest, half, zone = found.groups()
    known = int(hour) % 12 + 12 * (half == "PM") if half else int(hour)
    return untrusted.moment(f"{year}-{month:0>2}-{day:0>2}T{known:02}{rest}{zone or 'Z'}")


def folded(record: Json) -> dict[str, Json]:
    """An object by its keys in small letters: exports differ in them."""
    return {key.lower(): value for key, value in mapping(record).items()}


def opened(value: Json) -> dict[str, Json]:
    """An object, which may stand in a text."""
    if isinstance(value, str) and len(value) > _LARGEST:
        return {}
    return mapping(untrusted.opened(value))


def said(value: Json) -> str | None:
    """A name that may come with its translation: `{"value": ..., "localizedValue": ...}`."""
    return text(mapping(value).get("value") if isinstance(value, dict) else value, 256)


def _named(rest: list[str], full: str) -> Entity | None:
    """The thing of `provider/type/name/type/name`."""
    names = rest[2::2]
    kind = _KINDS.get("/".join((rest[0], *rest[1::2])))
    if kind is None or not all(names):
        return None
    if kind == "model":
        return entity(kind, f"/{full}", names[-1])
    if kind == "job":
        return entity(kind, f"azureml/{names[-1]}")
    if kind == "host":
        return entity(kind, names[-1])
    if kind == "repo":  # a registry, by the host in the names of its images
        return entity(kind, f"{names[-1]}.azurecr.io")
    if rest[-2] == "containers":  # the blob service between them is always the same
        names = [names[0], names[-1]]
    return entity(kind, f"azure/{'/'.join(names)}")
