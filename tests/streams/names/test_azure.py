"""Ids of Azure resources."""

import pytest

from schemas.times import rfc3339
from streams.names import azure
from streams.source import Unreadable


@pytest.mark.parametrize(
    ("identity", "provider"),
    [
        ("/subscriptions/s/providers/Microsoft.Search/services/a", "microsoft.search"),
        ("/providers/Microsoft.A/x/y/providers/Microsoft.B/z", "microsoft.b"),
        ("/subscriptions/s", None),
        ("/subscriptions/s/providers", None),
        ("/providers/Microsoft.A/providers", "microsoft.a"),
        (None, None),
    ],
)
def test_the_innermost_provider(identity: object, provider: str | None) -> None:
    assert azure.provider(identity) == provider


RESOURCES = "/subscriptions/00000000-0000-4000-8000-00000000000d/resourceGroups/rg/providers"
CLAIMS = f"{RESOURCES}/microsoft.cognitiveservices/accounts/claims"


@pytest.mark.parametrize(
    ("resource", "asset"),
    [
        (CLAIMS.upper(), "endpoint:azure/claims"),
        (f"{CLAIMS}/deployments/GPT-Example", "endpoint:azure/claims/gpt-example"),
        (
            f"{RESOURCES}/Microsoft.Storage/storageAccounts/Training/blobServices/default/containers/Raw",
            "datastore:azure/training/raw",
        ),
        (
            f"{RESOURCES}/Microsoft.Compute/virtualMachines/GPU-1",
            "host:gpu-1",
        ),
        ("/subscriptions/s", None),
        ("", None),
    ],
)
def test_the_asset_of_a_resource(resource: str, asset: str | None) -> None:
    found = azure.asset(resource)
    assert (found.key if found else None) == asset
    assert (azure.subscription(resource) is None) is (resource == "")


def test_a_deployment_of_an_account() -> None:
    account = azure.asset(CLAIMS)
    inside = azure.deployed(account, "GPT")
    assert inside is not None
    assert inside.key == "endpoint:azure/claims/gpt"
    assert azure.deployed(inside, "other") == inside
    assert azure.deployed(account, None) == account
    assert azure.deployed(None, "x") is None


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("203.0.113.7:57485", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("81.2.69.***", "81.2.69.***"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("a name", "a name"),
        (None, None),
    ],
)
def test_an_address_has_no_port(said: str | None, address: str | None) -> None:
    assert azure.address(said) == address


@pytest.mark.parametrize(
    ("name", "version", "model"),
    [
        ("gpt-35-turbo", "0613", "gpt-3.5-turbo-0613"),
        ("gpt-3.5-turbo", "0613", "gpt-3.5-turbo-0613"),
        ("GPT-4o", None, "gpt-4o"),
    ],
)
def test_a_model_has_one_name(name: str, version: str | None, model: str) -> None:
    found = azure.model(name, version)
    assert found is not None
    assert found.id == model


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("2026-07-23T15:04:05.1234567Z", "2026-07-23T15:04:05.123456Z"),
        ("7/23/2026 3:04:05 PM", "2026-07-23T15:04:05.000000Z"),
        ("07/23/2026 12:04:05.5 AM +02:00", "2026-07-22T22:04:05.500000Z"),
        ("7/23/2026 15:04:05", "2026-07-23T15:04:05.000000Z"),
    ],
)
def test_a_time_may_have_its_month_first(said: str, time: str) -> None:
    assert rfc3339(azure.moment(said)) == time


@pytest.mark.parametrize("said", ["23/7/2026 3:04:05 PM", "7/23/2026", "a day", 7, ""])
def test_what_is_no_time(said: object) -> None:
    with pytest.raises(Unreadable):
        azure.moment(said)


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("Claims.openai.azure.com", "azure/claims"),
        ("claims.services.ai.azure.com", "azure/claims"),
        ("api.openai.com", None),
        ("a.claims.openai.azure.com", None),
        (None, None),
    ],
)
def test_the_account_that_listens_at_a_host(host: str | None, endpoint: str | None) -> None:
    found = azure.served(host)
    assert (found and found.id) == endpoint
