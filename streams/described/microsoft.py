"""Azure and Entra: what `az`, the resource manager and Microsoft Graph answer of an AI estate.

Keys come as the API has them (`publicNetworkAccess`), as the SDK of Python has them
(`public_network_access`), below `properties` or beside the name: they are read in small letters
without underscores, `properties` opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from schemas.entity import Entity
from schemas.event import Edge
from streams.described.answers import PEOPLE, Thing, no, tagged, word, yes
from streams.lineage.calls import at, imaged, link
from streams.names import azure, models
from streams.records.untrusted import distinct, edge, entity, listing, mapping, text
from streams.source import Json

_MOST: Final = 64
_LEVELS: Final = 8
_TIMES: Final = ("creationtime", "createdat", "createddatetime", "timecreated", "datecreated")
_CHANGED: Final = ("lastmodifiedat", "datelastmodified", "lastmodifiedtimeutc", "updatedat")
# How the names of applications begin that AI is in.
_APPLICATIONS: Final = (
    *("aider", "chatgpt", "claude", "codeium", "continue", "copilot", "cursor", "gemini"),
    *("github copilot", "gpt4all", "jan ", "lm studio", "microsoft copilot", "msty", "ollama"),
    *("perplexity", "warp", "windsurf", "zed"),
)
Said = dict[str, Json]


class Told(NamedTuple):
    """Attributes and checks that only one kind of resource has."""

    said: dict[str, Json]
    checks: dict[str, bool | None]


def folded(value: Json, left: int = _LEVELS) -> Json:
    """A value with the keys of all its objects in small letters without underscores."""
    if left == 0:
        return None
    if isinstance(value, dict):
        return {_small(key): folded(one, left - 1) for key, one in mapping(value).items()}
    if isinstance(value, list):
        return [folded(one, left - 1) for one in listing(value)]
    return value


def _small(key: str) -> str:
    return key.replace("_", "").lower()


def _flat(said: Said) -> Said:
    known = mapping(folded(said))
    tags = said.get("tags")
    return {**mapping(known.get("properties")), **known, "tags": tags}


def _common(said: Said) -> dict[str, Json]:
    public = word(said.get("publicnetworkaccess"), "enabled")
    rules = mapping(said.get("networkacls") or said.get("networkruleset"))
    anywhere = public and word(rules.get("defaultaction"), "deny") is not True
    return {
        **tagged(said.get("tags")),
        "status": text(said.get("provisioningstate") or said.get("state"), 64),
        "region": text(said.get("location"), 64),
        "exposure": "internet" if anywhere else None,
    }


def _checks(said: Said) -> dict[str, bool | None]:
    """What resources of most kinds say alike."""
    public = word(said.get("publicnetworkaccess"), "enabled")
    rules = mapping(said.get("networkacls") or said.get("networkruleset"))
    closed = word(rules.get("defaultaction"), "deny")
    keys = text(at(said, "encryption", "keysource"), 64)
    return {
        "public_network": public if public is not True else not closed,
        "keys_for_login": no(said.get("disablelocalauth")),
        "no_own_key": word(keys, "microsoft.storage", "microsoft.cognitiveservices")
        if keys
        else None,
    }


def _times(said: Said) -> tuple[Json, ...]:
    system = mapping(said.get("systemdata")) or mapping(said.get("creationcontext"))
    made = next((said[key] for key in _TIMES if said.get(key)), system.get("createdat"))
    changed = next((said[key] for key in _CHANGED if said.get(key)), system.get("lastmodifiedat"))
    return (made, changed)


def _runs_as(said: Said, thing: Entity) -> Iterator[Edge]:
    who = mapping(said.get("identity"))
    yield from link(thing, "runs_as", azure.principal(who.get("principalid")))
    for one in mapping(who.get("userassignedidentities")).values():
        yield from link(thing, "runs_as", azure.principal(mapping(one).get("principalid")))


def _deployment(said: Said, thing: Entity) -> Iterator[Edge]:
    """A deployment of Azure OpenAI: which model it serves, behind which filter."""
    model = mapping(said.get("model"))
    yield from link(thing, "serves", azure.model(model.get("name"), model.get("version")))
    policy, account = text(said.get("raipolicyname"), 128), thing.id.split("/")
    if policy and len(account) > 1:
        guard = entity("guardrail", f"azure/{account[1]}/{policy}".lower())
        yield from link(thing, "guarded_by", guard)
    if len(account) > 2:
        yield edge(Entity(kind="endpoint", id="/".join(account[:2])), "hosts", thing, declared=True)


def _learning(said: Said, thing: Entity) -> Iterator[Edge]:
    """A workspace of Machine Learning or the Foundry, and what it keeps its data in."""
    yield from link(thing, "uses", azure.asset(said.get("storageaccount")))
    for one in listing(said.get("associatedworkspaces"))[:_MOST]:
        yield from link(thing, "runs", azure.asset(one))


def _online(said: Said, thing: Entity) -> Iterator[Edge]:
    """A deployment below an endpoint of Machine Learning: its model and its image."""
    model = said.get("model")
    known = azure.asset(text(model, 1024)) if text(model) else None
    yield from link(thing, "serves", known or models.model(text(model, 512)))
    yield from link(thing, "runs_image", imaged(at(said, "environment", "image")))


def _job(said: Said, thing: Entity) -> Iterator[Edge]:
    for one in mapping(said.get("inputs")).values():
        place = text(mapping(one).get("uri") or mapping(one).get("path"), 1024)
        yield from link(thing, "reads", azure.asset(place))
    for one in mapping(said.get("outputs")).values():
        place = text(mapping(one).get("uri") or mapping(one).get("path"), 1024)
        if mapping(one).get("joboutputtype") == "mlflow_model":
            yield from link(thing, "makes", azure.asset(place))


def _containers(said: Said, thing: Entity) -> Iterator[Edge]:
    held = listing(said.get("containers")) or listing(at(said, "template", "containers"))
    for one in held[:_MOST]:
        inside = mapping(mapping(one).get("properties"))
        yield from link(
            thing, "runs_image", imaged(mapping(one).get("image") or inside.get("image"))
        )
    version = text(said.get("linuxfxversion") or at(said, "siteconfig", "linuxfxversion"), 512)
    if version and version.upper().startswith("DOCKER|"):
        yield from link(thing, "runs_image", imaged(version.partition("|")[2]))


_FURTHER: Final[Mapping[str, Callable[[Said, Entity], Iterator[Edge]]]] = {
    "microsoft.app/containerapps": _containers,
    "microsoft.cognitiveservices/accounts/deployments": _deployment,
    "microsoft.containerinstance/containergroups": _containers,
    "microsoft.machinelearningservices/workspaces": _learning,
    "microsoft.machinelearningservices/workspaces/jobs": _job,
    "microsoft.machinelearningservices/workspaces/onlineendpoints/deployments": _online,
    "microsoft.web/sites": _containers,
}


def _storage(said: Said) -> Told:
    return Told(
        {"encrypted": True},
        {
            "keys_for_login": yes(said.get("allowsharedkeyaccess")),
            "open_to_the_world": yes(said.get("allowblobpublicaccess")),
        },
    )


def _blobs(said: Said) -> Told:
    public = word(said.get("publicaccess"), "blob", "container")
    return Told({"exposure": "internet" if public else None}, {"open_to_the_world": public})


def _group(said: Said) -> Told:
    public = word(at(said, "ipaddress", "type"), "public")
    return Told({"exposure": "internet" if public else None}, {"public_network": public})


def _aks(said: Said) -> Told:
    private = yes(at(said, "apiserveraccessprofile", "enableprivatecluster"))
    version = text(said.get("kubernetesversion"), 32)
    return Told({"version": version}, {"public_network": private is not True})


def _cosmos(said: Said) -> Told:
    return Told({}, {"no_private_network": no(said.get("isvirtualnetworkfilterenabled"))})


def _machine(said: Said) -> Told:
    return Told({"size": text(at(said, "hardwareprofile", "vmsize"), 64)}, {})


def _scored(said: Said) -> Told:
    return Told({}, {"keys_for_login": word(said.get("authmode"), "key")})


# What resources of one kind say of themselves.
_EXTRA: Final[Mapping[str, Callable[[Said], Told]]] = {
    "microsoft.compute/virtualmachines": _machine,
    "microsoft.containerinstance/containergroups": _group,
    "microsoft.containerservice/managedclusters": _aks,
    "microsoft.documentdb/databaseaccounts": _cosmos,
    "microsoft.machinelearningservices/workspaces/onlineendpoints": _scored,
    "microsoft.storage/storageaccounts": _storage,
    "microsoft.storage/storageaccounts/blobservices/containers": _blobs,
}


def _kind(identity: str) -> str:
    """`provider/type/type` of a resource id."""
    parts = identity.lower().strip("/").split("/")
    at_ = len(parts) - parts[::-1].index("providers") if "providers" in parts else len(parts)
    rest = parts[at_:]
    return "/".join((*rest[:1], *rest[1::2]))


def known(identity: str) -> bool:
    """True of the id of a resource that is of an AI estate, and not only of a part of one."""
    parts = identity.lower().split("/")
    if len(parts) == 3 and parts[1] == "subscriptions":
        return True
    return _kind(identity) in _FURTHER or azure.thing(_kind(identity))


def described(said: Said, within: str) -> Thing | None:  # noqa: ARG001 - the id tells
    """The thing that an answer of Azure or Graph describes; None of any other."""
    identity = text(said.get("id"), 1024) or ""
    if identity.lower().startswith("/subscriptions/"):
        return _resource(identity, _flat(said)) if known(identity) else None
    known_ = mapping(folded(said))
    return _installed(known_) if "applicationname" in known_ else _principal(known_)


def _resource(identity: str, said: Said) -> Thing | None:
    sort = _kind(identity)
    owner = azure.subscription(identity)
    if not sort:
        named = entity("account", owner.id, said.get("displayname")) if owner else None
        status = {"status": text(said.get("state"), 32)}
        return Thing((named,), "subscription", (), status)
    thing = azure.asset(identity)
    if thing is None:
        return None
    extra, checks = _EXTRA[sort](said) if sort in _EXTRA else Told({}, {})
    edges = [*link(owner, "hosts", thing), *_runs_as(said, thing)]
    if sort in _FURTHER:
        edges += _FURTHER[sort](said, thing)
    outer = azure.resources(identity)[1:2]
    if outer and outer[0].kind == "application":
        edges += link(outer[0], "runs_on" if thing.kind == "workload" else "uses", thing)
    return Thing(
        distinct((thing, *outer)),
        sort.removeprefix("microsoft."),
        edges,
        {**_common(said), **{key: one for key, one in extra.items() if one is not None}},
        _times(said),
        {**_checks(said), **checks},
    )


def _principal(said: Said) -> Thing | None:
    """An application, a service principal, a user, or who may use an application."""
    if {"approleid", "principalid", "resourceid"} <= said.keys():
        who, what = (
            azure.principal(said.get("principalid")),
            azure.principal(said.get("resourceid")),
        )
        edges = link(who, "may_use", what)
        untyped: Said = {"type": None}
        return Thing((what, who), "role assignment", edges, untyped, _times(said), {}, PEOPLE)
    if "appid" in said:
        number = azure.principal(said.get("id"))
        app = entity(
            "principal", (text(said.get("appid"), 128) or "").lower(), said.get("displayname")
        )
        ends = [mapping(one).get("enddatetime") for one in _secrets(said)]
        off = said.get("accountenabled") is False
        return Thing(
            (app, number),
            "service principal" if "serviceprincipaltype" in said else "application",
            link(app, "same_as", number),
            {
                "status": "disabled" if off else None,
                "role": text(said.get("serviceprincipaltype"), 64),
            },
            _times(said),
            {"never_expires": None if not ends else not all(ends)},
            PEOPLE,
        )
    if "userprincipalname" in said:
        person = azure.principal(said.get("userprincipalname"))
        named = person and entity("principal", person.id, said.get("displayname"))
        number = azure.principal(said.get("id"))
        status = {"status": "disabled" if said.get("accountenabled") is False else None}
        edges = link(named, "same_as", number)
        return Thing((named, number), "user", edges, status, _times(said), {}, PEOPLE)
    return None


def _installed(said: Said) -> Thing | None:
    """An application that Intune found on a device; only of those that AI is in."""
    name = text(said.get("applicationname"), 256) or ""
    bare = name.partition(" (")[0].strip().lower()
    if not bare.startswith(_APPLICATIONS):
        return None
    device = entity("host", (text(said.get("deviceid"), 128) or "").lower())
    thing = entity("application", bare, name)
    version = {"version": text(said.get("applicationversion"), 64)}
    return Thing((thing, device), "installed application", link(device, "hosts", thing), version)


def _secrets(said: Said) -> list[Json]:
    return [
        *listing(said.get("passwordcredentials"))[:_MOST],
        *listing(said.get("keycredentials"))[:_MOST],
    ]
