"""LEEF: an alert in the Log Event Extended Format 2.0 (QRadar), its attributes delimited by `^`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.rows import Result
from schemas.times import parse
from sinks.formats.envelope import change, standing
from sinks.formats.product import NAME, version
from sinks.formats.spelling import caretless

SEVERITY: Final = {"informational": 1, "low": 3, "medium": 5, "high": 8, "critical": 10}
DELIMITER: Final = "^"  # a tab, which is the default, does not pass rsyslog whole


def leef(result: Result, shortened: Sequence[str] = ()) -> str:
    r"""One event; its id is the convergence.

    LEEF knows no escapes: control characters, `^`, `\` and in the header `|` are spelled as JSON
    spells them (`\u005e`), so that every value can be had back.
    """
    header = (NAME, NAME, version(), result.body["convergence"])
    told = "|".join(caretless(value).replace("|", "\\u007c") for value in header)
    attributes = DELIMITER.join(
        f"{key}={caretless(str(value))}" for key, value in _attributes(result, shortened)
    )
    return f"LEEF:2.0|{told}|{DELIMITER}|{attributes}"


def _attributes(result: Result, shortened: Sequence[str]) -> Iterator[tuple[str, Any]]:
    body = result.body
    yield "devTime", parse(body["meta"]["emitted"]) // 1000
    yield "sev", SEVERITY[body["severity"]]
    yield "cat", body["stage"]
    users = [one["id"] for one in body.get("entities", ()) if one["kind"] == "principal"]
    if users:
        yield "usrName", users[0]
    yield "alertId", result.id
    yield "thread", body["thread"]
    yield "revision", body["meta"]["revision"]
    yield "change", change(result)
    yield "status", standing(result)
    yield "state", result.state
    yield "system", body["system"]
    yield "priority", body["priority"]
    yield "confidence", body["confidence"]
    yield "onsetTime", body["onset_time"]
    yield "lastTime", body["last_time"]
    yield "title", body["title"]
    yield "msg", body["summary"]
    if timeline := body.get("timeline"):
        yield "newest", timeline[-1]["text"]
    if steps := body.get("next"):
        yield "next", f"{steps[0]['technique']} {steps[0]['name']}"
    if actions := body.get("actions"):
        yield "action", actions[0]["text"]
    if tags := body.get("tags"):
        yield "tags", " ".join(tags)
    if shortened:
        yield "shortened", " ".join(shortened)
