"""Clocks: the time of a record, whichever way its writer tells or counts it; no zone is UTC."""

from __future__ import annotations

import re
from typing import Final

from schemas.times import SECOND
from streams.records.untrusted import moment, number, sane, text
from streams.source import Json, Unreadable

# Seconds of today have ten digits; with three more each: milli-, micro-, nanoseconds.
_UNITS: Final = ((1e11, SECOND), (1e14, 1000), (1e17, 1))
_ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d{2}:?\d{2}(?::?\d{2})?)$")
_SHORT: Final = re.compile(r"([+-]\d{2})(\d{2})$")


def clock(*said: Json) -> int:
    """Microseconds of the first of these that says a time: RFC 3339, or a number since 1970.

    A text without a zone is UTC. Raises Unreadable: no-time, bad-time.
    """
    value = next((one for one in said if one is not None and one != ""), None)
    if isinstance(value, str):
        if not _numeric(value):
            return moment(value)
        value = int(value) if value.isdecimal() else float(value)
    known = number(value)
    if known is None:
        raise Unreadable("no-time", "the record says no time")
    for most, unit in _UNITS:
        if abs(known) < most:
            return sane(round(known * unit))
    return sane(int(known // 1000))


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


def _numeric(value: str) -> bool:
    return len(value) <= 24 and value.replace(".", "", 1).isdecimal()
