"""Times of cases: offsets from one moment, `5m`, `-1h` or plain seconds."""

from __future__ import annotations

from typing import Final

from schemas.times import DAY, HOUR, MINUTE, SECOND, duration, parse

START = parse("2026-01-05T12:00:00Z")  # a Monday noon; cases speak of nothing but distances from it

_FAR: Final = 1e11  # seconds; NaN is not below it either
_UNITS: Final = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}


def offset(stated: object) -> int:
    """Microseconds of an offset. ValueError for anything else."""
    if isinstance(stated, int | float) and not isinstance(stated, bool) and abs(stated) < _FAR:
        return round(stated * SECOND)
    if isinstance(stated, str):
        sign = -1 if stated.startswith("-") else 1
        return sign * duration(stated.removeprefix("-"))
    raise ValueError(f"a time is an offset like 5m, -1h or 90 (seconds), not {stated!r:.40}")


def spelled(micros: int) -> str:
    """An offset as people write it, in the largest unit that divides it."""
    for unit, length in _UNITS.items():
        if micros and micros % length == 0:
            return f"{micros // length}{unit}"
    return f"{micros / SECOND:g}s"
