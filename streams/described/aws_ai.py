"""AWS, its AI services: SageMaker, Bedrock and AgentCore as they describe their own resources.

A description has the fields of the call that made the resource, so the readers of calls read it: a
thing has the same id and the same edges whether its making or its description was seen first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from schemas.entity import Entity
from schemas.event import Edge
from streams.described.answers import Thing, no, tagged, yes
from streams.lineage.aws_calls import told
from streams.lineage.calls import at, imaged, job_of, link, stored
from streams.names import arns, aws
from streams.records.untrusted import distinct, edge, entity, listing, mapping, text
from streams.source import Json

_MOST: Final = 64
_WRAPPED: Final = ("agent", "agentActionGroup", "dataSource", "knowledgeBase")
_MADE: Final = ("creationTime", "createdAt")
_CHANGED: Final = (
    *("lastModifiedTime", "updatedAt", "lastUpdatedAt", "trainingEndTime", "endTime"),
    *("processingEndTime", "transformEndTime"),
)
# What describes a part of the agent or knowledge base that its Event is about first.
_PARTS: Final = frozenset(
    {"AssociateAgentKnowledgeBase", "CreateAgentActionGroup", "CreateDataSource"}
)


class Service(NamedTuple):
    """How a resource is recognised, and which call makes it: keys in small first letters."""

    marks: frozenset[str]
    service: str
    call: str
    sort: str


def _kind(marks: str, service: str, call: str, sort: str) -> Service:
    return Service(frozenset(marks.split()), service, call, sort)


# The most telling first: a training job names a model, a component its endpoint.
KINDS: Final = (
    _kind("inferenceComponentName inferenceComponentArn", "sagemaker", "CreateInferenceComponent",
          "sagemaker inference component"),
    _kind("endpointName endpointArn", "sagemaker", "CreateEndpoint", "sagemaker endpoint"),
    _kind("endpointConfigName endpointConfigArn", "sagemaker", "CreateEndpointConfig",
          "sagemaker endpoint configuration"),
    _kind("trainingJobName trainingJobArn", "sagemaker", "CreateTrainingJob",
          "sagemaker training job"),
    _kind("processingJobName processingJobArn", "sagemaker", "CreateProcessingJob",
          "sagemaker processing job"),
    _kind("transformJobName transformJobArn", "sagemaker", "CreateTransformJob",
          "sagemaker transform job"),
    _kind("modelPackageArn creationTime", "sagemaker", "CreateModelPackage",
          "sagemaker model package"),
    _kind("agentId agentName", "bedrock", "CreateAgent", "bedrock agent"),
    _kind("actionGroupId agentId", "bedrock", "CreateAgentActionGroup", "bedrock action group"),
    _kind("agentId knowledgeBaseId", "bedrock", "AssociateAgentKnowledgeBase",
          "knowledge of a bedrock agent"),
    _kind("dataSourceId knowledgeBaseId", "bedrock", "CreateDataSource", "bedrock data source"),
    _kind("knowledgeBaseId name", "bedrock", "CreateKnowledgeBase", "bedrock knowledge base"),
    _kind("guardrailId guardrailArn", "bedrock", "CreateGuardrail", "bedrock guardrail"),
    _kind("jobArn outputModelName", "bedrock", "CreateModelCustomizationJob",
          "bedrock customization job"),
    _kind("jobArn importedModelName", "bedrock", "CreateModelImportJob", "bedrock import job"),
    _kind("provisionedModelArn modelArn", "bedrock", "CreateProvisionedModelThroughput",
          "bedrock provisioned throughput"),
    _kind("customModelDeploymentArn modelArn", "bedrock", "CreateCustomModelDeployment",
          "bedrock custom model deployment"),
    _kind("agentRuntimeArn agentRuntimeId", "bedrock", "CreateAgentRuntime", "agentcore runtime"),
    _kind("gatewayId", "bedrock", "CreateGateway", "agentcore gateway"),
)  # fmt: skip


def small(value: Json, levels: int = 16) -> Json:
    """An answer with its keys as CloudTrail writes them: `EndpointArn` is `endpointArn`."""
    if levels == 0:
        return None
    if isinstance(value, dict):
        return {small_key(key): small(one, levels - 1) for key, one in mapping(value).items()}
    if isinstance(value, list):
        return [small(one, levels - 1) for one in listing(value)]
    return value


def small_key(key: str) -> str:
    """`S3Uri` is `s3Uri`; `ARN` and `VPCOptions`, of no AI service, stay as they are."""
    return key if key[1:2].isupper() else key[:1].lower() + key[1:]


def described(said: Mapping[str, Json]) -> Thing | None:
    """The resource of an AI service that an answer describes; None of any other."""
    asked = mapping(small(said))
    for one in KINDS:
        if one.marks <= asked.keys():
            return _made(one, asked)
    return _named(asked)


def _made(kind: Service, asked: dict[str, Json]) -> Thing | None:
    if kind.call == "CreateModelCustomizationJob":
        asked = asked | {
            "customModelName": asked.get("outputModelName"),
            "baseModelIdentifier": asked.get("baseModelArn"),
        }
    arn = next((value for key, value in asked.items() if key.endswith("Arn")), None)
    call: dict[str, Json] = {
        "requestParameters": asked,
        "responseElements": asked | dict.fromkeys(_WRAPPED, asked),
        "recipientAccountId": account_of(arn),
        "awsRegion": region_of(arn),
    }
    known = told(f"{kind.service}.amazonaws.com", kind.call, call)
    about = known.things or distinct((_alone(kind, asked),))
    if not about:
        return None
    part: dict[str, Json] = {"type": None, "status": None} if kind.call in _PARTS else {}
    return Thing(
        about,
        kind.sort,
        (*known.edges, *_further(about[0], asked)),
        {
            **tagged(asked.get("tags")),
            "status": _status(asked),
            "region": region_of(arn),
            "exposure": "internet" if asked.get("directInternetAccess") == "Enabled" else None,
            "network_isolated": yes(asked.get("enableNetworkIsolation")),
            "encrypted": True if _key(asked) else None,
            "model_data": text(at(asked, "modelArtifacts", "s3ModelArtifacts"), 512)
            or text(at(asked, "primaryContainer", "modelDataUrl"), 512),
            **part,
        },
        _times(asked),
        _checks(kind, asked),
    )


def _alone(kind: Service, asked: dict[str, Json]) -> Entity | None:
    """What a list names and says no more of: no edge leads to it."""
    if kind.call == "CreateAgent":
        return entity("agent", asked.get("agentId"), asked.get("agentName"))
    if kind.call == "CreateKnowledgeBase":
        return entity("datastore", asked.get("knowledgeBaseId"), asked.get("name"))
    if kind.call == "CreateAgentRuntime":
        name = asked.get("agentRuntimeName")
        return entity("agent", asked.get("agentRuntimeId"), name)
    if kind.call == "CreateGateway":
        return arns.asset(asked.get("gatewayArn")) or entity("mcp_server", asked.get("gatewayId"))
    if kind.call == "CreateModelCustomizationJob":
        return job_of("bedrock", asked.get("jobArn"))
    return None


def _further(thing: Entity, asked: dict[str, Json]) -> Iterator[Edge]:
    """What only an answer knows: what a job made, which image an endpoint runs, the ARN's model."""
    if thing.kind == "job":
        yield from stored(thing, "writes", at(asked, "modelArtifacts", "s3ModelArtifacts"))
    for variant in listing(asked.get("productionVariants"))[:_MOST]:
        for one in listing(mapping(variant).get("deployedImages"))[:_MOST]:
            said = mapping(one)
            known = imaged(said.get("resolvedImage") or said.get("specifiedImage"))
            yield from link(thing, "runs_image", known)
    own, name = (
        aws.model(asked.get("outputModelArn")),
        entity("model", asked.get("outputModelName")),
    )
    if own and name:
        yield edge(name, "same_as", own, declared=True)


