"""Bedrock lineage: models that are tuned, agents with what they use, and where knowledge is from.

    job -makes-> model -derived_from-> model, -trained_on-> dataset
    agent -calls-> model, -guarded_by-> guardrail, -retrieves-> knowledge base
    agent -uses-> action group -uses-> tool, -runs_on-> function
    knowledge base -fed_by-> data source -fed_by-> bucket

What has a delete of its own stands between two things that have not: an action group between agent
and tools, a data source between knowledge base and bucket. So a delete ends the way through it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from schemas.entity import Entity
from streams.lineage.calls import (
    MOST,
    Call,
    Edges,
    at,
    gone,
    hosts,
    job_of,
    link,
    located,
    role,
    stored,
    tool_of,
)
from streams.names import arns, aws
from streams.records.untrusted import entity, listing, mapping, text
from streams.source import Json

_OFF: Final = frozenset({"DISABLED"})


def _customization(call: Call) -> Edges:
    asked = call.asked
    job = job_of("bedrock", call.answered.get("jobArn") or asked.get("jobName"))
    model = entity("model", asked.get("customModelName") or asked.get("importedModelName"))
    yield from hosts(call, job)
    yield from link(job, "makes", model)
    yield from link(model, "made_by", job)
    yield from link(model, "derived_from", aws.model(asked.get("baseModelIdentifier")))
    training = at(asked, "trainingDataConfig", "s3Uri")
    yield from stored(job, "reads", training)
    yield from link(model, "trained_on", _data(training))
    for one in listing(at(asked, "validationDataConfig", "validators"))[:MOST]:
        yield from stored(job, "reads", mapping(one).get("s3Uri"))
    yield from stored(job, "reads", at(asked, "modelDataSource", "s3DataSource", "s3Uri"))
    yield from stored(job, "writes", at(asked, "outputDataConfig", "s3Uri"))
    yield from role(job, asked.get("roleArn"))


def _data(uri: Json) -> Entity | None:
    bucket, prefix = located(uri)
    return entity("dataset", "/".join(filter(None, ("s3", bucket, prefix)))) if bucket else None


def _custom_model(call: Call) -> Edges:
    asked = call.asked
    model = aws.model(call.answered.get("modelArn") or asked.get("modelName"))
    yield from hosts(call, model)
    yield from stored(model, "reads", at(asked, "modelSourceConfig", "s3DataSource", "s3Uri"))
    yield from role(model, asked.get("roleArn"))


def _throughput(call: Call) -> Edges:
    """Bought throughput, or a profile of the account's own: another name that is called."""
    answered, asked = call.answered, call.asked
    own = aws.model(answered.get("provisionedModelArn") or answered.get("inferenceProfileArn"))
    yield from hosts(call, own)
    base = asked.get("modelId") or at(asked, "modelSource", "copyFrom")
    yield from link(own, "derived_from", aws.model(base))


def _agent(call: Call) -> Edges:
    asked, answered = call.asked, mapping(call.answered.get("agent"))
    agent = entity("agent", asked.get("agentId") or answered.get("agentId"), asked.get("agentName"))
    yield from hosts(call, agent)
    yield from link(agent, "calls", aws.model(asked.get("foundationModel")))
    guard = aws.tail(at(asked, "guardrailConfiguration", "guardrailIdentifier"))
    yield from link(agent, "guarded_by", entity("guardrail", guard))
    yield from role(agent, asked.get("agentResourceRoleArn"))


def _action_group(call: Call) -> Edges:
    asked, answered = call.asked, mapping(call.answered.get("agentActionGroup"))
    agent = entity("agent", asked.get("agentId"))
    number = asked.get("actionGroupId") or answered.get("actionGroupId")
    group = tool_of(agent, number, asked.get("actionGroupName"))
    yield from link(agent, "uses", group, ended=text(asked.get("actionGroupState")) in _OFF)
    yield from link(group, "runs_on", arns.asset(at(asked, "actionGroupExecutor", "lambda")))
    for one in listing(at(asked, "functionSchema", "functions"))[:MOST]:
        yield from link(group, "uses", tool_of(agent, mapping(one).get("name")))


def _no_action_group(call: Call) -> Edges:
    agent = entity("agent", call.asked.get("agentId"))
    yield from link(agent, "uses", tool_of(agent, call.asked.get("actionGroupId")), ended=True)


def _knowledge(call: Call, *, ended: bool = False) -> Edges:
    agent = entity("agent", call.asked.get("agentId"))
    store = entity("datastore", call.asked.get("knowledgeBaseId"))
    off = ended or text(call.asked.get("knowledgeBaseState")) in _OFF
    yield from link(agent, "retrieves", store, ended=off)


def _no_knowledge(call: Call) -> Edges:
    yield from _knowledge(call, ended=True)


