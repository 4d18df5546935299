"""Spelling: characters that no format of lines carries, written out as JSON writes them."""

from __future__ import annotations

import re
from typing import Final

# Receivers cut at NUL, split at newlines, and print what moves the cursor of a terminal.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_AND_CARET: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\^]")
_LINES: Final = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    r"""Control characters as `\u0007`; a backslash stays what it is."""
    return _CONTROL.sub(_hex, text)


def lines(text: str) -> str:
    """The same, but for newlines and carriage returns."""
    return _LINES.sub(_hex, text)


def caretless(text: str) -> str:
    r"""Control characters, `^` and the backslash as `\u005c`: nothing is lost, JSON reads it."""
    return _CONTROL_AND_CARET.sub(_hex, text)


def _hex(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
