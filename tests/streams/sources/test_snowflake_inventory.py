import pytest

from tests.streams.sources.described import lines
from tests.streams.sources.shown import rejected

SAID = {
    "snowflake_inventory.json": """
2026-01-01 datastore:snowflake/letters (cortex search service)
  fed_by dataset:snowflake/claims.raw.letters
  calls model:snowflake-arctic-embed-m-v1.5
""",
    "snowflake_inventory.jsonl": """
2026-01-02 application:snowflake/forecast (snowflake notebook)
  owner: ML
  runs_on workload:snowflake/gpu
  fails direct_internet
2026-01-01 workload:snowflake/gpu (snowflake compute pool)
  owner: ML
  size: GPU_NV_S
  status: ACTIVE
2026-02-01 apikey:snowflake/7 (snowflake key)
  last_used: 2026-02-01T00:00:00.500000Z
  status: ACTIVE
  principal:robot owns it
  fails never_expires
2025-01-01 datastore:snowflake/claims (snowflake database)
  owner: SYSADMIN
2024-01-01 account:snowflake/claims-eu (snowflake account)
  region: AWS_EU_WEST_1
2026-01-03 model:snowflake/claims.ml.risk (snowflake model)
  owner: ML
  version: V2
""",
}
NOTHING = ("wrong-shape", "it describes nothing that an AI estate is made of")


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert lines(name) == SAID[name].strip("\n").split("\n")


def test_what_is_no_record() -> None:
    assert rejected("snowflake_inventory.bad.json") == [NOTHING, NOTHING]
