"""Ids of Azure resources."""

import pytest

from streams import azure


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
