"""The table of storms in docs/sinks.md has every kind of sink, and each was killed."""

from pathlib import Path

import orjson

import sinks
from tests.sinks.figures import HEAD, PAGE, rows, table

FOUND = list(rows(PAGE.read_text("utf-8")))


def test_every_kind_went_through_a_storm() -> None:
    kinds = {path.stem for path in Path(sinks.__file__).parent.glob("[a-z]*.py")}
    assert {row[0].split("`")[1] for row in FOUND} == kinds


def test_each_was_killed() -> None:
    for _, _, results, kills, *_ in FOUND:
        assert int(results) > 0
        assert int(kills) > 0


def test_what_holds_each_is_there() -> None:
    for row in FOUND:
        assert (Path(__file__).parent / row[-1].strip("`")).exists()


def told(kind: str, test: str, kills: int, copies: int | None) -> bytes:
    found = {"kind": kind, "test": f"tests/sinks/{test}", "results": 80, "kills": kills}
    return orjson.dumps(found | {"requests": 24, "copies": copies})


def test_a_table_of_what_was_noted() -> None:
    lines = [
        told("teams", "test_teams.py::test_a_storm", 2, None),
        told("splunk", "test_splunk.py::test_a_storm[ack]", 9, 9),
        told("splunk", "test_splunk.py::test_a_storm[ack]", 3, 7),  # the last run counts
        told("kafka", "test_kafka.py::test_a_storm", 2, 0),
    ]
    assert table(lines) == HEAD + (
        "| `kafka` | a broker, paused and killed too | 80 | 2 | 24 | 0 | `test_kafka.py` |\n"
        "| `splunk` (ack) | a double | 80 | 3 | 24 | 7 | `test_splunk.py` |\n"
        "| `teams` | a double | 80 | 2 | 24 |  | `test_teams.py` |\n"
    )
