"""Google Cloud: what gcloud and the APIs of Google answer of Vertex AI and what it stands on.

Most resources are known by their name (`projects/p/locations/l/endpoints/7`), the rest by what the
API calls their kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from schemas.entity import Entity
from schemas.event import Edge
from streams.described import google_estate
from streams.described.answers import PEOPLE, Thing
from streams.described.google_estate import base, hosts, own_key, times
from streams.lineage import vertex
from streams.lineage.calls import at, imaged, link
from streams.names import gcp
from streams.records.untrusted import listing, mapping, text
from streams.source import Json

_MOST: Final = 64
_JOBS: Final = {
    "batchPredictionJobs": "BatchPredictionJob",
    "customJobs": "CustomJob",
    "hyperparameterTuningJobs": "HyperparameterTuningJob",
    "pipelineJobs": "PipelineJob",
    "trainingPipelines": "TrainingPipeline",
    "tuningJobs": "TuningJob",
}
Said = dict[str, Json]


def _endpoint(said: Said, thing: Entity) -> Thing:
    edges: list[Edge] = []
    for one in map(mapping, listing(said.get("deployedModels"))[:_MOST]):
        edges += link(thing, "serves", gcp.model(one.get("model")))
        edges += link(thing, "runs_as", gcp.principal(one.get("serviceAccount")))
    private = bool(said.get("network") or said.get("privateServiceConnectConfig"))
    return Thing(
        (thing,),
        "vertex endpoint",
        (*hosts(said, thing), *edges),
        base(said),
        times(said),
        {"no_own_key": not own_key(said), "no_private_network": not private},
    )


def _model(said: Said, thing: Entity) -> Thing:
    edges = list(hosts(said, thing))
    edges += link(thing, "reads", gcp.dataset(said.get("artifactUri")))
    edges += link(thing, "runs_image", imaged(at(said, "containerSpec", "imageUri")))
    job = gcp.resource(said.get("trainingPipeline") or said.get("pipelineJob"), "job")
    edges += link(thing, "made_by", job)
    for one in listing(said.get("deployedModels"))[:_MOST]:
        edges += link(gcp.resource(mapping(one).get("endpoint"), "endpoint"), "serves", thing)
    data = at(said, "dataStats", "trainingDataItemsCount")
    said_ = base(said) | {
        "model_data": text(said.get("artifactUri"), 512),
        "version": text(said.get("versionId"), 64),
        "size": text(data, 32),
    }
    checks = {"no_own_key": not own_key(said)}
    return Thing((thing,), "vertex model", edges, said_, times(said), checks)


def _job(said: Said, thing: Entity) -> Thing:
    *place, collection, _ = str(said.get("name")).split("/")
    call = _JOBS.get(collection, "CustomJob")
    asked: Said = {call[0].lower() + call[1:]: said, "parent": "/".join(place)}
    edges = vertex.lineage(f"Create{call}", thing, asked, said)
    spec = mapping(said.get("jobSpec") or said.get("trialJobSpec"))
    checks: dict[str, bool | None] = {"no_own_key": not own_key(said)}
    if spec:
        checks["no_private_network"] = not spec.get("network")
    sort = "vertex" + re.sub("([A-Z])", r" \1", call).lower()
    return Thing((thing,), sort, (*hosts(said, thing), *edges), base(said), times(said), checks)


def _dataset(said: Said, thing: Entity) -> Thing:
    checks = {"no_own_key": not own_key(said)}
    return Thing((thing,), "vertex dataset", hosts(said, thing), base(said), times(said), checks)


def _agent(said: Said, thing: Entity) -> Thing:
    edges = list(hosts(said, thing))
    edges += link(thing, "runs_as", gcp.principal(at(said, "spec", "serviceAccount")))
    for one in listing(said.get("dataStoreIds"))[:_MOST]:
        place = str(said.get("name")).rpartition("/engines/")[0]
        edges += link(thing, "retrieves", gcp.resource(f"{place}/dataStores/{one}"))
    return Thing((thing,), "agent of Google", edges, base(said), times(said))


def _other(said: Said, thing: Entity) -> Thing:
    collection = str(said.get("name")).split("/")[-2]
    sort = f"{collection} of Google"
    return Thing((thing,), sort, hosts(said, thing), base(said), times(said))


def _account(said: Said, thing: Entity) -> Thing:
    """A service account, or a key of one."""
    above = (*hosts(said, thing),)
    if thing.kind == "apikey":
        owner = gcp.resource(str(said.get("name")).rpartition("/keys/")[0], "principal")
        ends = text(said.get("validBeforeTime"), 32) or ""
        mine = said.get("keyType") == "USER_MANAGED"
        return Thing(
            (thing, owner),
            "service account key",
            (*above, *link(owner, "owns", thing)),
            {"status": "DISABLED" if said.get("disabled") is True else None},
            (said.get("validAfterTime"),),
            {"never_expires": ends.startswith("9999") if mine else None},
        )
    status = {"status": "DISABLED" if said.get("disabled") is True else None}
    return Thing((thing,), "service account", above, status, (), {}, PEOPLE)


_BY_KIND: Final[Mapping[str, Callable[[Said, Entity], Thing]]] = {
    "agent": _agent,
    "apikey": _account,
    "dataset": _dataset,
    "endpoint": _endpoint,
    "job": _job,
    "model": _model,
    "principal": _account,
}


def _named(said: Said) -> Thing | None:
    """What has a resource name that leads to a thing of its own."""
    name = text(said.get("name"), 512) or ""
    parts = name.split("/")
    if parts[0] != "projects" or len(parts) < 4:
        return None
    kind = "/".join(parts[2::2])
    if kind in _BY_COLLECTION:
        return _BY_COLLECTION[kind](said, parts)
    found = gcp.resource(name)
    if found is None or not name.endswith(_last(found)):  # a part of a thing, and not one itself
        return None
    return _BY_KIND.get(found.kind, _other)(said, found)


def _last(thing: Entity) -> str:
    return thing.id.rpartition("/")[2]


# What the parts of a name are of -> what reads it, where that is no thing of Vertex AI.
_BY_COLLECTION: Final[Mapping[str, Callable[[Said, list[str]], Thing | None]]] = {
    "instances": google_estate.bigtable,
    "instances/tables": google_estate.bigtable,
    "locations/instances": google_estate.notebook,
    "locations/repositories": google_estate.repository,
    "locations/repositories/dockerImages": google_estate.image,
}


def described(said: Said, within: str) -> Thing | None:  # noqa: PLR0911 - a kind a line
    """The thing that an answer of Google describes; None of one that is none of an AI estate."""
    kind = text(said.get("kind"), 64) or ""
    link_ = text(said.get("selfLink"), 512) or ""
    if kind == "storage#bucket" or text(said.get("storage_url") or "", 256):
        return google_estate.bucket(said)
    if kind == "compute#instance" or google_estate.is_machine(link_):
        return google_estate.machine(said)
    if kind == "admin#directory#user":
        return google_estate.person(said)
    if text(said.get("apiVersion"), 64) == "serving.knative.dev/v1":
        return google_estate.run(said)
    if "datasetReference" in said or "tableReference" in said:
        return google_estate.table(said)
    if "/clusters/" in link_ and "currentMasterVersion" in said:
        return google_estate.cluster(said)
    if "lifecycleState" in said:
        return google_estate.owned(said)
    if ("resource" in said and "policy" in said) or within == "policy_results":
        return google_estate.granted(said)
    return _named(said)
