"""Envelope: an alert in our own JSON, with what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.rows import Result


def change(result: Result) -> str:
    """What this revision is: `opened`, `updated`, `withdrawn`, or the status that ended it."""
    if result.state == "withdrawn":
        return "withdrawn"
    if result.body["status"] != "open":
        return str(result.body["status"])
    return "opened" if result.body["meta"]["revision"] == 1 else "updated"


def standing(result: Result) -> str:
    """`open`, or what ended it: a status, or `withdrawn`."""
    return "withdrawn" if result.state == "withdrawn" else str(result.body["status"])


def envelope(result: Result, shortened: Sequence[str] = ()) -> dict[str, Any]:
    """`type`, `timestamp` and `data`; `shortened` where parts of `data` are missing or cut."""
    told = {
        "type": f"alert.{change(result)}",
        "timestamp": result.body["meta"]["emitted"],
        "data": result.body,
    }
    return told | ({"shortened": list(shortened)} if shortened else {})
