from typing import Any

import orjson
import pytest

from streams.source import Unreadable
from streams.sources import spdx
from tests.streams.sources.parsed import edges, keys
from tests.streams.sources.reports import told
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "spdx.ai.json": [
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
                "model:huggingface/example/writer",
            ],
            "edges": [
                (
                    "model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd "
                    "same_as model:huggingface/example/writer"
                )
            ],
            "component.type": "aipackage",
            "package.name": "writer",
            "package.version": "2",
            "asset.data": ["personal"],
            "model.type": ["transformer"],
            "model.domain": ["letters"],
            "model.risk": "high",
            "model.autonomy": "no",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "model:base-model@1",
                "model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
            ],
            "component.type": "aipackage",
            "package.name": "base-model",
            "package.version": "1",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "dataset:s3/letters/2026",
                "model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
            ],
            "component.type": "datasetpackage",
            "package.name": "letters",
            "dataset.type": ["text"],
            "dataset.confidentiality": "amber",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": ["model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"],
            "component.type": "package",
            "package.name": "ray",
            "package.version": "2.6.3",
            "package.purl": "pkg:pypi/ray@2.6.3",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
                "dataset:s3/letters/2026",
            ],
            "edges": [
                (
                    "model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd "
                    "trained_on dataset:s3/letters/2026"
                )
            ],
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
                "model:base-model@1",
            ],
            "edges": [
                (
                    "model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd "
                    "derived_from model:base-model@1"
                )
            ],
        },
        {
            "is": "Vulnerability Finding: Close",
            "time": "2026-03-04T05:06:07.000000Z",
            "of": ["model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"],
            "finding": "resolved | CVE-2026-0001 | None | CVE-2026-0001 in writer: not affected",
            "vulnerability.vex": "not_affected",
            "package.version": "2",
            "package.name": "writer",
            "scan.tool": "spdx",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "informational",
        },
        {
            "is": "Vulnerability Finding: Close",
            "time": "2026-03-04T05:06:07.000000Z",
            "of": ["model:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"],
            "finding": "resolved | CVE-2026-0001 | None | CVE-2026-0001 in ray: not affected",
            "vulnerability.vex": "not_affected",
            "package.version": "2.6.3",
            "package.name": "ray",
            "scan.tool": "spdx",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "informational",
        },
    ],
    "spdx.json": [
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": ["image:images.example/triage:7"],
            "component.type": "container",
            "package.name": "images.example/triage",
            "package.version": "7",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": ["image:images.example/triage:7"],
            "component.type": "package",
            "package.name": "ray",
            "package.version": "2.6.3",
            "package.purl": "pkg:pypi/ray@2.6.3",
        },
        {
            "is": "Vulnerability Finding: Create",
            "time": "2026-03-04T05:06:07.000000Z",
            "of": ["image:images.example/triage:7"],
            "finding": "open | CVE-2026-0001 | SPDXRef-ray | CVE-2026-0001 in ray",
            "package.version": "2.6.3",
            "package.purl": "pkg:pypi/ray@2.6.3",
            "package.name": "ray",
            "scan.tool": "spdx",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "informational",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "model:sha256:abababababababababababababababababababababababababababababababab",
                "model:huggingface/example/writer",
                "image:images.example/triage:7",
            ],
            "edges": [
                (
                    "model:sha256:abababababababababababababababababababababababababababababababab "
                    "same_as model:huggingface/example/writer"
                ),
                (
                    "image:images.example/triage:7 uses "
                    "model:sha256:abababababababababababababababababababababababababababababababab"
                ),
            ],
            "component.type": "package",
            "package.name": "writer",
            "package.version": "1",
            "package.purl": "pkg:huggingface/Example/Writer@0a",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": [
                "image:images.example/triage:7",
                "model:sha256:abababababababababababababababababababababababababababababababab",
            ],
            "edges": [
                (
                    "image:images.example/triage:7 uses "
                    "model:sha256:abababababababababababababababababababababababababababababababab"
                )
            ],
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [
        ("wrong-shape", "a package has a name"),
        ("wrong-shape", "a package is an object inside a document"),
    ]
    assert rejected("spdx.bad.json") == said


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b'{"spdxVersion": "SPDX-2.3", "SPDXID": "x"}', True),
        (b'{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}', True),
        (b'{"@context": "https://openvex.dev/ns/v0.2.0", "@graph": []}', False),
        (b'{"spdxVersion": "x"}', False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert spdx.sniff(head) is known


def test_a_later_version_is_not_guessed_at() -> None:
    with pytest.raises(Unreadable):
        list(spdx.split(b'{"spdxVersion": "SPDX-4.0"}'))


def test_an_export_of_github_has_the_document_inside() -> None:
    inside = b'{"spdxVersion":"SPDX-2.3","name":"a","packages":[{"SPDXID":"x","name":"ray"}]}'
    assert spdx.sniff(b'{"sbom":%b}' % inside)
    assert [raw.data for raw in spdx.split(b'{"sbom":%b}' % inside)] == [
        raw.data for raw in spdx.split(inside)
    ]


def test_a_document_that_begins_with_its_files() -> None:
    """So Microsoft's tool writes them; the version is behind them all."""
    head = b'{"files": [{"fileName": "./a", "SPDXID": "SPDXRef-File-1"'
    assert spdx.sniff(head)
    assert not spdx.sniff(b'{"files": [{"fileName": "./a"')


TRIAGE = "repo:github.com/example/triage"


def test_the_export_of_a_dependency_graph_is_about_its_repository() -> None:
    """So that what Dependabot and scanners say of the repository is of the same thing."""
    package, itself, model = read("spdx.github.json")
    assert [keys(one) for one in (package, itself)] == [[TRIAGE], [TRIAGE]]
    assert package.attributes["package.purl"] == "pkg:pypi/ray@2.6.3"
    assert (itself.message, itself.attributes) == (
        "repository github.com/example/triage",
        {"component.type": "repository"},
    )
    assert edges(model) == [f"{TRIAGE} uses model:huggingface/example/writer"]


ROOT = {"SPDXID": "SPDXRef-com.github.O-r", "name": "com.github.O/r", "versionInfo": ""}
PURL = {"referenceType": "purl", "referenceLocator": "pkg:github/Own/it@main"}
GRAPH: dict[str, Any] = {
    "spdxVersion": "SPDX-2.3",
    "name": "com.github.O/r",
    "creationInfo": {"creators": ["Tool: GitHub.com-Dependency-Graph"]},
    "documentDescribes": ["SPDXRef-com.github.O-r"],
    "packages": [ROOT, {"SPDXID": "SPDXRef-1", "name": "pip:ray", "versionInfo": "2.6.3"}],
}


@pytest.mark.parametrize(
    ("changes", "root"),
    [
        ({}, "repo:github.com/o/r"),
        ({"documentDescribes": None}, "repo:github.com/o/r"),
        ({"documentDescribes": None, "name": "O/other"}, "repo:github.com/o/other"),
        ({"creationInfo": None}, "repo:github.com/o/r"),
        ({"creationInfo": None, "name": "app"}, "application:com.github.O/r"),
        ({"documentDescribes": None, "name": "app"}, "application:app"),
        (
            {"documentNamespace": "https://git.example/Own/it/dependency_graph/sbom-1"},
            "repo:git.example/own/it",
        ),
        ({"packages": [ROOT | {"externalRefs": [PURL]}]}, "repo:github.com/own/it"),
        (
            {"packages": [ROOT | {"downloadLocation": "git+https://git.example/Own/it"}]},
            "repo:git.example/own/it",
        ),
    ],
)
def test_which_repository_it_is(changes: dict[str, Any], root: str) -> None:
    said = told(spdx, orjson.dumps(GRAPH | changes))
    assert {one.entities[0].key for one in said} == {root}


def test_a_name_has_its_ecosystem_before_it_no_more() -> None:
    """As the graph of 2023 wrote it; a name of another package stays whole."""
    said = {}
    for name, purl in (
        ("pip:ray", "pkg:pypi/ray@2.6.3"),
        ("maven:org.example:feed", "pkg:maven/org.example/feed@1"),
        ("npm:@example/feed", "pkg:npm/%40example/feed@1"),
        ("pip:ray", "pkg:pypi/other@1"),
        ("org.example:feed", "pkg:maven/org.example/feed@1"),
    ):
        refs = [{"referenceType": "purl", "referenceLocator": purl}]
        package = {"SPDXID": "x", "name": name, "externalRefs": refs}
        (event,) = told(spdx, orjson.dumps(GRAPH | {"packages": [package]}))
        said[name, purl] = event.attributes["package.name"]
    assert list(said.values()) == [
        "ray",
        "org.example:feed",
        "@example/feed",
        "pip:ray",
        "org.example:feed",
    ]
