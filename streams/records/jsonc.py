"""JSONC: JSON as editors let people write it, with comments and commas too many, made JSON."""

from __future__ import annotations

import re
from typing import Final

# What has no end reaches to the end: else each beginning inside it would be tried anew.
_TEXT: Final = rb'"(?:[^"\\]|\\.)*+(?:"|\Z)'
_COMMENT: Final = re.compile(_TEXT + rb"|(?P<out>//[^\r\n]*|/\*(?:.*?\*/|.*))", re.DOTALL)
_COMMA: Final = re.compile(_TEXT + rb"|(?P<out>,)(?=\s*+[}\]])", re.DOTALL)


def plain(document: bytes) -> bytes:
    """The same document, with blanks where a comment or a comma too many stood."""
    for pattern in (_COMMENT, _COMMA):
        document = pattern.sub(_blank, document)
    return document


def _blank(found: re.Match[bytes]) -> bytes:
    return found[0] if found["out"] is None else b" " * len(found[0])
