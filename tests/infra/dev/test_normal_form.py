from pathlib import Path

from correlators import normal
from infra.dev.normal_form import text
from streams.source import event_attributes, sources
from streams.telemetry.meanings import CONTENT, EVENT, TELEMETRY

DOCUMENT = Path(__file__).parents[3] / "docs" / "normal-form.md"


def test_the_document_is_fresh() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run `make sources`"


def test_every_field_of_an_event_has_a_meaning() -> None:
    own = {name for name in normal.NAMES if not name.startswith("entity.")}
    assert own == EVENT.keys() | CONTENT.keys()


def test_no_meaning_is_of_nothing() -> None:
    given = set[str]().union(*(event_attributes(one) or () for one in sources().values()))
    assert TELEMETRY.keys() - given == set()
