"""Log Analytics: an alert as a row of a custom table, as Microsoft Sentinel queries it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import orjson

from schemas.rows import Result
from sinks.formats.attacks import attacks
from sinks.formats.envelope import change
from sinks.formats.shortening import clipped

MOST_VALUE: Final = 32_000  # bytes: the service cuts a value at 32 KB, also in the middle of JSON
MOST_TEXT: Final = 8_000  # characters, of at most four bytes

# The columns of the table and of the stream of its data collection rule.
COLUMNS: Final[dict[str, Literal["datetime", "string", "int", "real", "dynamic"]]] = {
    "TimeGenerated": "datetime",
    "AlertId": "string",
    "Revision": "int",
    "Change": "string",
    "State": "string",
    "Status": "string",
    "Stage": "string",
    "PeakStage": "string",
    "Severity": "string",
    "Priority": "int",
    "Confidence": "real",
    "System": "string",
    "Convergence": "string",
    "Title": "string",
    "Summary": "string",
    "Thread": "string",
    "FirstTime": "datetime",
    "OnsetTime": "datetime",
    "LastTime": "datetime",
    "ExpiresAt": "datetime",
    "Entities": "dynamic",
    "Techniques": "dynamic",
    "Timeline": "dynamic",
    "Path": "dynamic",
    "Why": "dynamic",
    "Next": "dynamic",
    "Actions": "dynamic",
    "Tags": "dynamic",
    "Evidence": "dynamic",
    "Findings": "dynamic",
    "Shortened": "dynamic",
    "BodySha256": "string",
}
_LISTS: Final = (
    "entities",
    "timeline",
    "path",
    "why",
    "next",
    "actions",
    "tags",
    "evidence",
    "findings",
)


def row(result: Result, shortened: Sequence[str] = ()) -> dict[str, Any]:
    """The row of one revision: all columns, in their order.

    A list that is longer than a value may be loses its oldest moments, or its last items, and is
    named in `Shortened`.
    """
    body, meta = result.body, result.body["meta"]
    cut = list(shortened)
    told: dict[str, Any] = {
        "TimeGenerated": meta["emitted"],
        "AlertId": result.id,
        "Revision": meta["revision"],
        "Change": change(result),
        "State": result.state,
        "Status": body["status"],
        "Stage": body["stage"],
        "PeakStage": body["peak_stage"],
        "Severity": body["severity"],
        "Priority": body["priority"],
        "Confidence": float(body["confidence"]),
        "System": body["system"],
        "Convergence": body["convergence"],
        "Title": clipped(body["title"], MOST_TEXT),
        "Summary": clipped(body["summary"], MOST_TEXT),
        "Thread": body["thread"],
        "FirstTime": body["first_time"],
        "OnsetTime": body["onset_time"],
        "LastTime": body["last_time"],
        "ExpiresAt": body["expires_at"],
        "Techniques": [
            (attack.sub_technique or attack.technique).uid
            for attack in attacks(body.get("tags", ()))
        ],
        "BodySha256": body["body_sha256"],
    }
    for name in _LISTS:
        value = list(body.get(name, ()))
        fits = _fitting(value, newest=name == "timeline")
        if len(fits) < len(value) and name not in cut:
            cut.append(name)
        told[name.capitalize()] = fits
    told["Shortened"] = cut
    return {name: told[name] for name in COLUMNS}


def _fitting(value: list[Any], *, newest: bool) -> list[Any]:
    while len(orjson.dumps(value)) > MOST_VALUE:
        kept = len(value) * 3 // 4
        value = value[len(value) - kept :] if newest else value[:kept]
    return value
