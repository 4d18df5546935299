import pytest

from correlators.advisories.component import base, component
from correlators.advisories.versions import ORDERS


@pytest.mark.parametrize(
    ("ecosystem", "known", "order"),
    [
        ("Debian:12", "Debian", "dpkg"),
        ("Ubuntu:24.04:LTS", "Ubuntu", None),
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
    assert component("bash", "5.2", "pkg:deb/ubuntu/bash@5.2") is None
    assert component("bash", "5.2", "pkg:deb/bash@5.2") is None
    assert component("bash", "5.2", "pkg:apk/alpine/bash@5.2") is None


@pytest.mark.parametrize(
    ("version", "more", "places", "known"),
    [
        ("5.2-1", "", [("Debian", "bash")], "5.2-1"),
        ("5.2-1", "?distro=debian-12", [("Debian:12", "bash"), ("Debian", "bash")], "5.2-1"),
        ("5.2-1", "?distro=debian-12.4", [("Debian:12", "bash"), ("Debian", "bash")], "5.2-1"),
        ("5.2-1", "?distro=bookworm", [("Debian:12", "bash"), ("Debian", "bash")], "5.2-1"),
        ("5.2-1", "?distro=ubuntu-24.04", [("Debian", "bash")], "5.2-1"),
        ("5.2-1", "?upstream=shells&arch=all", [("Debian", "shells")], "5.2-1"),
        ("5.2-1+b1", "?upstream=shells%405.2-1", [("Debian", "shells")], "5.2-1"),
        ("5.2-1+b1", "?upstream=shells@1:5.2+x-1", [("Debian", "shells")], "1:5.2+x-1"),
        ("5.2-1", "?epoch=2", [("Debian", "bash")], "2:5.2-1"),
        ("1:5.2-1", "?epoch=2", [("Debian", "bash")], "1:5.2-1"),
        ("", "", [("Debian", "bash")], "5.2-1+b1"),
    ],
)
def test_a_package_of_debian_goes_by_its_source(
    version: str, more: str, places: list[tuple[str, str]], known: str
) -> None:
    found = component("bash", version, f"pkg:deb/debian/bash@5.2-1%2Bb1{more}")
    assert found is not None
    assert (list(found.places), found.version, found.ecosystem) == (places, known, "Debian")


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
