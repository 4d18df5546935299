"""Syslog: the message of RFC 5424 around an alert."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from schemas.rows import Result
from sinks.formats.envelope import change, standing
from sinks.formats.shortening import clipped
from sinks.formats.spelling import one_line

SEVERITY: Final = {"informational": 6, "low": 5, "medium": 4, "high": 3, "critical": 2}
SD_ID: Final = "barograph@32473"  # 32473 is the enterprise number for those that have none
BOM: Final = b"\xef\xbb\xbf"
_UNPRINTABLE: Final = re.compile(r"[^!-~]")
_SHORT = 256  # characters of a parameter


def message(
    result: Result,
    text: str,
    *,
    facility: int,
    host: str,
    bom: bool = True,
    shortened: Sequence[str] = (),
) -> bytes:
    """One message without a frame: `text` is its MSG.

    PRI says the severity, MSGID what happened, the structured data what routes it; that needs no
    look into `text`. Control characters of parameters, which RFC 5424 lets a relay change, are
    spelled out.
    """
    body = result.body
    priority = facility * 8 + SEVERITY[body["severity"]]
    time = body["meta"]["emitted"]
    header = f"<{priority}>1 {_milliseconds(time)} {_name(host)} barograph - {change(result)}"
    data = "".join(f' {key}="{_param(value)}"' for key, value in _params(result, shortened).items())
    head = f"{header} [{SD_ID}{data}] ".encode()
    return head + (BOM if bom else b"") + text.encode()


def _params(result: Result, shortened: Sequence[str]) -> dict[str, str]:
    body = result.body
    told = {
        "id": result.id,
        "revision": str(body["meta"]["revision"]),
        "state": result.state,
        "status": standing(result),
        "stage": body["stage"],
        "convergence": body["convergence"],
        "system": body["system"],
        "severity": body["severity"],
        "priority": str(body["priority"]),
        "confidence": str(body["confidence"]),
    }
    return told | ({"shortened": " ".join(shortened)} if shortened else {})


def _param(value: str) -> str:
    told = one_line(clipped(value, _SHORT))
    return told.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _milliseconds(time: str) -> str:
    """With three digits of a second: QRadar reads no other; the body has all six."""
    return f"{time[:23]}Z"


def _name(host: str) -> str:
    return _UNPRINTABLE.sub("-", host)[:255] or "-"
