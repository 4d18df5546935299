from typing import Any

import pytest

from streams.reports.conformance import of_document, of_part

SOUND = {"type": "library", "name": "ray", "version": "2.6.3", "scope": "required"}


@pytest.mark.parametrize(
    ("said", "minor", "faults"),
    [
        ({}, 7, []),
        ({"type": "machine-learning-model"}, 5, []),
        (
            {"type": "machine-learning-model"},
            4,
            ["version 1.4 has no component type 'machine-learning-model'"],
        ),
        ({"type": None}, 7, ["there is no `type`"]),
        ({"scope": "foo"}, 7, ["the scope is no word of the standard"]),
        ({"swid": {"name": "x"}}, 7, ["a SWID tag has `tagId` and `name`"]),
        ({"hashes": [{"alg": "SHA-1", "content": "ab" * 20}]}, 7, []),
        ({"hashes": [{"alg": "FOO", "content": "x"}]}, 7, [
            "the algorithm of a hash is none of the standard", "a hash is no hexadecimal digest",
        ]),
        ({"licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "Ours"}}]}, 7, []),
        ({"licenses": [{"license": {"id": "Classpath-exception-2.0"}}]}, 7, []),
        ({"licenses": [{"license": {"id": "mit"}}]}, 7, ["'mit' is no SPDX licence"]),
        ({"licenses": [{"license": {}}]}, 7, ["a licence has an `id` or a `name`"]),
        ({"licenses": [{"expression": "MIT"}, {"license": {"id": "MIT"}}]}, 7, []),
        ({"licenses": [{"expression": "MIT"}, {"license": {"id": "MIT"}}]}, 6, [
            "before 1.7 an expression stands alone",
        ]),
        ({"properties": [{"name": "a", "value": "b"}, {}]}, 7, [
            "a property has a `name` and a `value`",
        ]),
        ({"bom-ref": ""}, 7, ["a `bom-ref` is not empty"]),
        ({"isExternal": True, "versionRange": "vers:pypi/1", "version": None}, 7, [
            "a component has a version or a range, not both",
        ]),
    ],
)  # fmt: skip
def test_a_component(said: dict[str, Any], minor: int, faults: list[str]) -> None:
    assert of_part(SOUND | said, "component", minor) == faults


def test_a_service() -> None:
    flow = {"classification": "personal", "flow": "inbound"}
    assert of_part({"name": "rates", "data": [flow]}, "service", 7) == []
    assert of_part({"name": "rates", "data": [flow | {"flow": "bar"}]}, "service", 7) == [
        "data of a service has a classification and a known flow"
    ]


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({}, []),
        ({"serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"}, []),
        ({"serialNumber": "urn:uuid:3e671687"}, ["the serial number is no UUID"]),
        ({"metadata": {"distribution": "x"}}, ["metadata has no field 'distribution'"]),
        ({"dependencies": [{"ref": "a"}, {}, {"ref": ""}]}, ["a dependency has a `ref`"]),
        ({"citations": [{"pointers": ["/a"], "attributedTo": "x"}]}, []),
        ({"citations": [{"process": "x"}]}, [
            "a citation has `pointers` or `expressions`, not both",
        ]),
    ],
)  # fmt: skip
def test_a_document(said: dict[str, Any], faults: list[str]) -> None:
    assert of_document(said, 7) == faults


def test_faults_are_told_up_to_a_bound() -> None:
    many = [{"license": {"id": f"no-{n}"}} for n in range(100)]
    assert len(of_part(SOUND | {"licenses": many}, "component", 7)) == 8
