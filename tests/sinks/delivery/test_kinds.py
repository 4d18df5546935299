"""How a sink is found by its name, and judges its settings."""

from importlib import import_module
from pathlib import Path

import pytest

from schemas.config import AnySink
from schemas.errors import Mistake
from sinks.delivery.kinds import connect, kinds
from sinks.delivery.sink import Sink


def connected(folder: Path, **entry: object) -> Sink:
    return connect(AnySink.model_validate({"name": "pager"} | entry), folder)


def test_every_module_in_the_folder_is_a_sink() -> None:
    assert set(kinds()) >= {"jsonl", "store", "webhook"}
    for name in kinds():
        module = import_module(f"sinks.{name}")
        assert (module.__name__, hasattr(module, "connect")) == (f"sinks.{name}", True)
        assert "name" in module.Settings.model_fields


def test_an_unknown_kind_is_a_mistake_with_the_known_ones(tmp_path: Path) -> None:
    known = ", ".join(kinds())
    with pytest.raises(Mistake, match=f"sink 'pager' has the kind 'pigeon'; name one of {known}"):
        connected(tmp_path, kind="pigeon")


def test_a_package_is_no_kind(tmp_path: Path) -> None:
    with pytest.raises(Mistake):
        connected(tmp_path, kind="delivery")


def test_the_sink_of_a_configuration(tmp_path: Path) -> None:
    sink = connected(tmp_path, kind="jsonl", path="out")
    assert sink.kinds == {"signal", "finding", "alert", "reject", "late"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": "jsonl"}, "sink 'pager' needs 'path'"),
        ({"kind": "webhook", "url": "https://x/", "stage": ["watch"]}, "no setting 'stage'"),
        ({"kind": "webhook", "url": "https://x/", "stages": ["high"]}, "wrong 'stages.0'"),
        (
            {"kind": "webhook", "url": "https://x/", "min_confidence": 9},
            "less than or equal",
        ),
        ({"kind": "webhook", "url": "https://x/", "owners": ["ml"]}, "ml, who own none"),
        ({"kind": "webhook", "url": "https://x/", "ca": "nowhere.pem"}, "nowhere.pem"),
    ],
)
def test_a_setting_that_cannot_be_is_a_mistake_that_names_it(
    tmp_path: Path, entry: dict[str, object], said: str
) -> None:
    with pytest.raises(Mistake, match=said):
        connected(tmp_path, **entry)
