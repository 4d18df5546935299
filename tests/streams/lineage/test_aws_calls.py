from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streams.lineage.calls import HOST, ROLE, lineage

AS = "principal:arn:aws:iam::111122223333:role/Trainer"
S3 = "s3DataSource"


def test_a_training_job() -> None:
    asked = {
        "trainingJobName": "claims-7",
        "algorithmSpecification": {"trainingImage": "images.example/train:3"},
        "inputDataConfig": [
            {
                "channelName": "train",
                "dataSource": {S3: {"s3Uri": "s3://raw-example/claims/2026/"}},
            },
            {"channelName": "files", "dataSource": {"fileSystemDataSource": {"fileSystemId": "f"}}},
        ],
        "outputDataConfig": {"s3OutputPath": "s3://models-example/claims"},
        "roleArn": ROLE,
    }
    assert lineage("sagemaker", "CreateTrainingJob", asked) == [
        f"{HOST} job:sagemaker/claims-7",
        "job:sagemaker/claims-7 reads dataset:s3/raw-example/claims/2026",
        "dataset:s3/raw-example/claims/2026 fed_by datastore:s3/raw-example",
        "job:sagemaker/claims-7 writes datastore:s3/models-example",
        "job:sagemaker/claims-7 runs_image image:images.example/train:3",
        f"job:sagemaker/claims-7 runs_as {AS}",
    ]


def test_a_model_knows_its_job_by_where_its_data_lies() -> None:
    data = "s3://models-example/claims/claims-7/output/model.tar.gz"
    asked = {
        "modelName": "claims",
        "primaryContainer": {"image": "images.example/serve:1", "modelDataUrl": data},
    }
    place = "s3/models-example/claims/claims-7/output/model.tar.gz"
    assert lineage("sagemaker", "CreateModel", asked) == [
        f"{HOST} model:claims",
        "model:claims runs_image image:images.example/serve:1",
        f"model:claims reads dataset:{place}",
        f"dataset:{place} fed_by datastore:s3/models-example",
        "model:claims made_by job:sagemaker/claims-7 0.9",
        "job:sagemaker/claims-7 makes model:claims 0.9",
    ]


def test_a_model_of_a_package() -> None:
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/claims/3"
    containers = [{"modelPackageName": arn}]
    assert lineage("sagemaker", "CreateModel", {"modelName": "m", "containers": containers}) == [
        f"{HOST} model:m",
        "model:m derived_from model:model-package/claims/3",
    ]
    asked = {"inferenceSpecification": {"containers": [{"image": "images.example/serve:1"}]}}
    assert lineage("sagemaker", "CreateModelPackage", asked, {"modelPackageArn": arn}) == [
        f"{HOST} model:model-package/claims/3",
        "model:model-package/claims/3 runs_image image:images.example/serve:1",
    ]


def test_an_endpoint_serves_its_configuration_and_that_serves_models() -> None:
    asked: dict[str, Any] = {
        "endpointConfigName": "claims-2",
        "productionVariants": [{"variantName": "a", "modelName": "claims"}],
    }
    assert lineage("sagemaker", "CreateEndpointConfig", asked) == [
        f"{HOST} endpoint:config/claims-2",
        "endpoint:config/claims-2 serves model:claims",
    ]
    asked = {"endpointName": "claims", "endpointConfigName": "claims-2"}
    made = [f"{HOST} endpoint:claims", "endpoint:claims serves endpoint:config/claims-2"]
    assert lineage("sagemaker", "CreateEndpoint", asked) == made
    assert lineage("sagemaker", "UpdateEndpoint", asked) == made
    gone = [f"{HOST} endpoint:claims ended"]
    assert lineage("sagemaker", "DeleteEndpoint", {"endpointName": "claims"}) == gone


def test_processing_and_transform_jobs() -> None:
    asked: dict[str, Any] = {
        "processingJobName": "clean",
        "processingInputs": [{"s3Input": {"s3Uri": "s3://raw-example"}}],
        "processingOutputConfig": {"outputs": [{"s3Output": {"s3Uri": "s3://clean-example/a"}}]},
        "appSpecification": {"imageUri": "images.example/clean:1"},
    }
    assert lineage("sagemaker", "CreateProcessingJob", asked)[1:] == [
        "job:sagemaker/clean reads datastore:s3/raw-example",
        "job:sagemaker/clean writes datastore:s3/clean-example",
        "job:sagemaker/clean runs_image image:images.example/clean:1",
    ]
    asked = {
        "transformJobName": "score",
        "modelName": "claims",
        "transformInput": {"dataSource": {S3: {"s3Uri": "s3://in-example/x"}}},
        "transformOutput": {"s3OutputPath": "s3://out-example/y"},
    }
    assert lineage("sagemaker", "CreateTransformJob", asked)[1:] == [
        "job:sagemaker/score calls model:claims",
        "job:sagemaker/score reads dataset:s3/in-example/x",
        "dataset:s3/in-example/x fed_by datastore:s3/in-example",
        "job:sagemaker/score writes datastore:s3/out-example",
    ]


