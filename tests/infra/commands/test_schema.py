"""`barograph schema`: the JSON Schema of each record."""

import json

import pytest

from infra.cli import main
from infra.commands.schema import records


def test_the_names_are_those_of_the_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    names = capsys.readouterr().out.split()
    assert set(names) >= {"alert", "event", "finding", "late", "reject", "signal"}
    assert "meta" not in names  # a part of others
    assert set(names) >= {"sink.webhook", "sink.store"}


@pytest.mark.parametrize("name", list(records()))
def test_every_record_has_one_in_which_nothing_is_null(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["type"] == "object"
    assert '"null"' not in json.dumps(schema)


def test_a_field_has_the_name_and_form_that_it_has_outside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["schema", "event"])
    schema = json.loads(capsys.readouterr().out)
    assert schema["properties"]["time"] == {
        "format": "date-time",
        "title": "Time",
        "type": "string",
    }
    assert schema["properties"]["client"] == {"$ref": "#/$defs/Client"}
    assert set(schema["$defs"]["Edge"]["required"]) == {"from", "relation", "to"}
    assert schema["required"] == [
        *("uid", "time", "source", "class_uid", "class_name", "activity", "evidence")
    ]


def test_an_unknown_record_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "unicorn"]) == 2
    assert "no record is called 'unicorn'; there are alert, " in capsys.readouterr().err
