"""How versions compare, by ecosystem; for Python's the reference implementation is the oracle."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from correlators.advisories.versions import Order, compared, known

PYTHON = st.from_regex(
    r"\A(v)?([0-9]!)?[0-9]{1,2}(\.[0-9]{1,2}){0,3}([-_.]?(alpha|a|beta|b|pre|c|rc)[-_.]?[0-9]?)?"
    r"(-[0-9]|[-_.]?(post|rev|r)[-_.]?[0-9]?)?([-_.]?dev[-_.]?[0-9]?)?(\+[a-z0-9]{1,3})?\Z"
)


def ascending(order: Order, *versions: str) -> None:
    for (n, one), (m, other) in itertools.product(enumerate(versions), repeat=2):
        assert compared(order, one, other) == (n > m) - (n < m), (one, other)


@given(PYTHON, PYTHON)
def test_python_versions_compare_as_packaging_has_it(one: str, other: str) -> None:
    left, right = Version(one), Version(other)
    if right.local is None:
        left = Version(left.public)
    assert compared("pep440", one, other) == (left > right) - (left < right)


@given(st.text(alphabet="0123456789.abrcpostdev+-_! v", max_size=14))
def test_what_is_no_python_version_is_none(text: str) -> None:
    try:
        Version(text)
    except InvalidVersion:
        assert not known("pep440", text)
    else:
        assert known("pep440", text)


def test_what_a_builder_added_is_no_other_version() -> None:
    assert compared("pep440", "0.5.0+cu124", "0.5.0") == 0
    assert compared("pep440", "0.5.0", "0.5.0+cu124") == -1


def test_semantic_versions() -> None:
    ascending(
        "semver",
        *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"),
        *("1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0.1"),
    )
    assert compared("semver", "v4", "4.0.0") == 0
    assert compared("semver", "1.0.0+linux", "1.0.0") == 0
    assert compared("semver", "1.0.0", "latest") is None


def test_maven_versions() -> None:
    """Most of these are examples of the POM reference."""
    ascending(
        "maven",
        *("1-alpha-1", "1-a2", "1-beta-1", "1-milestone-1", "1-rc-1", "1-snapshot", "1", "1-sp"),
        *("1-foo2", "1-foo10", "1-1", "1.1"),
    )
    for one, other in [
        *[("1-ga", "1"), ("1.0.0", "1"), ("1-0", "1.0"), ("1.0-final-0", "1")],
        *[("1-alpha-1", "1alpha1"), ("1-cr2", "1-rc2"), ("1.RELEASE", "1")],
    ]:
        assert compared("maven", one, other) == 0, (one, other)
    assert compared("maven", "1.foo", "1-foo") == -1
    assert compared("maven", "no", "1") is None


@pytest.mark.parametrize(
    ("one", "other", "sign"),
    [
        ("b3560", "b3561", -1),
        ("b10000", "b3561", 1),
        ("B3561", "b3561", 0),
        ("0.8.5", "v0.8.5", 0),
        ("1.16.0-rc1", "1.16.0", -1),
        ("20240101v2pro", "20250606v2pro", -1),
        ("v0.1.0-beta-foo", "v0.1.0", -1),
        # What cannot be told is not guessed.
        ("0.0.1", "b3561", None),
        ("b3561", "0.0.1", None),
        ("1.0", "latest", None),
        ("20250606v2pro", "20250606v2lite", None),
        ("20250606v2", "20250606v2pro", None),
        ("e208d56", "e208d57", None),
        ("1.0", "git 2c68a13", None),
        ("1.0", "1" * 129, None),
    ],
)
def test_products_that_name_no_ecosystem(one: str, other: str, sign: int | None) -> None:
    assert compared("open", one, other) == sign


@given(st.sampled_from(["pep440", "semver", "maven", "open"]), st.text(), st.text())
def test_an_order_is_an_order(order: Order, one: str, other: str) -> None:
    forward, back = compared(order, one, other), compared(order, other, one)
    if order != "pep440" and "+" not in one + other:  # a build says nothing of the bound's own
        assert (forward, back) in {(0, 0), (1, -1), (-1, 1), (None, None)}
    assert compared(order, one, one) in {0, None}


def test_go_calls_its_own_versions_go() -> None:
    ascending("semver", "go1.20", "go1.21.0-rc.2", "v1.21.8", "go1.22")