def _checks(kind: Service, asked: dict[str, Json]) -> dict[str, bool | None]:
    whole = "roleArn" in asked or "executionRoleArn" in asked or "agentResourceRoleArn" in asked
    found: dict[str, bool | None] = {
        "no_network_isolation": no(asked.get("enableNetworkIsolation")),
        "traffic_not_encrypted": no(asked.get("enableInterContainerTrafficEncryption")),
    }
    # A list names a resource and leaves out what is asked here: only what is described tells.
    if whole or (kind.call == "CreateEndpointConfig" and "productionVariants" in asked):
        found["no_own_key"] = not _key(asked)
    if whole and kind.call in {"CreateTrainingJob", "CreateModel"}:
        found["no_private_network"] = not mapping(asked.get("vpcConfig"))
    if whole and kind.call == "CreateAgent":
        found["no_guardrail"] = not mapping(asked.get("guardrailConfiguration"))
    if kind.call == "CreateGateway" and asked.get("authorizerType"):
        found["open_to_the_world"] = asked["authorizerType"] == "NONE"
    return found


def _key(asked: dict[str, Json]) -> bool:
    """True if a key of the owner's encrypts it, wherever its kind says so."""
    places = (
        *(asked.get(name) for name in ("kmsKeyId", "kmsKeyArn", "customerEncryptionKeyArn")),
        *(asked.get(name) for name in ("modelKmsKeyArn", "outputModelKmsKeyArn")),
        at(asked, "resourceConfig", "volumeKmsKeyId"),
        at(asked, "outputDataConfig", "kmsKeyId"),
        at(asked, "transformResources", "volumeKmsKeyId"),
    )
    return any(text(one) for one in places)