def test_a_model_that_is_tuned_and_called_by_another_name() -> None:
    job = "arn:aws:bedrock:eu-west-1:111122223333:model-customization-job/vendor.writer-v1:0/j0b"
    asked: dict[str, Any] = {
        "jobName": "tune",
        "customModelName": "claims-writer",
        "baseModelIdentifier": "arn:aws:bedrock:eu-west-1::foundation-model/vendor.writer-v1:0",
        "trainingDataConfig": {"s3Uri": "s3://raw-example/tune.jsonl"},
        "outputDataConfig": {"s3Uri": "s3://out-example/"},
        "roleArn": ROLE,
    }
    data = "dataset:s3/raw-example/tune.jsonl"
    assert lineage("bedrock", "CreateModelCustomizationJob", asked, {"jobArn": job}) == [
        f"{HOST} job:bedrock/j0b",
        "job:bedrock/j0b makes model:claims-writer",
        "model:claims-writer made_by job:bedrock/j0b",
        "model:claims-writer derived_from model:vendor.writer-v1:0",
        f"job:bedrock/j0b reads {data}",
        f"{data} fed_by datastore:s3/raw-example",
        f"model:claims-writer trained_on {data}",
        "job:bedrock/j0b writes datastore:s3/out-example",
        f"job:bedrock/j0b runs_as {AS}",
    ]
    asked = {"modelId": "claims-writer", "provisionedModelName": "p"}
    arn = "arn:aws:bedrock:eu-west-1:111122223333:provisioned-model/p1"
    answered = {"provisionedModelArn": arn}
    assert lineage("bedrock", "CreateProvisionedModelThroughput", asked, answered)[1:] == [
        "model:provisioned-model/p1 derived_from model:claims-writer"
    ]
    asked = {"inferenceProfileName": "team", "modelSource": {"copyFrom": "eu.vendor.writer-v1:0"}}
    arn = "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/i1"
    answered = {"inferenceProfileArn": arn}
    assert lineage("bedrock", "CreateInferenceProfile", asked, answered)[1:] == [
        "model:application-inference-profile/i1 derived_from model:vendor.writer-v1:0"
    ]


def test_an_agent_with_its_model_and_guardrail() -> None:
    asked = {
        "agentName": "triage",
        "foundationModel": "eu.vendor.writer-v1:0",
        "guardrailConfiguration": {"guardrailIdentifier": "gr1example", "guardrailVersion": "1"},
        "agentResourceRoleArn": ROLE,
        "instruction": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }
    expected = [
        f"{HOST} agent:AG1",
        "agent:AG1 calls model:vendor.writer-v1:0",
        "agent:AG1 guarded_by guardrail:gr1example",
        f"agent:AG1 runs_as {AS}",
    ]
    assert lineage("bedrock", "CreateAgent", asked, {"agent": {"agentId": "AG1"}}) == expected
    assert lineage("bedrock", "UpdateAgent", asked | {"agentId": "AG1"}) == expected
    assert lineage("bedrock", "DeleteAgent", {"agentId": "AG1"}) == [f"{HOST} agent:AG1 ended"]


def test_an_action_group_until_it_is_deleted() -> None:
    function = "arn:aws:lambda:eu-west-1:111122223333:function:claims"
    asked = {
        "agentId": "AG1",
        "actionGroupName": "claims",
        "actionGroupExecutor": {"lambda": function},
        "functionSchema": {"functions": [{"name": "read_claim"}, {"name": "pay_claim"}]},
    }
    answered = {"agentActionGroup": {"actionGroupId": "GRP1"}}
    assert lineage("bedrock", "CreateAgentActionGroup", asked, answered) == [
        "agent:AG1 uses tool:AG1/GRP1",
        "tool:AG1/GRP1 runs_on workload:lambda/claims",
        "tool:AG1/GRP1 uses tool:AG1/read_claim",
        "tool:AG1/GRP1 uses tool:AG1/pay_claim",
    ]
    gone = ["agent:AG1 uses tool:AG1/GRP1 ended"]
    asked = {"agentId": "AG1", "actionGroupId": "GRP1"}
    assert lineage("bedrock", "DeleteAgentActionGroup", asked) == gone
    off = asked | {"actionGroupState": "DISABLED"}
    assert lineage("bedrock", "UpdateAgentActionGroup", off) == gone


@pytest.mark.parametrize(
    ("name", "state", "end"),
    [
        ("AssociateAgentKnowledgeBase", "ENABLED", ""),
        ("UpdateAgentKnowledgeBase", "DISABLED", " ended"),
        ("DisassociateAgentKnowledgeBase", None, " ended"),
    ],
)
def test_what_an_agent_retrieves(name: str, state: str | None, end: str) -> None:
    asked = {"agentId": "AG1", "knowledgeBaseId": "KB1", "knowledgeBaseState": state}
    assert lineage("bedrock", name, asked) == [f"agent:AG1 retrieves datastore:KB1{end}"]


