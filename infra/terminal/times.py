"""Times and spans as options of commands; what is none is told like any wrong option."""

from __future__ import annotations

import argparse

from schemas.times import DAY, SECOND, parse


def moment(text: str) -> int:
    """Microseconds of an RFC 3339 time."""
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; give one like 2026-03-04T00:00:00Z") from error


def seconds(text: str) -> int:
    """Microseconds of a number of seconds from 0 to a year."""
    try:
        span = float(text)
    except ValueError:
        span = -1.0
    if not 0 <= span <= 365 * DAY // SECOND:  # neither is what is no number
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to a year")
    return round(span * SECOND)
