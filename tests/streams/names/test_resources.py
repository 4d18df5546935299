import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.names.resources import account, asset

AWS = "eu-west-1:111122223333"
DIGEST = "sha256:" + "0" * 64
VERTEX = "projects/p-1/locations/europe-west4"
AZURE = "/subscriptions/S-1/resourceGroups/g/providers"


@pytest.mark.parametrize(
    ("identity", "key"),
    [
        ("arn:aws:s3:::corpus/raw/a.json", "datastore:s3/corpus"),
        (
            "arn:aws:iam::111122223333:role/ml/Pipeline",
            "principal:arn:aws:iam::111122223333:role/Pipeline",
        ),
        ("arn:aws:iam::111122223333:root", None),
        (f"arn:aws:bedrock:{AWS}:agent/A1", "agent:A1"),
        (f"arn:aws:bedrock:{AWS}:guardrail/gr1", "guardrail:gr1"),
        (f"arn:aws:bedrock:{AWS}:knowledge-base/KB1", "datastore:KB1"),
        ("arn:aws:bedrock:eu-west-1::foundation-model/vendor.m-v1:0", "model:vendor.m-v1:0"),
        (f"arn:aws:bedrock:{AWS}:custom-model/m/abc", "model:custom-model/m/abc"),
        (f"arn:aws:bedrock:{AWS}:model-customization-job/j1", "job:bedrock/j1"),
        (f"arn:aws:sagemaker:{AWS}:endpoint/triage", "endpoint:triage"),
        (f"arn:aws:sagemaker:{AWS}:training-job/t1", "job:sagemaker/t1"),
        (f"arn:aws:ec2:{AWS}:instance/i-1", "host:i-1"),
        (f"arn:aws:ecr:{AWS}:repository/team/app/{DIGEST}", f"image:{DIGEST}"),
        (f"arn:aws:ecr:{AWS}:repository/team/app", None),
        (f"arn:aws:lambda:{AWS}:function:f", "workload:lambda/f"),
        ("arn:aws", None),
        (
            f"{AZURE}/Microsoft.CognitiveServices/accounts/Ai/deployments/Gpt",
            "endpoint:azure/ai/gpt",
        ),
        (
            f"https://portal.azure.com/#@corp.example/resource/{AZURE}/microsoft.compute/virtualmachines/Vm",
            "host:vm",
        ),
        (
            f"{AZURE}/Microsoft.Storage/storageAccounts/Lake/blobServices/default/containers/Raw",
            "datastore:azure/lake/raw",
        ),
        (f"{AZURE}/Microsoft.Compute/virtualMachines/Trainer", "host:trainer"),
        (
            f"{AZURE}/Microsoft.MachineLearningServices/workspaces/w/jobs/Train",
            "job:azureml/train",
        ),
        ("/subscriptions/s-1", None),
        ("//storage.googleapis.com/lake", "datastore:gcs/lake"),
        ("projects/_/buckets/lake", "datastore:gcs/lake"),
        (f"//aiplatform.googleapis.com/{VERTEX}/endpoints/7", f"endpoint:{VERTEX}/endpoints/7"),
        (f"{VERTEX}/models/7", f"model:{VERTEX}/models/7"),
        (f"{VERTEX}/publishers/google/models/gemini-2.5-pro", "model:gemini-2.5-pro"),
        (f"{VERTEX}/customJobs/9", "job:vertex/9"),
        ("projects/p-1/serviceAccounts/ci@p-1.example", "principal:ci@p-1.example"),
        ("projects/p-1", None),
        ("i-0ABC1234def567890", "host:i-0abc1234def567890"),
        ("<resource_uid>", None),
        (None, None),
    ],
)
def test_the_asset_of_a_resource(identity: str | None, key: str | None) -> None:
    found = asset(identity)
    assert (found.key if found else None) == key


@pytest.mark.parametrize(
    ("identity", "id_"),
    [
        ("arn:aws:iam::111122223333:root", "111122223333"),
        ("arn:aws:s3:::corpus", None),
        (f"{AZURE}/Microsoft.Web/sites/x", "s-1"),
        (f"//aiplatform.googleapis.com/{VERTEX}/endpoints/7", "p-1"),
        ("projects/_/buckets/lake", None),
        (None, None),
    ],
)
def test_the_account_of_a_resource(identity: str | None, id_: str | None) -> None:
    found = account(identity)
    assert (found.id if found else None) == id_


@given(st.text(alphabet="arn:/as3ecbdok-projtsubip_", max_size=80))
def test_no_text_is_a_crash(identity: str) -> None:
    for prefix in ("arn:", "/subscriptions/", "//", "projects/", ""):
        asset(prefix + identity)
        account(prefix + identity)
