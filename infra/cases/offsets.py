"""Times of cases: offsets from one moment, `5m`, `-1h` or plain seconds."""

from __future__ import annotations

from schemas.times import SECOND, duration, parse

START = parse("2026-01-05T12:00:00Z")  # a Monday noon; cases speak of nothing but distances from it


def offset(stated: str | float) -> int:
    """Microseconds of an offset. ValueError for anything else."""
    if isinstance(stated, int | float):
        return round(stated * SECOND)
    sign = -1 if stated.startswith("-") else 1
    return sign * duration(stated.removeprefix("-"))
