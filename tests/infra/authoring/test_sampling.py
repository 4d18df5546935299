import json
from pathlib import Path
from typing import Any

import pytest

from infra.authoring.firing import Estate
from infra.authoring.sampling import learn
from schemas.errors import Mistake
from streams.source import sources

TRAIL: dict[str, Any] = {
    "eventTime": "2026-11-01T12:00:00Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "GetUser",
    "novelty": {"degree": 5},
}
SPAN: dict[str, Any] = {
    "spanId": "0102030405060708",
    "name": "chat",
    "endTimeUnixNano": "1793534400000000000",
    "attributes": [{"key": "shop.order", "value": {"stringValue": "7"}}],
}


def test_fields_of_real_records_are_known_afterwards(tmp_path: Path) -> None:
    estate = Estate(sources())
    trail, otel = estate.raw["cloudtrail"], estate.normal["otel"]
    assert trail is not None
    assert otel is not None
    assert not trail.knows("novelty.degree")
    assert not otel.knows("shop.order")
    (tmp_path / "trail.json").write_text(json.dumps({"Records": [TRAIL, {"odd": 1}]}), "utf-8")
    (tmp_path / "span.jsonl").write_text(json.dumps(SPAN) + "\n", "utf-8")
    assert learn([str(tmp_path / "trail.json"), str(tmp_path / "span.jsonl")], estate) == 3
    assert trail.knows("novelty.degree")
    assert not trail.knows("odd")  # of a record that is none
    assert otel.knows("shop.order")


def test_a_file_of_no_known_format_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello", "utf-8")
    with pytest.raises(Mistake, match="no source knows this format"):
        learn([str(tmp_path / "text")], Estate(sources()))
