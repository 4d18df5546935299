import pytest

from correlators.advisories.component import base, component
from correlators.advisories.versions import ORDERS


@pytest.mark.parametrize(
    ("ecosystem", "known", "order"),
    [
        ("Debian:12", "Debian", None),
        ("PyPI", "PyPI", "pep440"),
        ("crates" + ".io", "crates", "semver"),
    ],
)
def test_an_ecosystem_as_osv_names_it(ecosystem: str, known: str, order: str | None) -> None:
    assert (base(ecosystem), ORDERS.get(base(ecosystem))) == (known, order)


def test_a_purl_says_the_ecosystem() -> None:
    found = component("serde", "1.0.2", "pkg:cargo/serde@1.0.2")
    assert found is not None
    assert found.places == (("crates", "serde"), ("", "serde"))
    assert component("bash", "5.2", "pkg:deb/debian/bash@5.2") is None


@pytest.mark.parametrize(
    ("version", "purl", "place", "known"),
    [
        ("v2.0.1", "pkg:golang/github.example/a/b@v2.0.1#v2", "github.example/a/b/v2", "v2.0.1"),
        ("", "pkg:golang/github.example/a/b@v1.2.3?type=module", "github.example/a/b", "v1.2.3"),
        (" ", "pkg:pypi/torch@2.1.0%2Bcu121", "torch", "2.1.0+cu121"),
        ("1", "pkg:npm/%40scope/a@2#lib", "@scope/a", "1"),
    ],
)
def test_what_a_purl_says_besides(version: str, purl: str, place: str, known: str) -> None:
    """A Go module of another major version lies in a folder, and a version may stand there only."""
    found = component("x", version, purl)
    assert found is not None
    assert (found.places[0][1], found.version) == (place, known)


def test_a_purl_without_a_version() -> None:
    assert component("ray", "", "pkg:pypi/ray") is None
