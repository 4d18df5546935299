"""Google Cloud: the canonical entities behind its resource names, so that all sources name alike.

    projects/p/locations/l/publishers/google/models/gemini-2.5-pro   model gemini-2.5-pro
    projects/p/locations/l/models/7@2                                model projects/.../models/7
    projects/p/locations/l/tuningJobs/9                              job vertex/9
    projects/_/buckets/claims/objects/a.csv, gs://claims/a.csv       datastore gcs/claims

Names with the number of a project and with its id are not known to be the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.entity import Entity, Kind
from streams.names import kubernetes
from streams.records.untrusted import entity, text
from streams.source import Json

_KINDS: Final[dict[str, Kind]] = {
    "agents": "agent",
    "batchPredictionJobs": "job",
    "buckets": "datastore",
    "corpora": "datastore",
    "customJobs": "job",
    "dataStores": "datastore",
    "datasets": "dataset",
    "endpoints": "endpoint",
    "engines": "agent",
    "featureOnlineStores": "datastore",
    "featurestores": "datastore",
    "floorSetting": "guardrail",
    "hyperparameterTuningJobs": "job",
    "indexes": "datastore",
    "keys": "apikey",
    "models": "model",
    "nasJobs": "job",
    "pipelineJobs": "job",
    "ragCorpora": "datastore",
    "reasoningEngines": "agent",
    "serviceAccounts": "principal",
    "templates": "guardrail",
    "trainingPipelines": "job",
    "tuningJobs": "job",
}
_SHORT: Final[dict[Kind, str]] = {"agent": "", "apikey": "", "job": "vertex/", "principal": ""}
_ONE: Final = {"corpora": "corpus", "indexes": "index", "ragCorpora": "ragCorpus"}
_PARTS: Final = 24  # of one name


def resources(name: Json) -> tuple[Entity, ...]:
    """What a resource name leads through, the innermost first."""
    known = text(name, 512)
    if known is None:
        return ()
    parts = known.split("/")[:_PARTS]
    return tuple(_resources(parts[3:] if known.startswith("//") else parts))[::-1]


def resource(name: Json, kind: Kind | None = None) -> Entity | None:
    """The innermost thing of a resource name, or the innermost of that kind."""
    return next((one for one in resources(name) if kind in {None, one.kind}), None)


def deletes(method: str, name: Json) -> bool:
    """True if a call takes away the innermost thing of a resource name, and no part of it.

    `DeleteEndpoint` of `.../endpoints/7` does; `DeleteModelVersion` of `.../models/7@2` and
    `DeleteRagFile` of `.../ragCorpora/7/ragFiles/1` leave the model and the corpus.
    """
    verb = method.rpartition(".")[2].lower()
    collection = (text(name, 512) or "").rpartition("/")[0].rpartition("/")[2]
    one = _ONE.get(collection, collection.removesuffix("s")).lower()
    known = verb == "delete" or (verb.startswith("delete") and verb.endswith(one))
    return known and collection in _KINDS


def model(name: Json) -> Entity | None:
    """A model by resource name or short id."""
    known = text(name, 512)
    if known is None or "/" in known:
        return resource(known, "model")
    return entity("model", known)


def bucket(uri: Json) -> Entity | None:
    """The bucket of a `gs://` address."""
    path = _path(uri)
    return None if path is None else entity("datastore", f"gcs/{path.partition('/')[0]}")


def dataset(uri: Json) -> Entity | None:
    """The data at a `gs://` address: `gcs/<bucket>/<path>`."""
    path = _path(uri)
    return None if path is None else entity("dataset", f"gcs/{path.rstrip('/*')}")


def principal(said: Json) -> Entity | None:
    """A user or service account, without what says which of both it is, in small letters."""
    known = text(said, 512)
    if known is None:
        return None
    kind, _, name = known.partition(":")
    return entity("principal", (name if kind in {"serviceAccount", "user"} else known).lower())


def part(name: Json, collection: str) -> str | None:
    """The id in a collection: (`projects/p/locations/l`, `locations`) -> `l`."""
    parts = (text(name, 512) or "").split("/")
    at = parts.index(collection) + 1 if collection in parts else len(parts)
    return parts[at] or None if at < len(parts) else None


def target(name: Json) -> kubernetes.Target:
    """The object of Kubernetes at `apps/v1/namespaces/claims/deployments/triage`."""
    group, _, rest = (text(name, 512) or "").partition("/")
    parts = rest.split("/")[1:]
    namespace = ""
    if parts[:1] == ["namespaces"] and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    resource, known, sub = (*parts, "", "", "")[:3]
    return kubernetes.Target(resource, known, namespace, "" if group == "core" else group, sub)


def _resources(parts: list[str]) -> Iterator[Entity]:
    for at in range(0, len(parts), 2):  # every second part is the name of something: any word
        collection = parts[at]
        kind = _KINDS.get(collection)
        if collection == "objects":  # what follows is the path of a file
            return
        if kind is None:
            continue
        if collection == "floorSetting":
            yield Entity(kind=kind, id="/".join(parts[: at + 1]))
        elif at + 1 < len(parts) and parts[at + 1]:
            found = _named(kind, collection, parts, at + 1)
            if found is not None:
                yield found


def _named(kind: Kind, collection: str, parts: list[str], at: int) -> Entity | None:
    name, full = parts[at], "/".join(parts[: at + 1])
    if collection == "buckets":
        return entity(kind, f"gcs/{name}")
    if kind == "model":  # of ours versions are one model; those of a publisher are in its name
        owned = "publishers" not in parts and parts[0] == "projects"
        return entity(kind, full.partition("@")[0] if owned else name)
    if kind == "principal":
        return entity(kind, name.lower()) if "@" in name else None
    if kind in _SHORT:
        return entity(kind, _SHORT[kind] + name, full if kind == "agent" else None)
    return entity(kind, full)


def _path(uri: Json) -> str | None:
    known = text(uri, 512)
    if known is None or not known.startswith("gs://"):
        return None
    return known[5:].strip("/") or None
