"""The builder of atlas.json: ids, names, tactics and orders, the same file from the same source."""

import json
from pathlib import Path

import pytest

from infra.dev.atlas import extract, main, text

ATLAS = {
    "id": "ATLAS",
    "version": "1.2.3",
    "matrices": [
        {
            "tactics": [
                {"id": "AML.TA0002", "name": "Second", "description": "left out"},
                {"id": "AML.TA0001", "name": "First"},
            ],
            "techniques": [
                {"id": "AML.T0001", "name": "Parent", "tactics": ["AML.TA0001"]},
                {"id": "AML.T0001.000", "name": "Child", "subtechnique-of": "AML.T0001"},
            ],
            "mitigations": [{"id": "AML.M0001", "name": "Stop", "techniques": ["left out"]}],
        }
    ],
    "case-studies": [
        {"id": "AML.CS0001", "summary": "left out", "procedure": [{"technique": "AML.T0001.000"}]}
    ],
}
EXTRACT = {
    "version": "1.2.3",
    "tactics": {"AML.TA0002": "Second", "AML.TA0001": "First"},
    "techniques": {
        "AML.T0001": {"name": "Parent", "tactics": ["AML.TA0001"]},
        "AML.T0001.000": {"name": "Child", "tactics": ["AML.TA0001"]},
    },
    "mitigations": {"AML.M0001": "Stop"},
    "sequences": {"AML.CS0001": ["AML.T0001.000"]},
}


def test_a_child_has_the_tactics_of_its_parent_and_descriptions_stay_out() -> None:
    assert extract(ATLAS) == EXTRACT


def test_the_text_has_an_entry_a_line() -> None:
    assert json.loads(text(EXTRACT)) == EXTRACT
    assert '\n    "AML.T0001": {"name": "Parent", "tactics": ["AML.TA0001"]},\n' in text(EXTRACT)


def test_the_published_file_gives_the_packaged_one(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(shared / "corpora/standards/mitre-atlas/ATLAS.yaml")])
    packaged = Path(__file__).parents[3] / "schemas" / "atlas.json"
    assert capsys.readouterr().out == packaged.read_text("utf-8")
