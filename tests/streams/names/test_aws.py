import pytest

from streams.names import aws


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("vendor.writer-v1:0", "vendor.writer-v1:0"),
        ("arn:aws:bedrock:eu-west-1::foundation-model/vendor.writer-v1:0", "vendor.writer-v1:0"),
        ("eu.vendor.writer-v1:0", "vendor.writer-v1:0"),
        ("us-gov.vendor.writer-v1:0", "vendor.writer-v1:0"),
        ("arn:aws:bedrock:r:1:inference-profile/global.vendor.writer-v1:0", "vendor.writer-v1:0"),
        ("arn:aws:bedrock:r:1:custom-model/vendor.writer/x1", "custom-model/vendor.writer/x1"),
        ("arn:aws:bedrock:r:1:provisioned-model/p1", "provisioned-model/p1"),
        ("gpt-x", "gpt-x"),
        ("us.", "us."),
        ("arn:aws:bedrock:r:1:", "arn:aws:bedrock:r:1:"),
        ("", None),
        (None, None),
        (["a"], None),
    ],
)
def test_model(name: object, identity: str | None) -> None:
    found = aws.model(name)
    assert (found.id if found else None) == identity


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("arn:aws:bedrock:r:1:guardrail/gr1", "gr1"),
        ("gr1", "gr1"),
        ("arn:aws:ecs:r:1:cluster/a/b", "b"),
        ("a/", None),
        (None, None),
        ({}, None),
    ],
)
def test_tail(name: object, last: str | None) -> None:
    assert aws.tail(name) == last


@pytest.mark.parametrize(
    ("cluster", "definition", "identity"),
    [
        ("ml", "triage:14", "ecs/ml/triage"),
        (
            "arn:aws:ecs:r:1:cluster/ml",
            "arn:aws:ecs:r:1:task-definition/triage:14",
            "ecs/ml/triage",
        ),
        (None, "triage", "ecs/default/triage"),
        ("ml", None, None),
        ("ml", ":14", None),
    ],
)
def test_task(cluster: object, definition: object, identity: str | None) -> None:
    found = aws.task(cluster, definition)
    assert (found.id if found else None) == identity


@pytest.mark.parametrize(
    ("region", "arn"),
    [
        ("eu-west-1", "arn:aws:iam::111122223333:user/lena"),
        ("cn-north-1", "arn:aws-cn:iam::111122223333:user/lena"),
        ("us-gov-west-1", "arn:aws-us-gov:iam::111122223333:user/lena"),
        (None, "arn:aws:iam::111122223333:user/lena"),
    ],
)
def test_user(region: object, arn: str) -> None:
    found = aws.user(region, "111122223333", "lena")
    assert found is not None
    assert found.key == f"principal:{arn}"


def test_nobody() -> None:
    assert aws.user("eu-west-1", None, "lena") is None
    assert aws.user("eu-west-1", "111122223333", "") is None
