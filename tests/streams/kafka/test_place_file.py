"""Place file: old or new, never half, and one sentence when it cannot be read or written."""

from pathlib import Path

import pytest

from schemas.errors import Mistake, Unavailable
from streams.kafka.place_file import PlaceFile


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = PlaceFile(tmp_path / "sink-files.json")
    assert file.read() == ({}, None)
    file.write({"b.alerts/0": 7}, {"alerts.jsonl": 12})
    file.write({"b.alerts/0": 8}, {"alerts.jsonl": 13})
    assert PlaceFile(tmp_path / "sink-files.json").read() == (
        {"b.alerts/0": 8},
        {"alerts.jsonl": 13},
    )
    assert [path.name for path in tmp_path.iterdir()] == ["sink-files.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"places": {"b.alerts/0": "7"}}', "\xff"])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sink-files.json"
    path.write_text(text, "latin-1")
    with pytest.raises(Mistake, match=r"sink-files\.json cannot be read .*; move it away, and"):
        PlaceFile(path).read()


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    file = PlaceFile(tmp_path / "gone" / "sink-files.json")
    with pytest.raises(
        Unavailable, match=r"^cannot write .*: No such file or directory; make room"
    ):
        file.write({}, None)
