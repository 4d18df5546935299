import pytest

from tests.streams.sources.described import lines
from tests.streams.sources.shown import rejected

SAID = {
    "databricks_inventory.json": """
2026-02-01 endpoint:databricks/writer (serving endpoint)
  owner: mara@claims.example
  serves model:databricks/claims.ml.writer
  serves model:gpt-4o-2024-08-06
  fails no_guardrail
""",
    "databricks_inventory.jsonl": """
2026-01-01 workload:databricks/0101-claims (databricks cluster)
  owner: mara@claims.example
  size: g5.4xlarge
  status: RUNNING
  version: 17.1.x-gpu-ml-scala2.13
  fails not_encrypted
2023-11-14 apikey:f00d (databricks token)
  principal:77 owns it
  fails never_expires
2026-01-06 application:databricks/desk (databricks app)
  owner: mara@claims.example
  size: MEDIUM
  status: RUNNING
  runs_as principal:7d58cdad-0000-4000-8000-000000000001
undated datastore:databricks/claims.ml.letters_index (vector index)
  owner: mara@claims.example
  fed_by dataset:databricks/claims.raw.letters
2026-01-02 model:databricks/claims.ml.writer (registered model)
  model_data: s3://claims-models/writer
  owner: claims-ml
undated principal:mara@claims.example (databricks user)
  same_as principal:77
2026-01-01 apikey:beef (databricks token)
  principal:mara@claims.example owns it
  passes never_expires
undated datastore:databricks/claims.ml.forms_index (vector index)
  owner: mara@claims.example
""",
}
NOTHING = ("wrong-shape", "it describes nothing that an AI estate is made of")


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert lines(name) == SAID[name].strip("\n").split("\n")


def test_what_is_no_record() -> None:
    assert rejected("databricks_inventory.bad.json") == [NOTHING, NOTHING]
