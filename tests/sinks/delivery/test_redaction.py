"""What leaves with an alert: nothing that was to stay, and nothing false."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.delivery.redaction import Redaction
from tests.sinks.alerts import body

KEY = b"obviously no secret"


def test_nothing_is_asked_for() -> None:
    redaction = Redaction((), (), None)
    assert not redaction
    assert redaction(body("a")) == body("a")


def test_a_kind_of_things_goes_wherever_it_is_named() -> None:
    left = Redaction(["principal", "tool"], (), None)(body("a"))
    assert left["entities"] == [
        {"kind": "application", "id": "support-bot"},
        {"kind": "principal", "id": "[principal]", "name": "[principal]"},
        {"kind": "tool", "id": "[tool]", "name": "[tool]"},
        {"kind": "model", "id": "gpt-4o-2024-08-06"},
    ]
    assert left["timeline"][0]["text"] == "[principal] changed [tool]"
    assert left["path"][0]["to"] == "tool:[tool]"
    assert left["next"][0]["blocking_action"] == "Take [tool] from the agent"
    assert b"corp.example" not in orjson.dumps(left)


def test_with_a_key_the_same_thing_is_the_same_everywhere() -> None:
    redaction = Redaction(["principal"], (), KEY)
    one, other = redaction(body("a")), redaction(body("b", 2))
    told = one["entities"][1]["id"]
    assert told.startswith("principal-")
    assert told == other["entities"][1]["id"] == one["timeline"][0]["text"].split()[0]
    assert Redaction(["principal"], (), b"another")(body("a"))["entities"][1]["id"] != told


def test_an_id_is_a_word_not_a_piece_of_one() -> None:
    entities = [{"kind": "principal", "id": "an"}]
    left = Redaction(["principal"], (), None)(body("a", entities=entities, title="an analyst, an"))
    assert left["title"] == "[principal] analyst, [principal]"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("from 198.51.100.7, twice", "from [address], twice"),
        ("2001:db8::8a2e:370:7334 called", "[address] called"),
        ("version 1.2.3 at 12:30:01", "version 1.2.3 at 12:30:01"),
        ("1.2.3.4.5 is none", "1.2.3.4.5 is none"),
    ],
)
def test_addresses(text: str, left: str) -> None:
    assert Redaction(["address"], (), None)(body("a", summary=text))["summary"] == left


def test_whole_lists_stay_here() -> None:
    left = Redaction((), ["timeline", "evidence"], None)(body("a"))
    assert {"timeline", "evidence"} & left.keys() == set()
    assert left["why"] == body("a")["why"]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=5), st.text(max_size=40))
def test_no_text_breaks_it(ids: list[str], title: str) -> None:
    entities = [{"kind": "principal", "id": id_} for id_ in ids]
    left = Redaction(["principal", "address"], (), KEY)(body("a", entities=entities, title=title))
    assert len(left["entities"]) == len(ids)
