import pytest

from tests.streams.sources.described import lines
from tests.streams.sources.shown import rejected

SAID = {
    "gcp_inventory.json": """
2026-03-01 endpoint:projects/claims-ml/locations/europe-west4/endpoints/77 (vertex endpoin...
  location: europe-west4
  owner: claims-ml
  account:claims-ml hosts it
  serves model:projects/claims-ml/locations/europe-west4/models/9
  runs_as principal:serving@claims-ml.iam.gserviceaccount.com
  passes no_own_key
  fails no_private_network
""",
    "gcp_inventory.jsonl": """
2026-01-31 model:projects/claims-ml/locations/europe-west4/models/9 (vertex model)
  location: europe-west4
  model_data: gs://claims-models/triage/9
  version: 2
  account:claims-ml hosts it
  reads dataset:gcs/claims-models/triage/9
  runs_image image:europe-west4-docker.pkg.dev/claims-ml/serve/triage:9
  made_by job:vertex/5
  fails no_own_key
2026-02-10 job:vertex/12 (vertex tuning job)
  location: europe-west4
  status: JOB_STATE_SUCCEEDED
  account:claims-ml hosts it
  reads dataset:gcs/claims-data/letters.jsonl
  makes model:projects/claims-ml/locations/europe-west4/models/10
  model:projects/claims-ml/locations/europe-west4/models/10 trained_on dataset:gcs/claims-...
  model:projects/claims-ml/locations/europe-west4/models/10 derived_from model:gemini-2.5-...
  endpoint:projects/claims-ml/locations/europe-west4/endpoints/78 serves model:projects/cl...
  fails no_own_key
2026-02-11 job:vertex/4 (vertex custom job)
  location: europe-west4
  status: JOB_STATE_RUNNING
  account:claims-ml hosts it
  runs_image image:europe-west4-docker.pkg.dev/claims-ml/train/t:1
  runs_as principal:train@claims-ml.iam.gserviceaccount.com
  fails no_own_key
  fails no_private_network
2026-02-12 agent:31 (agent of Google)
  location: europe-west4
  account:claims-ml hosts it
  runs_as principal:desk@claims-ml.iam.gserviceaccount.com
2025-12-01 workload:notebook/claims-ml/lab (vertex workbench)
  location: europe-west4
  status: ACTIVE
  account:claims-ml hosts it
  runs_as principal:lab@claims-ml.iam.gserviceaccount.com
  fails public_network
  fails no_own_key
undated principal:serving@claims-ml.iam.gserviceaccount.com (service account)
  account:claims-ml hosts it
2024-01-01 apikey:abc (service account key)
  account:claims-ml hosts it
  principal:serving@claims-ml.iam.gserviceaccount.com owns it
  fails never_expires
2025-01-01 datastore:gcs/claims-data (storage bucket)
  location: EU
  passes public_network
  fails no_own_key
undated datastore:gcs/claims-data (no type)
  principal:train@claims-ml.iam.gserviceaccount.com may_use it
  fails open_to_the_world
2026-02-13 workload:run/123456789/desk (cloud run service)
  account:123456789 hosts it
  runs_image image:europe-west4-docker.pkg.dev/claims-ml/desk/desk:3
  runs_as principal:desk@claims-ml.iam.gserviceaccount.com
  fails public_network
2025-10-01 workload:gke/ml (gke cluster)
  location: europe-west4
  status: RUNNING
  version: 1.33.1-gke.1
  account:claims-ml hosts it
  passes public_network
2026-01-01 host:gpu-1 (compute instance)
  exposure: internet
  size: a2-highgpu-1g
  status: RUNNING
  account:claims-ml hosts it
  runs_as principal:train@claims-ml.iam.gserviceaccount.com
  fails public_network
2025-01-02 dataset:projects/claims-ml/datasets/claims (bigquery dataset)
  location: EU
  account:claims-ml hosts it
  fails open_to_the_world
2024-01-01 account:claims-ml (project of Google)
  status: ACTIVE
  account:folders/14 hosts it
2026-01-30 image:sha256:9999 (docker image)
  version: 9
2025-01-02 repo:europe-west4-docker.pkg.dev/claims-ml/serve (artifact repository)
  location: europe-west4
  account:claims-ml hosts it
  passes images_not_scanned
2026-03-01 principal:mara@claims.example (google user)
  last_used: 2026-03-01T00:00:00.000000Z
  role: admin
  fails no_second_factor
""",
}
NOTHING = ("wrong-shape", "it describes nothing that an AI estate is made of")


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert lines(name) == SAID[name].strip("\n").split("\n")


def test_what_is_no_record() -> None:
    assert rejected("gcp_inventory.bad.json") == [
        NOTHING,
        NOTHING,
        ("wrong-shape", "a thing is an object"),
    ]
