from typing import Any

import pytest

from streams.reports.spdx import advisories, relation, things


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ({"type": "ai_AIPackage", "name": "m", "software_packageVersion": "1"}, ["model:m@1"]),
        ({"type": "AI_AIPackage", "name": "m"}, ["model:m"]),
        (
            {"name": "m", "externalRefs": [
                {"referenceType": "purl", "referenceLocator": "pkg:huggingface/O/M@1"}
            ]},
            ["model:huggingface/o/m"],
        ),
        ({"type": "dataset_DatasetPackage", "name": "d"}, ["dataset:d"]),
        (
            {
                "type": "dataset_DatasetPackage",
                "name": "d",
                "software_downloadLocation": "https://huggingface.co/datasets/O/D",
            },
            ["dataset:huggingface/o/d"],
        ),
        ({"name": "i", "versionInfo": "7", "primaryPackagePurpose": "CONTAINER"}, ["image:i:7"]),
        ({"name": "i", "software_packageUrl": "pkg:oci/i?tag=7"}, ["image:i:7"]),
        ({"name": "ray", "versionInfo": "2"}, []),
        ({}, []),
    ],
)  # fmt: skip
def test_which_entity_an_element_is(said: dict[str, Any], keys: list[str]) -> None:
    assert [one.key for one in things(said)] == keys


def test_advisories_once_each_and_no_cpe() -> None:
    refs = [
        {"referenceType": "advisory", "referenceLocator": "https://a.example/cve-2026-0001"},
        {"referenceType": "fix", "referenceLocator": "https://b.example/CVE-2026-0001"},
        {"referenceType": "url", "referenceLocator": "GHSA-2222-3333-4444"},
        {"referenceType": "cpe23Type", "referenceLocator": "CVE-2026-0002"},
    ]
    assert list(advisories({"externalRefs": refs})) == ["CVE-2026-0001", "GHSA-2222-3333-4444"]


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("trainedOn", ("trained_on", False)),
        ("DEPENDENCY_OF", ("depends_on", True)),
        ("hasDeclaredLicense", None),
        (7, None),
    ],
)
def test_relations(kind: object, known: tuple[str, bool] | None) -> None:
    assert relation(kind) == known
