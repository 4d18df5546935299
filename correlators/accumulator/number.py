"""Number: what a field says to a sum, an average or a percentile; exact, so no order matters."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

DIGITS: Final = 9  # behind the point; half of a billionth goes to the even one
LARGEST: Final = 10**18  # and all beyond count as this
# No sum of numbers of 27 digits comes near 64 digits: nothing is ever rounded.
EXACT: Final = Context(prec=64, rounding=ROUND_HALF_EVEN)
NONE: Final = Decimal(0)

_UNIT: Final = Decimal(1).scaleb(-DIGITS)
_TEXT: Final = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?")


def numeral(value: object) -> str | None:
    """The text of the number that a value is or spells in JSON's way, None for all others.

    Booleans, NaN and the infinities are no numbers.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(min(max(value, -LARGEST), LARGEST))
    if isinstance(value, float):
        return _written(Decimal(repr(value))) if math.isfinite(value) else None
    if isinstance(value, str) and _TEXT.fullmatch(value) is not None:
        return _written(Decimal(value))
    return None


def _written(number: Decimal) -> str:
    if abs(number) >= LARGEST:
        return str(LARGEST if number > 0 else -LARGEST)
    if number.adjusted() < -DIGITS - 1:  # nothing of it is left, and its zeros may be many
        return "0"
    text = f"{number.quantize(_UNIT, context=EXACT):f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
