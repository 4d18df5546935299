import pytest

from tests.streams.sources.described import lines
from tests.streams.sources.shown import rejected

SAID = {
    "azure_inventory.json": """
2025-06-02 endpoint:azure/claims-ai/writer (cognitiveservices/accounts/deployments)
  status: Succeeded
  account:11112222-0000-4000-8000-000000000001 hosts it
  serves model:gpt-4o-2024-08-06
  guarded_by guardrail:azure/claims-ai/strict
  endpoint:azure/claims-ai hosts it
2026-01-02 endpoint:azure/claims-ai (cognitiveservices/accounts)
  exposure: internet
  owner: claims-ml
  region: westeurope
  status: Succeeded
  account:11112222-0000-4000-8000-000000000001 hosts it
  runs_as principal:aaaa1111-0000-4000-8000-000000000001
  fails public_network
  fails keys_for_login
  fails no_own_key
""",
    "azure_inventory.jsonl": """
2025-02-02 application:azure/lab (machinelearningservices/workspaces)
  region: westeurope
  account:11112222-0000-4000-8000-000000000001 hosts it
  runs_as principal:bbbb1111-0000-4000-8000-000000000001
  uses datastore:azure/claimslab
  passes public_network
undated endpoint:azure/lab/triage (machinelearningservices/workspaces/onlineendpoints)
  exposure: internet
  status: Succeeded
  account:11112222-0000-4000-8000-000000000001 hosts it
  application:azure/lab uses it
  fails public_network
  fails keys_for_login
undated endpoint:azure/lab/triage (machinelearningservices/workspaces/onlineendpoints/depl...
  account:11112222-0000-4000-8000-000000000001 hosts it
  serves model:/subscriptions/11112222-0000-4000-8000-000000000001/resourcegroups/claims/p...
  application:azure/lab uses it
2025-01-31 datastore:azure/claimslab (storage/storageaccounts)
  encrypted: True
  account:11112222-0000-4000-8000-000000000001 hosts it
  passes public_network
  fails keys_for_login
  passes no_own_key
  fails open_to_the_world
undated datastore:azure/claims-search (search/searchservices)
  account:11112222-0000-4000-8000-000000000001 hosts it
  passes public_network
  passes keys_for_login
undated workload:azure/desk (containerinstance/containergroups)
  exposure: internet
  account:11112222-0000-4000-8000-000000000001 hosts it
  runs_image image:claims.azurecr.io/desk:3
  fails public_network
2025-03-01 principal:dddd1111-0000-4000-8000-000000000001 (service principal)
  role: Application
  same_as principal:cccc1111-0000-4000-8000-000000000001
  passes never_expires
undated principal:mara@claims.example (user)
  same_as principal:eeee1111-0000-4000-8000-000000000001
undated account:11112222-0000-4000-8000-000000000001 (subscription)
  status: Enabled
""",
}
NOTHING = ("wrong-shape", "it describes nothing that an AI estate is made of")


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert lines(name) == SAID[name].strip("\n").split("\n")


def test_what_is_no_record() -> None:
    assert rejected("azure_inventory.bad.json") == [
        NOTHING,
        NOTHING,
        ("wrong-shape", "a thing is an object"),
    ]