def _collaborator(call: Call) -> Edges:
    agent = entity("agent", call.asked.get("agentId"))
    alias = text(at(call.asked, "agentDescriptor", "aliasArn"), 512)  # agent-alias/<agent>/<alias>
    parts = aws.resource(alias).split("/") if alias else []
    yield from link(agent, "uses", entity("agent", parts[1] if len(parts) == 3 else None))


def _base(call: Call) -> Edges:
    asked, answered = call.asked, mapping(call.answered.get("knowledgeBase"))
    number = asked.get("knowledgeBaseId") or answered.get("knowledgeBaseId")
    base = entity("datastore", number, asked.get("name"))
    yield from hosts(call, base)
    settings = mapping(asked.get("knowledgeBaseConfiguration"))
    vectors = at(settings, "vectorKnowledgeBaseConfiguration", "embeddingModelArn")
    yield from link(base, "calls", aws.model(vectors))
    for one in list(mapping(asked.get("storageConfiguration")).values())[:MOST]:
        keys = ("collectionArn", "resourceArn", "domainArn", "vectorBucketArn")
        found = (arns.asset(mapping(one).get(key)) for key in keys)
        yield from link(base, "fed_by", next(filter(None, found), None))
    yield from role(base, asked.get("roleArn"))


def _source(call: Call) -> Edges:
    asked, answered = call.asked, mapping(call.answered.get("dataSource"))
    base = entity("datastore", asked.get("knowledgeBaseId"))
    number = text(
        asked.get("dataSourceId") or answered.get("dataSourceId") or asked.get("name"), 128
    )
    data = entity("dataset", f"{base.id}/{number}", asked.get("name")) if base and number else None
    yield from link(base, "fed_by", data)
    settings = mapping(asked.get("dataSourceConfiguration"))
    yield from stored(data, "fed_by", at(settings, "s3Configuration", "bucketArn"))
    seeds = listing(
        at(settings, "webConfiguration", "sourceConfiguration", "urlConfiguration", "seedUrls")
    )
    others = ("confluenceConfiguration", "salesforceConfiguration")
    places = [mapping(one).get("url") for one in seeds[:MOST]]
    places += [at(settings, part, "sourceConfiguration", "hostUrl") for part in others]
    sites = at(settings, "sharePointConfiguration", "sourceConfiguration", "siteUrls")
    for url in (*places, *listing(sites)[:MOST]):
        yield from link(data, "fed_by", _site(url))


def _site(url: Json) -> Entity | None:
    try:
        host = urlsplit(text(url, 1024) or "").hostname
    except ValueError:
        return None
    return entity("datastore", f"web/{host}" if host else None)


def _no_source(call: Call) -> Edges:
    base, number = (
        entity("datastore", call.asked.get("knowledgeBaseId")),
        call.asked.get("dataSourceId"),
    )
    if base is not None and text(number, 128):
        yield from link(base, "fed_by", entity("dataset", f"{base.id}/{number}"), ended=True)


def _guardrail(call: Call) -> Edges:
    number = aws.tail(call.asked.get("guardrailIdentifier")) or call.answered.get("guardrailId")
    yield from hosts(call, entity("guardrail", number, call.asked.get("name")))


def _whole_guardrail(call: Call) -> Edges:
    """A delete that names a version leaves the others."""
    if text(call.asked.get("guardrailVersion"), 32) is None:
        yield from _guardrail(call)


def _own_model(call: Call) -> Edges:
    """A model of the account's own by whichever name its delete has."""
    names = ("modelIdentifier", "provisionedModelId", "inferenceProfileIdentifier")
    yield from hosts(call, aws.model(next(filter(None, map(call.asked.get, names)), None)))


CALLS: Final[dict[str, Callable[[Call], Edges]]] = {
    "AssociateAgentCollaborator": _collaborator,
    "AssociateAgentKnowledgeBase": _knowledge,
    "CreateAgent": _agent,
    "CreateAgentActionGroup": _action_group,
    "CreateCustomModel": _custom_model,
    "CreateDataSource": _source,
    "CreateGuardrail": _guardrail,
    "CreateInferenceProfile": _throughput,
    "CreateKnowledgeBase": _base,
    "CreateModelCustomizationJob": _customization,
    "CreateModelImportJob": _customization,
    "CreateProvisionedModelThroughput": _throughput,
    "DeleteAgent": gone(_agent),
    "DeleteAgentActionGroup": _no_action_group,
    "DeleteCustomModel": gone(_own_model),
    "DeleteDataSource": _no_source,
    "DeleteGuardrail": gone(_whole_guardrail),
    "DeleteImportedModel": gone(_own_model),
    "DeleteInferenceProfile": gone(_own_model),
    "DeleteKnowledgeBase": gone(_base),
    "DeleteProvisionedModelThroughput": gone(_own_model),
    "DisassociateAgentKnowledgeBase": _no_knowledge,
    "UpdateAgent": _agent,
    "UpdateAgentActionGroup": _action_group,
    "UpdateAgentKnowledgeBase": _knowledge,
}
