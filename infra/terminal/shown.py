"""What people are shown: texts of records without their tricks, times, numbers, commands."""

import re
import shlex
from typing import Final

from schemas.times import DAY, HOUR, MINUTE, SECOND, rfc3339

MAX_TEXT = 1200  # characters of one text; records are written by strangers
_SPACES = str.maketrans("\n\r\t", "   ")

# Delete and the C1 controls: JSON lets them stand, a terminal acts on them.
_ACTING: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]")


def text(value: object, limit: int = MAX_TEXT) -> str:
    r"""One line in which nothing acts: no control, escape, bidirectional or invisible character.

    Such a character is written out (`\x1b`, `\u202e`); what is cut off at `limit` is counted.
    """
    whole = str(value).translate(_SPACES)
    cut = whole if len(whole) <= limit else f"{whole[:limit]}… (+{len(whole) - limit} characters)"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def inert(json: bytes) -> bytes:
    """JSON of the same value in which no character acts on a terminal."""
    return _ACTING.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), json)


def short(value: object, limit: int) -> str:
    """As `text`, at most `limit` characters: start and end of the rest, which tell ids apart."""
    whole = text(value)
    if len(whole) <= limit:
        return whole
    tail = limit // 3
    return f"{whole[: limit - tail - 1]}…{whole[-tail:]}"


def time(micros: int) -> str:
    """`2026-11-21 10:24:05`, UTC, to the second that has begun."""
    return rfc3339(micros)[:19].replace("T", " ")


def span(micros: int) -> str:
    """`90 min`, `3 h`, `2 d`: the largest unit of which there are at least two, rounded down."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if abs(micros) >= 2 * unit:
            return f"{int(micros / unit)} {name}"
    return f"{micros / SECOND:g} s"


def number(value: float) -> str:
    """`12,345` or `-0.912` with a true minus: groups of three, at most three decimals."""
    written = f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".")
    return written.replace("-", "\N{MINUS SIGN}")


def signed(points: int) -> str:
    """`+1,540`, `-300`, `0` with a true minus."""
    return f"{points:+,}".replace("-", "\N{MINUS SIGN}") if points else "0"


def percent(probability: float) -> str:
    """`38 %`; certainty is never claimed by rounding."""
    if 0 < probability < 0.01:
        return "< 1 %"
    if 0.99 < probability < 1:
        return "> 99 %"
    return f"{probability:.0%}".replace("%", " %")


def plural(count: int, noun: str) -> str:
    """`1 warning`, `2 warnings`, `3 watches`."""
    if count == 1:
        return f"1 {noun}"
    return f"{number(count)} {noun}{'es' if noun.endswith(('ch', 's')) else 's'}"


def command(*words: str) -> str:
    """A line for a shell that runs `barograph` with exactly these words, if all are printable."""
    return text(shlex.join(("barograph", *words)))
