"""CEF: an alert in the Common Event Format, version 0 (ArcSight and those who read its format)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.rows import Result
from schemas.times import parse
from sinks.formats.envelope import change, standing
from sinks.formats.product import NAME, version
from sinks.formats.shortening import clipped
from sinks.formats.spelling import lines, one_line

SEVERITY: Final = {"informational": 0, "low": 3, "medium": 6, "high": 8, "critical": 10}
_NAME, _LINE, _TEXT = 512, 1023, 4000  # characters that the dictionary of CEF allows a field
_ID = 40  # of externalId; the whole id is in cs1


def cef(result: Result, shortened: Sequence[str] = ()) -> str:
    """One event: the signature is the convergence, the name the title.

    Escaped as the format wants it; control characters but for line ends are spelled out.
    """
    body = result.body
    header = (
        NAME,
        NAME,
        version(),
        body["convergence"],
        clipped(body["title"], _NAME),
        SEVERITY[body["severity"]],
    )
    told = "|".join(_header(str(value)) for value in header)
    extension = " ".join(f"{key}={_value(str(value))}" for key, value in _fields(result, shortened))
    return f"CEF:0|{told}|{extension}"


def _fields(result: Result, shortened: Sequence[str]) -> Iterator[tuple[str, Any]]:
    body = result.body
    meta = body["meta"]
    yield "rt", _milliseconds(meta["emitted"])
    yield "start", _milliseconds(body["onset_time"])
    yield "end", _milliseconds(body["last_time"])
    yield "externalId", result.id[:_ID]
    yield "act", change(result)
    yield "outcome", standing(result)
    yield "cat", body["stage"]
    if body.get("summary"):
        yield "msg", clipped(body["summary"], _LINE)
    if timeline := body.get("timeline"):
        yield "reason", clipped(timeline[-1]["text"], _LINE)
    users = [one["id"] for one in body.get("entities", ()) if one["kind"] == "principal"]
    if users:
        yield "suser", clipped(users[0], _LINE)
    yield from _labelled("cs1", "alertId", result.id)
    yield from _labelled("cs2", "system", clipped(body["system"], _TEXT))
    yield from _labelled("cs3", "state", result.state)
    if tags := body.get("tags"):
        yield from _labelled("cs4", "tags", clipped(" ".join(tags), _TEXT))
    if steps := body.get("next"):
        yield from _labelled(
            "cs5", "next", clipped(f"{steps[0]['technique']} {steps[0]['name']}", _TEXT)
        )
    if shortened:
        yield from _labelled("cs6", "shortened", " ".join(shortened))
    yield from _labelled("cn1", "priority", body["priority"])
    yield from _labelled("cn2", "revision", meta["revision"])
    yield from _labelled("cfp1", "confidence", body["confidence"])
    if actions := body.get("actions"):
        yield from _labelled("flexString1", "action", clipped(actions[0]["text"], _LINE))
    yield from _labelled("flexString2", "thread", body["thread"])


def _labelled(key: str, label: str, value: str | float) -> Iterator[tuple[str, Any]]:
    yield key, value
    yield f"{key}Label", label


def _milliseconds(time: str) -> int:
    return parse(time) // 1000


def _header(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    told = lines(text).replace("\\", "\\\\").replace("=", "\\=")
    return told.replace("\n", "\\n").replace("\r", "\\r")
