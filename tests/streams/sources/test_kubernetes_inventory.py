import pytest

from tests.streams.sources.described import lines
from tests.streams.sources.shown import rejected

SAID = {
    "kubernetes_inventory.json": """
2025-12-01 host:node-1 (kubernetes node)
  size: g5.xlarge
  version: v1.33.1
  passes public_network
2025-12-01 principal:system:serviceaccount:claims:triage (no type)
  role: cluster-admin
  passes open_to_the_world
2026-01-01 workload:k8s/claims/triage (kubernetes deployment)
  owner: claims-ml
  runs_image image:ghcr.io/claims/triage:3
  runs_as principal:system:serviceaccount:claims:triage
  fails host_access
2026-01-01 principal:system:serviceaccount:claims:triage (service account)
2026-01-01 workload:k8s/claims/triage (no type)
  status: Running
  runs_image image:ghcr.io/claims/triage:3
  runs_image image:sha256:4444
  host:node-1 hosts it
  runs_as principal:system:serviceaccount:claims:triage
2026-01-02 endpoint:k8s/claims/writer (kubernetes inferenceservice)
  serves model:huggingface/claims/writer
""",
}
NOTHING = ("wrong-shape", "it describes nothing that an AI estate is made of")


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert lines(name) == SAID[name].strip("\n").split("\n")


def test_what_is_no_record() -> None:
    assert rejected("kubernetes_inventory.bad.json") == [
        NOTHING,
        NOTHING,
        ("wrong-shape", "a thing is an object"),
    ]
