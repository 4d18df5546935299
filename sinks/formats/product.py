"""Product: what we call ourselves where a format asks."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version as installed
from typing import Final

NAME: Final = "Barograph"


@cache
def version() -> str:
    """The version of this distribution."""
    return installed("barograph")
