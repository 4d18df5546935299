"""SageMaker lineage: from data over a job to a model, its image and the endpoint that serves it.

dataset <-reads- job <-made_by- model <-serves- endpoint:config/c <-serves- endpoint
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from schemas.entity import Entity
from streams.lineage.calls import (
    MOST,
    Call,
    Edges,
    at,
    gone,
    hosts,
    imaged,
    job_of,
    link,
    located,
    role,
    stored,
)
from streams.names import aws
from streams.records.untrusted import edge, entity, listing, mapping, text
from streams.source import Json

# SageMaker writes what a job makes to `<output>/<job>/output/model.tar.gz`.
_BY_PATH: Final = 0.9


def _training(call: Call) -> Edges:
    asked = call.asked
    job = job_of("sagemaker", asked.get("trainingJobName"))
    yield from hosts(call, job)
    for one in listing(asked.get("inputDataConfig"))[:MOST]:
        yield from stored(job, "reads", at(one, "dataSource", "s3DataSource", "s3Uri"))
    yield from stored(job, "writes", at(asked, "outputDataConfig", "s3OutputPath"))
    yield from link(job, "runs_image", imaged(at(asked, "algorithmSpecification", "trainingImage")))
    yield from link(job, "reads", aws.model(at(asked, "serverlessJobConfig", "baseModelArn")))
    yield from link(
        job, "reads", _package(at(asked, "modelPackageConfig", "sourceModelPackageArn"))
    )
    yield from role(job, asked.get("roleArn"))


def _processing(call: Call) -> Edges:
    asked = call.asked
    job = job_of("sagemaker", asked.get("processingJobName"))
    yield from hosts(call, job)
    for one in listing(asked.get("processingInputs"))[:MOST]:
        yield from stored(job, "reads", at(one, "s3Input", "s3Uri"))
    for one in listing(at(asked, "processingOutputConfig", "outputs"))[:MOST]:
        yield from stored(job, "writes", at(one, "s3Output", "s3Uri"))
    yield from link(job, "runs_image", imaged(at(asked, "appSpecification", "imageUri")))
    yield from role(job, asked.get("roleArn"))


def _transform(call: Call) -> Edges:
    asked = call.asked
    job = job_of("sagemaker", asked.get("transformJobName"))
    yield from hosts(call, job)
    yield from link(job, "calls", entity("model", asked.get("modelName")))
    source = at(asked, "transformInput", "dataSource", "s3DataSource", "s3Uri")
    yield from stored(job, "reads", source)
    yield from stored(job, "writes", at(asked, "transformOutput", "s3OutputPath"))


def _model(call: Call) -> Edges:
    asked = call.asked
    model = entity("model", asked.get("modelName"))
    yield from hosts(call, model)
    for one in (asked.get("primaryContainer"), *listing(asked.get("containers"))[:MOST]):
        yield from _container(model, mapping(one))
    yield from role(model, asked.get("executionRoleArn"))


def _container(model: Entity | None, said: dict[str, Json]) -> Edges:
    """What a model is served from: an image, and data that a training job wrote."""
    yield from link(model, "runs_image", imaged(said.get("image")))
    yield from link(model, "derived_from", _package(said.get("modelPackageName")))
    url = said.get("modelDataUrl") or at(said, "modelDataSource", "s3DataSource", "s3Uri")
    yield from stored(model, "reads", url)
    for one in listing(said.get("additionalModelDataSources"))[:MOST]:
        yield from stored(model, "reads", at(one, "s3DataSource", "s3Uri"))
    parts = located(url)[1].split("/")
    if model is not None and parts[-2:] == ["output", "model.tar.gz"] and len(parts) > 2:
        job = job_of("sagemaker", parts[-3])
        if job is not None:
            yield edge(model, "made_by", job, declared=True, confidence=_BY_PATH)
            yield edge(job, "makes", model, declared=True, confidence=_BY_PATH)


def _package(arn: Json) -> Entity | None:
    """`arn:...:model-package/group/3`: the version `model-package/group/3`."""
    known = text(arn, 512)
    return entity("model", aws.resource(known)) if known else None


def _model_package(call: Call) -> Edges:
    asked = call.asked
    model = _package(call.answered.get("modelPackageArn") or asked.get("modelPackageName"))
    yield from hosts(call, model)
    for one in listing(at(asked, "inferenceSpecification", "containers"))[:MOST]:
        yield from _container(model, mapping(one))


def _config(call: Call) -> Edges:
    config = _configuration(call.asked.get("endpointConfigName"))
    yield from hosts(call, config)
    for one in listing(call.asked.get("productionVariants"))[:MOST]:
        yield from link(config, "serves", entity("model", mapping(one).get("modelName")))
    yield from role(config, call.asked.get("executionRoleArn"))


def _configuration(name: Json) -> Entity | None:
    known = text(name, 256)
    return entity("endpoint", f"config/{known}" if known else None)


def _endpoint(call: Call) -> Edges:
    endpoint = entity("endpoint", call.asked.get("endpointName"))
    yield from hosts(call, endpoint)
    yield from link(endpoint, "serves", _configuration(call.asked.get("endpointConfigName")))


def _component(call: Call) -> Edges:
    """A model on an endpoint whose configuration names none."""
    name = text(call.asked.get("inferenceComponentName"), 256)
    component = entity("endpoint", f"component/{name}" if name else None)
    yield from hosts(call, component)
    yield from link(entity("endpoint", call.asked.get("endpointName")), "serves", component)
    said = mapping(call.asked.get("specification"))
    yield from link(component, "serves", entity("model", said.get("modelName")))
    yield from link(component, "runs_image", imaged(at(said, "container", "image")))


CALLS: Final[dict[str, Callable[[Call], Edges]]] = {
    "CreateEndpoint": _endpoint,
    "CreateEndpointConfig": _config,
    "CreateInferenceComponent": _component,
    "CreateModel": _model,
    "CreateModelPackage": _model_package,
    "CreateProcessingJob": _processing,
    "CreateTrainingJob": _training,
    "CreateTransformJob": _transform,
    "DeleteEndpoint": gone(_endpoint),
    "DeleteEndpointConfig": gone(_config),
    "DeleteInferenceComponent": gone(_component),
    "DeleteModel": gone(_model),
    "DeleteModelPackage": gone(_model_package),
    "UpdateEndpoint": _endpoint,
}