def test_where_knowledge_is_from() -> None:
    store = "arn:aws:aoss:eu-west-1:111122223333:collection/vectors1"
    embedder = "arn:aws:bedrock:eu-west-1::foundation-model/vendor.embed-v1"
    asked: dict[str, Any] = {
        "name": "policies",
        "knowledgeBaseConfiguration": {
            "type": "VECTOR",
            "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": embedder},
        },
        "storageConfiguration": {
            "type": "OPENSEARCH_SERVERLESS",
            "opensearchServerlessConfiguration": {"collectionArn": store},
        },
    }
    answered: dict[str, Any] = {"knowledgeBase": {"knowledgeBaseId": "KB1"}}
    assert lineage("bedrock", "CreateKnowledgeBase", asked, answered) == [
        f"{HOST} datastore:KB1",
        "datastore:KB1 calls model:vendor.embed-v1",
        "datastore:KB1 fed_by datastore:opensearch/vectors1",
    ]
    asked = {
        "knowledgeBaseId": "KB1",
        "name": "bucket",
        "dataSourceConfiguration": {
            "type": "S3",
            "s3Configuration": {"bucketArn": "arn:aws:s3:::policies-example"},
        },
    }
    answered = {"dataSource": {"dataSourceId": "DS1"}}
    assert lineage("bedrock", "CreateDataSource", asked, answered) == [
        "datastore:KB1 fed_by dataset:KB1/DS1",
        "dataset:KB1/DS1 fed_by datastore:s3/policies-example",
    ]
    asked = {"knowledgeBaseId": "KB1", "dataSourceId": "DS1"}
    assert lineage("bedrock", "DeleteDataSource", asked) == [
        "datastore:KB1 fed_by dataset:KB1/DS1 ended"
    ]
    seeds = {"seedUrls": [{"url": "https://docs.example/a"}, {"url": "http://[bad"}]}
    web = {"webConfiguration": {"sourceConfiguration": {"urlConfiguration": seeds}}}
    asked = {"knowledgeBaseId": "KB1", "name": "web", "dataSourceConfiguration": web}
    assert lineage("bedrock", "CreateDataSource", asked)[1:] == [
        "dataset:KB1/web fed_by datastore:web/docs.example"
    ]


def test_a_gateway_and_its_targets() -> None:
    host = "gw1.gateway.bedrock-agentcore.eu-west-1.amazonaws.com"
    answered = {"gatewayId": "gw1", "gatewayUrl": f"https://{host}/mcp"}
    asked: dict[str, Any] = {"name": "claims", "roleArn": ROLE}
    assert lineage("bedrock-agentcore", "CreateGateway", asked, answered) == [
        f"{HOST} mcp_server:{host}",
        f"mcp_server:{host} runs_as {AS}",
    ]
    function = "arn:aws:lambda:eu-west-1:111122223333:function:policies:live"
    tools = {"inlinePayload": [{"name": "read", "description": "x"}]}
    target = {"mcp": {"lambda": {"lambdaArn": function, "toolSchema": tools}}}
    asked = {"gatewayIdentifier": "gw1", "name": "policies", "targetConfiguration": target}
    made = {"targetId": "T1"}
    assert lineage("bedrock-agentcore-control", "CreateGatewayTarget", asked, made) == [
        f"mcp_server:{host} uses tool:{host}/T1",
        f"tool:{host}/T1 runs_on workload:lambda/policies",
        f"tool:{host}/T1 uses tool:{host}/policies___read",
    ]
    asked = {"gatewayIdentifier": "gw1", "targetId": "T1"}
    assert lineage("bedrock-agentcore", "DeleteGatewayTarget", asked) == [
        f"mcp_server:{host} uses tool:{host}/T1 ended"
    ]


def test_a_runtime() -> None:
    container = {"containerUri": "images.example/triage@sha256:" + "0" * 64}
    asked = {
        "agentRuntimeName": "triage",
        "agentRuntimeArtifact": {"containerConfiguration": container},
        "roleArn": ROLE,
    }
    assert lineage(
        "bedrock-agentcore", "CreateAgentRuntime", asked, {"agentRuntimeId": "rt-1"}
    ) == [
        f"{HOST} agent:rt-1",
        "agent:rt-1 runs_image image:sha256:" + "0" * 64,
        f"agent:rt-1 runs_as {AS}",
    ]


def test_calls_that_make_nothing() -> None:
    assert lineage("bedrock", "InvokeModel", {"modelId": "m"}) == []
    assert lineage("s3", "CreateModel", {"modelName": "m"}) == []


@given(
    st.sampled_from(
        ["CreateModel", "CreateDataSource", "CreateGatewayTarget", "CreateTrainingJob"]
    ),
    st.dictionaries(
        st.sampled_from(
            ["modelName", "primaryContainer", "knowledgeBaseId", "dataSourceConfiguration", "name"]
        ),
        st.recursive(st.none() | st.text(max_size=9), lambda one: st.lists(one, max_size=3)),
    ),
)
def test_odd_parameters_are_no_crash(name: str, asked: dict[str, Any]) -> None:
    for service in ("sagemaker", "bedrock"):
        lineage(service, name, asked)
