"""Models, data, their training and their faults in a CycloneDX document."""

from tests.streams.sources.shown import read, shown

HEX = "ab" * 32
SAID = [
    {
        "is": "Software Inventory Info: Collect",
        "time": "2026-03-04T05:06:07.000000Z",
        "status": "success",
        "of": ["application:claims"],
        "component.type": "application",
        "package.name": "claims",
    },
    {
        "is": "Software Inventory Info: Collect",
        "time": "2026-03-04T05:06:07.000000Z",
        "status": "success",
        "of": [
            f"model:sha256:{HEX}",
            "model:huggingface/example/writer",
            "dataset:letters",
            "dataset:s3/forms/2026",
            "application:claims",
        ],
        "edges": [
            (f"application:claims uses model:sha256:{HEX}"),
            (f"model:sha256:{HEX} trained_on dataset:letters"),
            (f"model:sha256:{HEX} trained_on dataset:s3/forms/2026"),
            (f"model:sha256:{HEX} derived_from model:huggingface/example/base"),
            (f"model:sha256:{HEX} same_as model:huggingface/example/writer"),
        ],
        "component.type": "machine-learning-model",
        "package.name": "writer",
        "package.version": "2",
        "package.purl": "pkg:huggingface/Example/Writer@0a",
        "model.approach": "supervised",
        "model.architecture": "transformer",
        "model.task": "writing",
        "component.supplier": "Example",
        "component.sha256": f"{HEX}",
        "component.properties": {"license:family": "open"},
    },
    {
        "is": "Software Inventory Info: Collect",
        "time": "2026-03-04T05:06:07.000000Z",
        "status": "success",
        "of": ["dataset:letters", "application:claims"],
        "edges": ["application:claims uses dataset:letters"],
        "asset.data": ["personal"],
        "component.type": "data",
        "package.name": "letters",
        "bom.invalid": ["a `bom-ref` is unique"],
    },
    {
        "is": "Software Inventory Info: Collect",
        "time": "2026-03-04T05:06:07.000000Z",
        "status": "success",
        "of": ["application:claims"],
        "component.type": "foo",
        "package.name": "odd",
        "bom.invalid": [
            "version 1.7 has no component type 'foo'",
            "a hash is no hexadecimal digest",
            "a `bom-ref` is unique",
        ],
    },
    {
        "is": "Software Inventory Info: Collect",
        "time": "2026-03-04T05:06:07.000000Z",
        "status": "success",
        "of": [
            "job:claims/train writer",
            "dataset:letters",
            f"model:sha256:{HEX}",
            "application:claims",
        ],
        "edges": [
            "job:claims/train writer reads dataset:letters",
            (f"job:claims/train writer makes model:sha256:{HEX}"),
            (f"model:sha256:{HEX} made_by job:claims/train writer"),
        ],
        "job.tasks": ["build", "other"],
    },
]


def test_what_it_says() -> None:
    assert [shown(event) for event in read("cyclonedx.models.json")] == SAID


def test_a_valid_document_has_no_fault() -> None:
    assert [event for event in read("cyclonedx.json") if "bom.invalid" in event.attributes] == []
