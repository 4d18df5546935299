from typing import Any

import orjson
import pytest

from schemas.entity import Entity
from schemas.event import EventEvidence
from streams.lineage import vertex
from streams.source import Raw
from streams.sources import gcp_audit
from tests.streams.sources.parsed import said

PLACE = "projects/example-ml/locations/europe-west4"
POOL = {"containerSpec": {"imageUri": "images.example/train:1", "args": ["--key=obviously-fake"]}}
SPEC = {
    "workerPoolSpecs": [POOL],
    "serviceAccount": "trainer@example-ml.iam.gserviceaccount.com",
    "baseOutputDirectory": {"outputUriPrefix": "gs://out-example/x/"},
}
RUNS = [
    "job:vertex/77 runs_image image:images.example/train:1",
    "job:vertex/77 runs_as principal:trainer@example-ml.iam.gserviceaccount.com",
    "job:vertex/77 writes datastore:gcs/out-example",
]


def lineage(
    method: str, asked: dict[str, Any], answered: dict[str, Any], target: Entity | None = None
) -> list[str]:
    found = list(vertex.lineage(method, target, asked, answered))
    assert all(one.declared for one in found)
    return [said(one) for one in found]


@pytest.mark.parametrize(
    ("method", "asked", "collection"),
    [
        ("CreateCustomJob", {"customJob": {"jobSpec": SPEC}}, "customJobs"),
        (
            "CreateHyperparameterTuningJob",
            {"hyperparameterTuningJob": {"trialJobSpec": SPEC}},
            "hyperparameterTuningJobs",
        ),
    ],
)
def test_what_a_job_runs(method: str, asked: dict[str, Any], collection: str) -> None:
    assert lineage(method, asked, {"name": f"{PLACE}/{collection}/77"}) == RUNS


def test_a_batch_calls_its_model() -> None:
    batch = {
        "model": f"{PLACE}/models/42",
        "inputConfig": {"gcsSource": {"uris": ["gs://in-example/a.jsonl"]}},
        "outputConfig": {"gcsDestination": {"outputUriPrefix": "gs://out-example/"}},
    }
    answer = {"name": f"{PLACE}/batchPredictionJobs/7"}
    assert lineage("CreateBatchPredictionJob", {"batchPredictionJob": batch}, answer) == [
        "job:vertex/7 reads dataset:gcs/in-example/a.jsonl",
        f"job:vertex/7 calls model:{PLACE}/models/42",
        "job:vertex/7 writes datastore:gcs/out-example",
    ]


def test_a_tuned_model_comes_from_its_base() -> None:
    tuning = {
        "baseModel": "gemini-2.5-flash",
        "supervisedTuningSpec": {"trainingDatasetUri": "gs://tune-example/t.jsonl"},
    }
    answer = {"name": f"{PLACE}/tuningJobs/9", "tunedModel": {"model": f"{PLACE}/models/5@1"}}
    found = lineage("CreateTuningJob", {"tuningJob": tuning}, answer)
    assert f"model:{PLACE}/models/5 derived_from model:gemini-2.5-flash" in found


def test_an_uploaded_model_and_its_files() -> None:
    made = {
        "artifactUri": "gs://models-example/m/1/",
        "containerSpec": {"imageUri": "images.example/serve:1"},
    }
    assert lineage("UploadModel", {"model": made}, {"model": f"{PLACE}/models/55"}) == [
        f"model:{PLACE}/models/55 reads dataset:gcs/models-example/m/1",
        f"model:{PLACE}/models/55 runs_image image:images.example/serve:1",
    ]


def test_as_whom_a_model_is_served() -> None:
    deployed = {"model": f"{PLACE}/models/42@1", "serviceAccount": "serve@x.example"}
    asked = {"endpoint": f"{PLACE}/endpoints/77", "deployedModel": deployed}
    assert lineage("DeployModel", asked, {}) == [
        f"endpoint:{PLACE}/endpoints/77 serves model:{PLACE}/models/42",
        f"endpoint:{PLACE}/endpoints/77 runs_as principal:serve@x.example",
    ]


@pytest.mark.parametrize(
    ("thing", "first"),
    [("reasoningEngines/222", "agent:222"), ("endpoints/8", "principal:lena@example.com")],
)
def test_what_has_a_name_in_its_operation_only(thing: str, first: str) -> None:
    record = {
        "timestamp": "2026-03-04T05:06:07Z",
        "operation": {"id": f"projects/853/locations/l/{thing}/operations/24"},
        "protoPayload": {
            "serviceName": "aiplatform.googleapis.com",
            "methodName": "google.cloud.aiplatform.v1.Service.CreateThing",
            "resourceName": PLACE,
            "authenticationInfo": {"principalEmail": "lena@example.com"},
        },
    }
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    found = gcp_audit.event(Raw(orjson.dumps(record)), record, evidence).event
    assert found.entities[0].key == first
