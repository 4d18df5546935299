"""How a sink is found by its name."""

from importlib import import_module
from pathlib import Path

import pytest

from schemas.config import SinkConfig
from schemas.errors import Mistake
from sinks.delivery.sink import connect, kinds


def test_every_module_in_the_folder_is_a_sink() -> None:
    assert set(kinds()) >= {"jsonl", "store", "webhook"}
    assert [
        name for name in kinds() if not hasattr(import_module(f"sinks.{name}"), "connect")
    ] == []


def test_an_unknown_kind_is_a_mistake_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"sink 'pager' has the kind 'pigeon'; name one of jsonl, "):
        connect(SinkConfig(name="pager", kind="pigeon"), tmp_path)


def test_a_module_of_python_is_no_kind(tmp_path: Path) -> None:
    with pytest.raises(Mistake):
        connect(SinkConfig(name="x", kind="delivery"), tmp_path)


def test_the_sink_of_a_configuration(tmp_path: Path) -> None:
    sink = connect(SinkConfig(name="files", kind="jsonl", path="out"), tmp_path)
    assert sink.kinds == {"signal", "finding", "alert", "reject", "late"}
