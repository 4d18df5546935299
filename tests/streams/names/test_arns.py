import pytest

from streams.names.arns import asset, gateway

HERE = "eu-west-1:111122223333"


@pytest.mark.parametrize(
    ("arn", "key"),
    [
        ("arn:aws:s3:::raw-example/a/b.csv", "datastore:s3/raw-example"),
        (f"arn:aws:bedrock:{HERE}:agent/AG1", "agent:AG1"),
        (f"arn:aws:bedrock:{HERE}:guardrail/gr1", "guardrail:gr1"),
        (f"arn:aws:bedrock:{HERE}:knowledge-base/KB1", "datastore:KB1"),
        ("arn:aws:bedrock:eu-west-1::foundation-model/vendor.m-v1:0", "model:vendor.m-v1:0"),
        (f"arn:aws:bedrock:{HERE}:inference-profile/eu.vendor.m-v1:0", "model:vendor.m-v1:0"),
        (
            f"arn:aws:bedrock-agentcore:{HERE}:gateway/gw1",
            "mcp_server:gw1.gateway.bedrock-agentcore.eu-west-1.amazonaws.com",
        ),
        (f"arn:aws:bedrock-agentcore:{HERE}:runtime/rt1/runtime-endpoint/DEFAULT", "agent:rt1"),
        (f"arn:aws:lambda:{HERE}:function:claims:live", "workload:lambda/claims"),
        (f"arn:aws:ec2:{HERE}:instance/i-1", "host:i-1"),
        (f"arn:aws:ec2:{HERE}:i-1", "host:i-1"),
        (f"arn:aws:rds:{HERE}:db:claims", "datastore:rds/claims"),
        (f"arn:aws:ecs:{HERE}:task-definition/triage:14", "workload:ecs/default/triage"),
        (f"arn:aws:eks:{HERE}:cluster/ml", "workload:eks/ml"),
        (f"arn:aws:sagemaker:{HERE}:endpoint/claims", "endpoint:claims"),
        (f"arn:aws:sagemaker:{HERE}:training-job/claims-7", "job:sagemaker/claims-7"),
        (
            "arn:aws:sts::111122223333:assumed-role/Triage/run-7",
            "principal:arn:aws:iam::111122223333:role/Triage",
        ),
        (f"arn:aws:ecr:{HERE}:repository/a/b/sha256:0f", "image:sha256:0f"),
        (f"arn:aws:kms:{HERE}:key/1", None),
        ("arn:aws:s3:::", None),
        (f"arn:aws:lambda:{HERE}:function:", None),
        ("claims", None),
        (None, None),
        (7, None),
    ],
)
def test_the_asset_of_an_arn(arn: object, key: str | None) -> None:
    found = asset(arn)
    assert (found.key if found else None) == key


def test_a_gateway_without_its_region() -> None:
    found = gateway("gw1", None)
    assert found is not None
    assert found.key == "mcp_server:gw1"
    assert gateway(None, "eu-west-1") is None


def test_an_image_goes_by_the_name_of_its_repository() -> None:
    found = asset(f"arn:aws:ecr:{HERE}:repository/a/b/sha256:0f")
    assert found is not None
    assert found.name == "a/b@sha256:0f"
