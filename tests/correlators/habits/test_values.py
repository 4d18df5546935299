"""What a habit knows of a field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.habits.values import LONGEST, known, network, product
from schemas.canonical import digest


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("[2001:db8:1:2::5]", "2001:db8:1::/48"),
        ("::1", "::/48"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("bedrock.amazonaws.com", "bedrock.amazonaws.com"),
        ("10.0.*.*", "10.0.*.*"),
        ("", ""),
    ],
)
def test_a_network(address: str, expected: str) -> None:
    assert network(address) == expected


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("Boto3/1.34.2 md/Botocore#1.34", "boto3"),
        ("[aws-cli/2.1 Python/3.11]", "aws-cli"),
        ("bedrock.amazonaws.com", "bedrock.amazonaws.com"),
        ("Mozilla/5.0 (X11; Linux) AppleWebKit/537 (KHTML) Chrome/120 Safari/537", "chrome"),
        ("Mozilla/5.0 (X11) AppleWebKit/537 Chrome/120 Safari/537 Edg/120", "edg"),
        ("Mozilla/5.0 (compatible)", "mozilla"),
        ("/ ;", None),
    ],
)
def test_a_product(agent: str, expected: str | None) -> None:
    assert product(agent) == expected


@given(st.text())
def test_whatever_is_in_a_record(text: str) -> None:
    network(text)
    product(text)
    (value,) = known({"f": text}, ("f",)) or ("",)
    assert len(value) <= LONGEST


def test_values_compare_as_groups_do() -> None:
    fields = {"a": "Ann", "b": 1.0, "c": [1], "d": None, "e": "x" * 300, "ip": "203.0.113.7"}
    assert known(fields, ("a", "b", "ip|network")) == ["ann", "1", "203.0.113.0/24"]
    assert known(fields, ("e",)) == [digest("x" * 300)]
    assert known(fields, ("a", "c")) is None
    assert known(fields, ("d",)) is None
    assert known(fields, ("gone|product",)) is None
