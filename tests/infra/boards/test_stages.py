"""Stage changes out of the timelines of alerts."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.boards.stages import Annotation, changes, known
from infra.reading.reader import Reader
from schemas.rows import Result
from sinks.store import Store


def alert(id_: str, state: str, *lines: tuple[str, str]) -> Result:
    timeline = [{"time": time, "text": text, "evidence": []} for time, text in lines]
    body = {"system": "s", "title": "t", "timeline": timeline, "last_time": "2026-01-01T00:00:00Z"}
    return Result("alert", id_, 0, state, body)  # type: ignore[arg-type]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    store = Store(tmp_path, finite=True)
    store.open(None)
    store.write(
        [
            alert(
                "a" * 32,
                "final",
                ("2026-01-01T00:00:00.000000Z", "outlook: one"),
                ("2026-01-01T00:00:01.500000Z", "more evidence: watch: this"),
                ("2026-01-01T00:00:02.000000Z", "outlook -> watch: two"),
                ("2026-01-01T00:00:03.000000Z", "watch -> outlook: evidence left"),
                ("2026-01-02T00:00:00.000000Z", "expired at outlook"),
            ),
            alert("b" * 32, "withdrawn", ("2026-01-01T00:00:00.000000Z", "outlook: one")),
            alert("c" * 32, "settled"),
        ]
    )
    store.close()
    return Reader(tmp_path / "barograph.duckdb")


def test_a_change_is_a_rise_a_fall_or_an_end_and_nothing_else(reader: Reader) -> None:
    def at(time: int, text: str, stage: str) -> Annotation:
        tags = ("barograph-stage", stage, "alert-aaaaaaaaaaaa")
        return Annotation(time, f"s: t\n{text}", tags, "aaaaaaaaaaaa")

    assert changes(reader) == [
        at(1767225600000, "outlook: one", "outlook"),
        at(1767225602000, "outlook -&gt; watch: two", "watch"),
        at(1767225603000, "watch -&gt; outlook: evidence left", "outlook"),
        at(1767312000000, "expired at outlook", "ended"),
    ]


def test_alerts_that_were_withdrawn_are_known_all_the_same(reader: Reader) -> None:
    assert known(reader) == {"a" * 12, "b" * 12, "c" * 12}
