from typing import Any

import pytest

from streams.lineage.aws_calls import Told
from tests.streams.lineage.calls import HOST, lineage, of
from tests.streams.sources.parsed import said

GATEWAY = "gw1.gateway.bedrock-agentcore.eu-west-1.amazonaws.com"
ARN = "arn:aws:bedrock:eu-west-1:111122223333"


@pytest.mark.parametrize(
    ("service", "name", "asked", "gone"),
    [
        ("sagemaker", "DeleteEndpoint", {"endpointName": "claims"}, "endpoint:claims"),
        (
            "sagemaker",
            "DeleteInferenceComponent",
            {"inferenceComponentName": "c"},
            "endpoint:component/c",
        ),
        ("sagemaker", "DeleteModel", {"modelName": "claims"}, "model:claims"),
        ("bedrock", "DeleteAgent", {"agentId": "AG1"}, "agent:AG1"),
        (
            "bedrock",
            "DeleteAgentActionGroup",
            {"agentId": "AG1", "agentVersion": "DRAFT", "actionGroupId": "GRP1"},
            "tool:AG1/GRP1",
        ),
        ("bedrock", "DeleteKnowledgeBase", {"knowledgeBaseId": "KB1"}, "datastore:KB1"),
        (
            "bedrock",
            "DeleteDataSource",
            {"knowledgeBaseId": "KB1", "dataSourceId": "DS1"},
            "dataset:KB1/DS1",
        ),
        ("bedrock", "DeleteCustomModel", {"modelIdentifier": "writer"}, "model:writer"),
        (
            "bedrock",
            "DeleteInferenceProfile",
            {"inferenceProfileIdentifier": f"{ARN}:application-inference-profile/i1"},
            "model:application-inference-profile/i1",
        ),
        (
            "bedrock",
            "DeleteProvisionedModelThroughput",
            {"provisionedModelId": f"{ARN}:provisioned-model/p1"},
            "model:provisioned-model/p1",
        ),
        ("bedrock", "DeleteGuardrail", {"guardrailIdentifier": "gr1"}, "guardrail:gr1"),
        ("bedrock-agentcore", "DeleteAgentRuntime", {"agentRuntimeId": "rt-1"}, "agent:rt-1"),
        (
            "bedrock-agentcore",
            "DeleteGateway",
            {"gatewayIdentifier": "gw1"},
            f"mcp_server:{GATEWAY}",
        ),
        (
            "bedrock-agentcore",
            "DeleteGatewayTarget",
            {"gatewayIdentifier": "gw1", "targetId": "T1"},
            f"tool:{GATEWAY}/T1",
        ),
    ],
)
def test_what_a_delete_ends(service: str, name: str, asked: dict[str, Any], gone: str) -> None:
    found = of(service, name, asked)
    assert found.gone
    assert found.things[0].key == gone
    assert [one.state for one in found.edges] == ["closed"]


@pytest.mark.parametrize(
    ("service", "name", "asked"),
    [
        ("bedrock", "DeleteGuardrail", {"guardrailIdentifier": "gr1", "guardrailVersion": "2"}),
        (
            "bedrock-agentcore",
            "DeleteAgentRuntime",
            {"agentRuntimeId": "rt-1", "agentRuntimeVersion": "2"},
        ),
        ("bedrock", "DeleteProvisionedModelThroughput", {"provisionedModelId": "by-its-name"}),
        ("bedrock", "DeleteAgentVersion", {"agentId": "AG1", "agentVersion": "2"}),
    ],
)
def test_what_deletes_less_than_a_thing(service: str, name: str, asked: dict[str, Any]) -> None:
    assert of(service, name, asked) == Told()


def test_what_is_detached_is_not_gone() -> None:
    asked = {"agentId": "AG1", "knowledgeBaseId": "KB1"}
    assert not of("bedrock", "DisassociateAgentKnowledgeBase", asked).gone
    assert not of("sagemaker", "CreateEndpoint", {"endpointName": "e"}).gone


HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def test_what_aws_hides_names_nothing() -> None:
    asked: dict[str, Any] = {
        "gatewayIdentifier": "gw1",
        "name": HIDDEN,
        "targetConfiguration": {
            "mcp": {
                "lambda": {
                    "lambdaArn": "arn:aws:lambda:eu-west-1:111122223333:function:policies",
                    "toolSchema": {"inlinePayload": [HIDDEN, {"name": HIDDEN}, {"name": "read"}]},
                }
            }
        },
    }
    found = of(
        "bedrock-agentcore", "CreateGatewayTarget", asked, {"targetId": "T1", "name": HIDDEN}
    )
    assert [said(one) for one in found.edges] == [
        f"mcp_server:{GATEWAY} uses tool:{GATEWAY}/T1",
        f"tool:{GATEWAY}/T1 runs_on workload:lambda/policies",
    ]
    assert [one.name for one in found.things] == [GATEWAY.partition(".")[0], "T1", None]
    rail = of("bedrock", "CreateGuardrail", {"name": HIDDEN}, {"guardrailId": "gr1"})
    assert [(one.key, one.name) for one in rail.things] == [("guardrail:gr1", None)]


def test_a_target_that_is_an_agent() -> None:
    runtime = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/triage-Ab1"
    settings = {"http": {"agentcoreRuntime": {"arn": runtime, "qualifier": "DEFAULT"}}}
    asked = {"gatewayIdentifier": "gw1", "targetConfiguration": settings}
    assert lineage("bedrock-agentcore", "CreateGatewayTarget", asked, {"targetId": "T1"})[1:] == [
        f"tool:{GATEWAY}/T1 uses agent:triage-Ab1"
    ]


def test_a_component_is_a_model_on_an_endpoint() -> None:
    asked = {
        "inferenceComponentName": "c",
        "endpointName": "claims",
        "variantName": "AllTraffic",
        "specification": {"modelName": "claims"},
    }
    assert lineage("sagemaker", "CreateInferenceComponent", asked) == [
        f"{HOST} endpoint:component/c",
        "endpoint:claims serves endpoint:component/c",
        "endpoint:component/c serves model:claims",
    ]


def test_a_model_that_learns_from_another_and_from_logs() -> None:
    config = {"teacherModelConfig": {"teacherModelIdentifier": "vendor.big-v1:0"}}
    logs = {"invocationLogSource": {"s3Uri": "s3://logs-example/bedrock/"}}
    asked = {
        "jobName": "distil",
        "customModelName": "small",
        "baseModelIdentifier": "vendor.small-v1:0",
        "trainingDataConfig": {"invocationLogsConfig": logs},
        "customizationConfig": {"distillationConfig": config},
    }
    data = "dataset:s3/logs-example/bedrock"
    assert lineage("bedrock", "CreateModelCustomizationJob", asked)[3:] == [
        "model:small derived_from model:vendor.small-v1:0",
        "model:small derived_from model:vendor.big-v1:0",
        f"job:bedrock/distil reads {data}",
        f"{data} fed_by datastore:s3/logs-example",
        f"model:small trained_on {data}",
    ]


def test_a_deployment_of_a_custom_model_is_another_name_of_it() -> None:
    model = f"{ARN}:custom-model/vendor.small-v1:0/a1b2c3d4e5f6"
    own = {"customModelDeploymentArn": f"{ARN}:custom-model-deployment/a1b2c3d4e5f7"}
    asked = {"modelDeploymentName": "small", "modelArn": model}
    assert lineage("bedrock", "CreateCustomModelDeployment", asked, own)[1:] == [
        (
            "model:custom-model-deployment/a1b2c3d4e5f7 derived_from "
            "model:custom-model/vendor.small-v1:0/a1b2c3d4e5f6"
        )
    ]
