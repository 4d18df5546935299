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
