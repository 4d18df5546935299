"""Lacking: what a regular expression asks for that RE2 does not have, and the mend."""

import re
from typing import Final

LONGEST: Final = 20_000  # characters that are looked at

# Escapes and classes are read as a whole, so that what is in them is no construct.
_TOKEN: Final = re.compile(
    r"\\(?P<escape>[0-9A-Za-z])|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|(?P<group>\(\?(?:<?[=!]|>|\(|#|R|&|\||P[=>]))|(?P<possessive>[*+?}]\+)",
    re.DOTALL,
)
_BEHIND_NOT: Final = "say in a selection behind `not` what must not be there"
_WHOLE: Final = "leave it away, RE2 never goes back"
_GROUPS: Final = {
    "(?=": ("lookahead", "ask for it in a second value with `all`"),
    "(?!": ("lookahead", _BEHIND_NOT),
    "(?<=": ("lookbehind", "take what stands before into the pattern"),
    "(?<!": ("lookbehind", _BEHIND_NOT),
    "(?>": ("atomic group", _WHOLE),
    "(?(": ("conditional", "write one pattern for each case"),
    "(?#": ("comment", "leave it away"),
    "(?R": ("recursion", "write out as many levels as you need"),
    "(?&": ("recursion", "write out as many levels as you need"),
    "(?P>": ("recursion", "write out as many levels as you need"),
    "(?|": ("branch reset", "use `(?:`"),
    "(?P=": ("backreference", "write out what is repeated"),
}
_ESCAPES: Final = {
    **dict.fromkeys("123456789kg", ("backreference", "write out what is repeated")),
    "u": ("escape of that name", "write `\\x{...}`"),
    "Z": ("escape of that name", "write `\\z`"),
    "G": ("anchor of that name", "leave it away"),
    "K": ("escape of that name", "leave it away"),
    "R": ("escape of that name", "write `\\r?\\n`"),
    "h": ("escape of that name", "write `[ \\t]`"),
}


def lacks(pattern: str) -> str | None:
    """What of `pattern` RE2 lacks, and the mend; None where it is something else that is wrong."""
    for token in _TOKEN.finditer(pattern[:LONGEST]):
        if (letter := token["escape"]) is not None and letter in _ESCAPES:
            return _said(_ESCAPES[letter], token[0])
        if (group := token["group"]) is not None:
            return _said(_GROUPS[group], group)
        if (possessive := token["possessive"]) is not None:
            return _said(("possessive quantifier", _WHOLE), possessive)
    return None


def _said(known: tuple[str, str], written: str) -> str:
    name, mend = known
    return f"RE2 has no {name} `{written}`: {mend}"