def _named(asked: dict[str, Json]) -> Thing | None:
    """Models and what else is known by its ARN."""
    if {"modelArn", "modelName"} <= asked.keys():
        return _model(asked)
    if {"notebookInstanceName", "notebookInstanceArn"} <= asked.keys():
        return _notebook(asked)
    arn = asked.get("inferenceProfileArn") or asked.get("arn")
    thing = arns.asset(arn)
    if thing is None or thing.kind not in {"guardrail", "model"}:
        return None
    edges = [
        one
        for model in listing(asked.get("models"))[:_MOST]
        for one in link(thing, "derived_from", aws.model(mapping(model).get("modelArn")))
    ]
    said = {"status": _status(asked), "region": region_of(arn)}
    return Thing((thing,), f"bedrock {thing.kind}", edges, said, _times(asked))


def _model(asked: dict[str, Json]) -> Thing | None:
    arn = text(asked.get("modelArn"), 512) or ""
    if ":sagemaker:" in arn:
        call = _kind("", "sagemaker", "CreateModel", "sagemaker model")
        return _made(call, asked)
    model = aws.model(arn)
    if (
        model is None or not arn.startswith("arn:") or ":foundation-model/" in arn
    ):  # what AWS offers, whether it is used or not
        return None
    job = job_of("bedrock", asked.get("jobArn"))
    named = entity("model", asked.get("modelName"))
    edges = [
        *link(model, "derived_from", aws.model(asked.get("baseModelArn"))),
        *link(model, "made_by", job),
        *link(named, "same_as", model),
        *link(entity("account", account_of(arn)), "hosts", model),
    ]
    checks = {"no_own_key": not _key(asked)} if "jobArn" in asked else {}
    said = {"status": _status(asked), "region": region_of(arn)}
    times = _times(asked)
    return Thing((model, named, job), "bedrock model", edges, said, times, checks)


def _notebook(asked: dict[str, Json]) -> Thing | None:
    thing = arns.asset(asked.get("notebookInstanceArn"))
    whole, direct = "roleArn" in asked, asked.get("directInternetAccess")
    return Thing(
        (thing,),
        "sagemaker notebook",
        link(entity("account", account_of(asked.get("notebookInstanceArn"))), "hosts", thing),
        {"status": _status(asked), "region": region_of(asked.get("notebookInstanceArn"))},
        _times(asked),
        {
            "direct_internet": direct == "Enabled" if direct else None,
            "root_access": asked["rootAccess"] == "Enabled" if "rootAccess" in asked else None,
            "no_own_key": not _key(asked) if whole else None,
        },
    )


def _times(asked: dict[str, Json]) -> tuple[Json, ...]:
    made = next((asked[key] for key in _MADE if asked.get(key)), None)
    return (made, *(asked.get(key) for key in _CHANGED))


_STATUS: Final = (
    *("status", "agentStatus", "knowledgeBaseStatus", "notebookInstanceStatus"),
    *("endpointStatus", "trainingJobStatus", "processingJobStatus", "transformJobStatus"),
    *("actionGroupState", "modelPackageStatus", "inferenceComponentStatus", "modelStatus"),
)


def _status(asked: dict[str, Json]) -> str | None:
    return next((known for key in _STATUS if (known := text(asked.get(key), 64))), None)


def region_of(arn: Json) -> str | None:
    """The region in an ARN."""
    parts = (text(arn, 512) or "").split(":", 5)
    return parts[3] or None if len(parts) == 6 else None


def account_of(arn: Json) -> str | None:
    """The account in an ARN."""
    parts = (text(arn, 512) or "").split(":", 5)
    return parts[4] or None if len(parts) == 6 else None
