"""A feed: what files of advisories say of a component, and what of them cannot be used."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.advisories.component import Component, component
from correlators.advisories.cvss import score
from correlators.advisories.feed import Feed, feed
from correlators.document import Document

RULES = """\
info:
  name: Tide_Server
  cve: CVE-2026-0001
  summary: A request can stop it
  severity: HIGH
  cvss: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H
rule: version >= "1.0" && version < "1.4.2"
---
info: {name: tide-server, summary: no id}
rule: version < "1.2"
"""


def record(id_: str = "GHSA-0000-0000-0001", **package: object) -> dict[str, Any]:
    named = {"package": {"ecosystem": "PyPI", "name": "Tide.Server"}}
    return {"id": id_, "summary": "s", "affected": [named | package]}


def ranged(*events: dict[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    return {"ranges": [{"type": kind, "events": list(events)}]}


def osv(*records: dict[str, Any]) -> Feed:
    return feed([Document("a.json", json.dumps(list(records)))])


def ids(found: Feed, name: str, version: str, purl: str | None = None) -> list[str]:
    of = component(name, version, purl)
    return [] if of is None else [match.advisory.common for match in found.matches(of)]


def test_rules_of_a_yaml_feed() -> None:
    found = feed([Document("feed/tide/TIDE-7.yaml", RULES)])
    assert found.problems == ()
    assert ids(found, "tide server", "1.1") == ["CVE-2026-0001", "TIDE-7"]
    assert ids(found, "TIDE.Server", "1.4.1") == ["CVE-2026-0001"]
    assert ids(found, "tide-server", "1.4.2") == []
    of = component("tide-server", "1.1")
    assert of is not None
    first, second = found.matches(of)
    assert (first.fixed, second.fixed) == ("1.4.2", "1.2")
    assert (first.advisory.severity, first.advisory.score) == ("high", 7.5)
    assert (second.advisory.severity, second.advisory.score) == ("informational", None)


def test_ranges_of_osv() -> None:
    turns = ({"introduced": "2.0"}, {"fixed": "1.4"}, {"introduced": "0"}, {"last_affected": "2.3"})
    found = osv(record(**ranged(*turns)))
    held = {one: bool(ids(found, "x", one, f"pkg:pypi/tide-server@{one}")) for one in VERSIONS}
    assert [one for one, holds in held.items() if holds] == ["0.1", "1.3.9", "2.0", "2.3"]


TIDE = Component("x", "1", (("PyPI", "tide-server"),), "PyPI")
VERSIONS = ("0.1", "1.3.9", "1.4", "1.9", "2.0", "2.3", "2.3.1", "odd")


def test_versions_by_name_beside_ranges() -> None:
    found = osv(record(versions=["3.0", "3.1"], **ranged({"introduced": "9"})))
    for version, holds in (("3.0.0", True), ("3.1", True), ("3.2", False), ("9.1", True)):
        assert bool(ids(found, "x", version, "pkg:pypi/tide_server")) is holds


def test_what_a_component_is_called() -> None:
    scoped = {"package": {"ecosystem": "npm", "name": "@Tide/Server"}}
    java = {"package": {"purl": "pkg:maven/org.tide/server"}}
    turns = ranged({"introduced": "0"}, {"fixed": "2"})
    found = osv(
        record("CVE-1", **turns),
        record("CVE-2", **scoped, **turns),
        record("CVE-3", **java, **turns),
    )
    assert ids(found, "server", "1", "pkg:npm/%40tide/server@1") == ["CVE-2"]
    assert ids(found, "server", "1", "pkg:npm/@tide/server@1?arch=x#y") == ["CVE-2"]
    assert ids(found, "server", "1", "pkg:maven/org.tide/server@1") == ["CVE-3"]
    assert ids(found, "tide-server", "1", "pkg:pypi/Tide_Server@1") == ["CVE-1"]
    # A name alone is no package of an ecosystem, and a distribution's version no upstream one.
    assert ids(found, "tide-server", "1") == []
    products = feed([Document("t.yml", RULES)])
    assert ids(products, "tide-server", "1.0-3", "pkg:deb/debian/tide-server@1.0-3") == []
    assert ids(products, "ui", "1.3", "pkg:docker/acme/tide-server@1.3") == ["CVE-2026-0001"]


def debian(id_: str, release: str, *turns: dict[str, str], **more: object) -> dict[str, Any]:
    package = {"ecosystem": release, "name": "tide"}
    return record(id_, package=package, **(ranged(*turns) if turns else {}), **more)


def test_releases_of_debian_are_apart() -> None:
    """Each is mended in its own version, and the package goes by its source."""
    found = osv(
        debian("DSA-1", "Debian:12", {"introduced": "0"}, {"fixed": "1.2-3~deb12u1"}),
        debian("DSA-2", "Debian:11", {"introduced": "0"}, {"fixed": "1.2-3~deb11u4"}),
        debian("DSA-3", "Debian", {"introduced": "1.2"}, {"fixed": "1:1.0-1"}),
        debian("DSA-4", "Debian:12", versions=["1.2-3~deb12u0"]),
    )
    assert found.problems == ()
    assert found.ecosystems() == {"Debian": 1, "Debian:11": 1, "Debian:12": 2}
    held = {
        (version, distro): ids(
            found, "libtide2", version, f"pkg:deb/debian/libtide2@{version}?upstream=tide{distro}"
        )
        for version in ("1.2-3~deb11u4", "1.2-3~deb12u0", "1.2-3~deb12u1", "1:1.0-1")
        for distro in ("", "&distro=debian-11", "&distro=debian-12.9")
    }
    assert held == {
        ("1.2-3~deb11u4", ""): ["DSA-3"],
        ("1.2-3~deb11u4", "&distro=debian-11"): ["DSA-3"],
        ("1.2-3~deb11u4", "&distro=debian-12.9"): ["DSA-1", "DSA-3"],
        ("1.2-3~deb12u0", ""): ["DSA-3"],
        ("1.2-3~deb12u0", "&distro=debian-11"): ["DSA-3"],
        ("1.2-3~deb12u0", "&distro=debian-12.9"): ["DSA-1", "DSA-3", "DSA-4"],
        ("1.2-3~deb12u1", ""): ["DSA-3"],
        ("1.2-3~deb12u1", "&distro=debian-11"): ["DSA-3"],
        ("1.2-3~deb12u1", "&distro=debian-12.9"): ["DSA-3"],
        ("1:1.0-1", ""): [],
        ("1:1.0-1", "&distro=debian-11"): [],
        ("1:1.0-1", "&distro=debian-12.9"): [],
    }
    of = component("tide", "1.2-3~deb12u0", "pkg:deb/debian/tide@1?distro=bookworm")
    assert of is not None
    assert [one.fixed for one in found.matches(of)] == ["1.2-3~deb12u1", "1:1.0-1", None]
    # What is of another distribution, or of none, is not looked for here.
    assert ids(found, "tide", "1.2-1", "pkg:deb/ubuntu/tide@1.2-1") == []
    assert ids(found, "tide", "1.2-1") == []


@pytest.mark.parametrize(
    ("upstream", "common"),
    [
        (["CVE-2026-0001"], "CVE-2026-0001"),
        (["CVE-2026-0001", "CVE-2026-0002"], "DEBIAN-1"),
        ([7], "DEBIAN-1"),
        ("CVE-2026-0001", "DEBIAN-1"),
        (None, "DEBIAN-1"),
    ],
)
def test_what_a_distribution_made_of_one_weakness_is_that_weakness(
    upstream: object, common: str
) -> None:
    found = osv(debian("DEBIAN-1", "Debian", {"introduced": "0"}) | {"upstream": upstream})
    assert ids(found, "tide", "1-1", "pkg:deb/debian/tide@1-1") == [common]


def test_a_range_of_debian_that_cannot_be_judged() -> None:
    found = osv(debian("DSA-1", "Debian:12", {"introduced": "0"}, {"fixed": "odd_1"}))
    assert [one.message for one in found.problems] == [
        "DSA-1: `fixed: odd_1` is no version that can be compared (dpkg)"
    ]


def test_a_record_that_was_withdrawn_is_none() -> None:
    found = osv(record(**ranged({"introduced": "0"})) | {"withdrawn": "2026-01-01T00:00:00Z"})
    assert (found.count, found.problems) == (0, ())


def test_its_most_common_id_and_severity() -> None:
    told = record(**ranged({"introduced": "0"})) | {
        "aliases": ["PYSEC-1", "CVE-2026-0009"],
        "severity": [
            {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"},
            {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"},
        ],
        "database_specific": {"severity": "MODERATE"},
    }
    (match,) = osv(told).matches(TIDE)
    one = match.advisory
    assert (one.common, one.severity, one.score) == ("CVE-2026-0009", "medium", 10.0)
    assert match.fixed is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"a": 1}, "no OSV record: it has no `id`"),
        ({"id": "X-1"}, "X-1: `affected` names no package"),
        (record("X-1"), "X-1: PyPI tide-server: no versions that can be judged"),
        (record("X-1", package={}), "X-1: a package has neither ecosystem and name nor a purl"),
        (record("X-1", **ranged({"fixed": "1"})), "X-1: a range has no `introduced`"),
        (record("X-1", **ranged({"introduced": "?"})), "X-1: `introduced: ?` is no version"),
        (record("X-1", **ranged(kind="HG")), "X-1: a range is of type ECOSYSTEM, SEMVER or GIT"),
    ],
)
def test_a_record_that_cannot_be_used(said: dict[str, Any], why: str) -> None:
    found = osv(said)
    assert (found.count, len(found.problems)) == (0, 1)
    assert found.problems[0].message.startswith(why)


def test_problems_have_their_line() -> None:
    good = json.dumps(record(**ranged({"introduced": "0"})))
    found = feed(
        [
            Document("a.ndjson", f"{good}\n\nnothing\n{good}\n[]\n"),
            Document("b.yml", 'info: {name: x}\nrule: version = "1"\n---\nrule: version < "1"\n'),
            Document("c.json", "{"),
        ]
    )
    assert found.count == 2
    assert [str(one).partition(": ")[0] for one in found.problems] == [
        *("a.ndjson:3", "a.ndjson:5", "b.yml:2", "b.yml:4", "c.json:1")
    ]


def test_what_is_hardly_meant_is_told() -> None:
    (note,) = feed([Document("x.yml", 'info: {name: x, cve: C-1}\nrule: version >= "0"')]).notes
    assert str(note) == "x.yml: C-1 holds for every version"


def test_the_version_of_a_feed_is_its_texts() -> None:
    one, two = Document("a.yml", RULES), Document("b.json", "[]")
    assert feed([one, two]).sha256 == feed([two, one._replace(path="c.yml")]).sha256
    assert feed([one]).sha256 != feed([two]).sha256


@pytest.mark.parametrize(
    ("vector", "expected"),
    [  # from the examples of FIRST
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),
        ("CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:C/C:H/I:H/A:H", 6.8),
        ("CVSS:2.0/AV:N", None),
        ("CVSS:3.1/AV:N", None),
    ],
)
def test_base_scores(vector: str, expected: float | None) -> None:
    assert score(vector) == expected


KEYS = [
    *("id", "affected", "package", "ecosystem", "name", "ranges", "type", "events", "introduced"),
    *("fixed", "versions", "severity", "score", "aliases", "vulns"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["0", "1.0", "PyPI", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "affected",
                    "package",
                    "ecosystem",
                    "name",
                    "ranges",
                    "type",
                    "events",
                    "introduced",
                    "fixed",
                    "versions",
                    "severity",
                    "score",
                    "aliases",
                    "vulns",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_a_feed_or_a_problem(value: object) -> None:
    found = feed([Document("a.json", json.dumps(value))])
    of = component("x", "1.0", "pkg:pypi/x@1.0")
    assert of is not None
    assert len(found.matches(of)) <= found.count
