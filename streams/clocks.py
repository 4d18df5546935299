"""Clocks: times as tools write them by the clock beside them, without a zone: taken as UTC."""

from __future__ import annotations

import re
from typing import Final

from streams.source import Json
from streams.untrusted import moment, text

_ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d{2}:?\d{2}(?::?\d{2})?)$")
_SHORT: Final = re.compile(r"([+-]\d{2})(\d{2})$")


def told(value: Json) -> int:
    """Microseconds of an ISO 8601 text, with a zone or without; 0 where nothing is said.

    A day alone is its beginning. Raises Unreadable: bad-time.
    """
    known = (text(value, 64) or "").strip().replace(" ", "T", 1)
    if not known:
        return 0
    if "T" not in known:
        return moment(f"{known}T00:00:00Z")
    return moment(_SHORT.sub(r"\1:\2", known) if _ZONE.search(known) else f"{known}Z")
