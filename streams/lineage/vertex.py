"""Vertex: what the calls of Vertex AI and its neighbours say of lineage.

    dataset <-reads- job -makes-> model <-serves- endpoint        datastore -fed_by-> datastore

A call that runs on answers first with an operation: its things have names in the record of its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.entity import Entity, image
from schemas.event import Edge
from streams.names import gcp
from streams.records.untrusted import edge, listing, mapping, text
from streams.source import Json

SERVICES: Final = frozenset(
    f"{name}.googleapis.com"
    for name in (
        *("aiplatform", "automl", "cloudaicompanion", "dialogflow", "discoveryengine"),
        *("generativelanguage", "geminidataanalytics", "ml", "modelarmor", "notebooks"),
    )
)
_OPERATIONS: Final = {
    "BatchEmbedContents": "embeddings",
    "EmbedContent": "embeddings",
    "GenerateContent": "generate_content",
    "PredictLongRunning": "generate_content",
    "QueryReasoningEngine": "invoke_agent",
    "StreamGenerateContent": "generate_content",
    "StreamQueryReasoningEngine": "invoke_agent",
}
_CALLS: Final = frozenset(
    """
    ChatCompletions DirectPredict DirectRawPredict Explain Predict RawPredict
    ServerStreamingPredict StreamDirectPredict StreamDirectRawPredict StreamRawPredict
    StreamingPredict StreamingRawPredict
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_SPECS: Final = ("supervisedTuningSpec", "preferenceOptimizationSpec", "distillationSpec")
_URIS: Final = ("trainingDatasetUri", "validationDatasetUri")
_MOST: Final = 32  # addresses of one call


def operation(method: str, name: Json = None) -> str | None:
    """What OpenTelemetry calls an inference, None of any other call.

    `name` is that of what was asked: raw, a publisher's model is asked to chat (Claude, Mistral).
    """
    raw = method in {"RawPredict", "StreamRawPredict"} and "/publishers/" in (text(name, 512) or "")
    return _OPERATIONS.get(method, "chat" if raw or method == "ChatCompletions" else None)


def infers(method: str) -> bool:
    """True if the call asks a model."""
    return method in _CALLS or (method in _OPERATIONS and "Reasoning" not in method)


def lineage(
    method: str, target: Entity | None, asked: dict[str, Json], answered: dict[str, Json]
) -> Iterator[Edge]:
    """The edges that a call of this name declares; `target` is what its resource name names."""
    if method == "DeployModel":
        yield from _deployed(target, asked, answered)
    elif method.startswith("Create") and method.endswith(("Job", "TrainingPipeline")):
        yield from _jobs(asked, answered)
    elif method == "UploadModel":
        uploaded = gcp.model(answered.get("model")) or (
            target if target is not None and target.kind == "model" else None
        )
        made = mapping(asked.get("model"))
        job = gcp.resource(made.get("trainingPipeline") or made.get("pipelineJob"), "job")
        if uploaded and job:
            yield edge(uploaded, "made_by", job, declared=True)
        yield from _link(uploaded, "reads", gcp.dataset(made.get("artifactUri")))
        yield from _link(uploaded, "runs_image", _image(made))
    elif method.startswith("Import"):
        yield from _fed(target, asked)


def guardrails(asked: dict[str, Json]) -> Iterator[Entity]:
    """The templates of Model Armor through which a call goes."""
    armor = mapping(asked.get("modelArmorConfig"))
    for name in ("promptTemplateName", "responseTemplateName"):
        found = gcp.resource(armor.get(name), "guardrail")
        if found is not None:
            yield found


def unsafe(asked: dict[str, Json]) -> list[str]:
    """The kinds of harm for which a call switched the safety filter off."""
    said = (mapping(one) for one in listing(asked.get("safetySettings"))[:_MOST])
    off = (one for one in said if text(one.get("threshold"), 64) in {"BLOCK_NONE", "OFF"})
    return sorted({name for one in off if (name := text(one.get("category"), 64))})


