from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.rows import Result
from sinks.formats.envelope import envelope
from sinks.formats.shortening import clipped, shortened
from tests.sinks.alerts import NOON, alert

LONG: dict[str, Any] = {
    "timeline": [{"time": NOON, "text": f"line {n} of many"} for n in range(40)],
    "path": [
        {"from": f"host:h{n}", "relation": "uses", "to": "tool:t", "state": "open"}
        for n in range(30)
    ],
    "why": [
        {"term": f"t{n}", "value": 1.0, "weight": 1, "points": 1, "evidence": []} for n in range(30)
    ],
    "summary": "\u00fc\U0001f480" * 2000,
}


def long(**more: Any) -> Result:  # noqa: ANN401 - parts of an alert
    found = alert("a")
    return replace(found, body=found.body | LONG | more)


def encoded(result: Result, cut: tuple[str, ...]) -> bytes:
    return orjson.dumps(envelope(result, cut))


def test_what_fits_stays_whole() -> None:
    whole = encoded(alert("a"), ())
    assert shortened(alert("a"), encoded, len(whole)) == whole


def test_the_least_needed_goes_first_and_it_is_said() -> None:
    one = long(summary="short")
    whole = encoded(one, ())
    told = orjson.loads(shortened(one, encoded, len(whole) - 1))
    assert told["shortened"] == ["timeline"]
    assert told["data"]["timeline"] == [{"time": NOON, "text": "line 39 of many"}]
    assert len(told["data"]["path"]) == 30
    told = orjson.loads(shortened(one, encoded, 3000))
    assert told["shortened"] == ["timeline", "path", "why"]
    assert told["data"]["summary"] == "short"
    assert told["data"]["actions"] == one.body["actions"]


def test_texts_are_cut_between_characters() -> None:
    told = orjson.loads(shortened(long(), encoded, 2500))
    assert told["data"]["summary"] == "\u00fc\U0001f480" * 149 + "\u00fc\u2026"
    assert "summary" in told["shortened"]
    assert clipped("abc", 3) == "abc"
    assert clipped("abcd", 3) == "ab\u2026"


@given(st.integers(900, 9000), st.text(st.characters(codec="utf-8"), max_size=3000))
def test_it_fits_or_nothing_more_can_go(most: int, text: str) -> None:
    one = long(title=text)
    found = shortened(one, encoded, most)
    told = orjson.loads(found)
    assert told["data"]["id"] == "a"
    if len(found) > most:
        assert told["data"]["timeline"] == told["data"]["actions"] == told["data"]["why"] == []
        assert len(told["data"]["title"]) <= 100
