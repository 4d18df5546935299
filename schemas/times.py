"""Event time: integer microseconds since 1970 UTC inside, RFC 3339 outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Watermarks start before and end after every event. These two survive JSON and msgpack, a float
# infinity does not.
BEGINNING = -(2**62)
END = 2**62

_FIRST, _LAST = -62_135_596_800 * SECOND, 253_402_300_799 * SECOND  # the years 1 and 9999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
LONGEST = 36_500 * DAY  # of a duration: ten of them, added to a time, are still 64 bits
_DURATION = re.compile(r"(\d{1,9})\s*([smhd])", re.ASCII)
_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,12}))?"
    r"\s*([Zz]|UTC|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


def parse(text: str) -> int:
    """Microseconds of an RFC 3339 text; ValueError for any other.

    No offset means UTC; digits past microseconds are cut.
    """
    # Nearly all are like this; their seconds repeat, whatever fractions they have.
    if text[-1:] == "Z" and 24 <= len(text) <= 32 and text[19] == "." and text.isascii():
        fraction = text[20:-1]
        if fraction.isdigit():
            return _parsed(text[:19]) + int(fraction[:6].ljust(6, "0"))
    return _parsed(text)


@lru_cache(maxsize=8192)  # audit logs have one-second times: most texts repeat
def _parsed(text: str) -> int:
    found = _RFC3339.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not an RFC 3339 time: {text[:40]!r}")
    day, clock, fraction, offset = found.groups()
    zone = "+00:00" if offset in (None, "Z", "z", "UTC") else offset
    return _second(f"{day}T{clock}{zone}") + int((fraction or "0")[:6].ljust(6, "0"))


@lru_cache(maxsize=8192)  # where times have fractions, seconds repeat
def _second(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def instant(value: object) -> int:
    """Microseconds of an RFC 3339 text or of seconds since the epoch; ValueError otherwise."""
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"not a time: {value!r}")  # noqa: TRY004 - pydantic reports these
    if not -1e11 < value < 1e11:
        raise ValueError(f"not a number of seconds since 1970: {value!r}")
    return round(value * SECOND)


def rfc3339(micros: int) -> str:
    """RFC 3339 UTC with six digits; both open ends of time are shown as their nearest year."""
    if not _FIRST <= micros <= _LAST:
        micros = min(max(micros, _FIRST), _LAST)
    seconds, rest = divmod(micros, SECOND)
    return f"{_of_second(seconds)}.{rest:06}Z"


@lru_cache(maxsize=8192)  # events come in bunches; formatting a date is the slow part
def _of_second(seconds: int) -> str:
    moment = _EPOCH + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


def duration(text: str) -> int:
    """Microseconds of `30s`, `15m`, `24h` or `7d`; nothing else is a timespan (ValueError).

    Nor is what is longer than LONGEST.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not a duration like 30s, 15m, 24h or 7d: {text[:40]!r}")
    micros = int(found[1]) * _UNITS[found[2]]
    if micros > LONGEST:
        raise ValueError(f"longer than {LONGEST // DAY}d: {text[:40]!r}")
    return micros


def _inside(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else instant(value)


def _span(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else duration(str(value))


# A field of a record: held as microseconds, written as RFC 3339 in JSON; validation takes either.
Time = Annotated[
    int,
    BeforeValidator(_inside),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

# A field of a rule or configuration: held as microseconds, written `15m`.
Duration = Annotated[
    int,
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\s*[smhd]$"}),
]