def _deployed(
    target: Entity | None, asked: dict[str, Json], answered: dict[str, Json]
) -> Iterator[Edge]:
    named = gcp.resource(asked.get("endpoint"), "endpoint")
    endpoint = named or (target if target is not None and target.kind == "endpoint" else None)
    for said in (asked, answered):
        model = gcp.model(mapping(said.get("deployedModel")).get("model"))
        if endpoint and model:
            yield edge(endpoint, "serves", model, declared=True)
            break
    runs_as = gcp.principal(mapping(asked.get("deployedModel")).get("serviceAccount"))
    yield from _link(endpoint, "runs_as", runs_as)


def _jobs(asked: dict[str, Json], answered: dict[str, Json]) -> Iterator[Edge]:
    """What a job reads and makes; it has a name only in the answer."""
    job = gcp.resource(answered.get("name"), "job")
    if job is None:
        return
    said = next((mapping(asked.get(n)) for n in _REQUESTS if asked.get(n)), mapping(None))
    data = list(_data(said, text(asked.get("parent"), 256) or ""))
    for one in data:
        yield edge(job, "reads", one, declared=True)
    yield from _run(job, said)
    tuned = mapping(answered.get("tunedModel"))
    model = gcp.model(tuned.get("model") or mapping(answered.get("modelToUpload")).get("name"))
    if model is None:
        return
    yield edge(job, "makes", model, declared=True)
    for one in data:
        yield edge(model, "trained_on", one, declared=True)
    yield from _link(model, "derived_from", gcp.model(said.get("baseModel")))
    endpoint = gcp.resource(tuned.get("endpoint"), "endpoint")
    if endpoint:
        yield edge(endpoint, "serves", model, declared=True)


_REQUESTS: Final = (
    *("tuningJob", "trainingPipeline", "batchPredictionJob", "customJob"),
    "hyperparameterTuningJob",
)


def _run(job: Entity, said: dict[str, Json]) -> Iterator[Edge]:
    """What a job calls, runs and writes, and as whom."""
    yield from _link(job, "calls", gcp.model(said.get("model")))
    spec = mapping(said.get("jobSpec") or said.get("trialJobSpec"))
    for pool in listing(spec.get("workerPoolSpecs"))[:_MOST]:
        yield from _link(job, "runs_image", _image(mapping(pool)))
    yield from _link(job, "runs_as", gcp.principal(spec.get("serviceAccount")))
    batch = mapping(mapping(said.get("outputConfig")).get("gcsDestination"))
    for place in (mapping(spec.get("baseOutputDirectory")), batch):
        yield from _link(job, "writes", gcp.bucket(place.get("outputUriPrefix")))


def _image(said: dict[str, Json]) -> Entity | None:
    reference = text(mapping(said.get("containerSpec")).get("imageUri"), 512)
    return image(reference) if reference else None


def _link(source: Entity | None, relation: str, target: Entity | None) -> Iterator[Edge]:
    if source is not None and target is not None:
        yield edge(source, relation, target, declared=True)


def _data(said: dict[str, Json], parent: str) -> Iterator[Entity]:
    for spec in _SPECS:
        for name in _URIS:
            found = gcp.dataset(mapping(said.get(spec)).get(name))
            if found:
                yield found
    known = text(mapping(said.get("inputDataConfig")).get("datasetId"), 128)
    if known and parent:
        found = gcp.resource(f"{parent}/datasets/{known}", "dataset")
        if found:
            yield found
    for uri in listing(mapping(mapping(said.get("inputConfig")).get("gcsSource")).get("uris")):
        found = gcp.dataset(uri)
        if found:
            yield found


def _fed(target: Entity | None, asked: dict[str, Json]) -> Iterator[Edge]:
    """A knowledge base or index that takes files in from buckets."""
    if target is None or target.kind != "datastore":
        return
    source = mapping(mapping(asked.get("importRagFilesConfig")).get("gcsSource")) or mapping(
        asked.get("gcsSource")
    )
    uris = listing(source.get("uris")) or listing(source.get("inputUris"))
    buckets = {one.id: one for uri in uris[:_MOST] if (one := gcp.bucket(uri))}
    for one in buckets.values():
        yield edge(target, "fed_by", one, declared=True)
