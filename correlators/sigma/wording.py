"""Wording: what pySigma says of a condition or modifier, in a sentence of ours."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from sigma.modifiers import modifier_mapping

_OURS: Final = ("utf16le",)  # names of modifiers that the specification knows and pySigma does not
_SELECTION: Final = re.compile(r"Detection '(?P<name>.*)' not defined in detections")
_PATTERN: Final = re.compile(r"Selector '(?P<name>.*)' doesn't match any detection")
_MODIFIER: Final = re.compile(r"Unknown modifier '(?P<name>.*)'")
_PIPE: Final = "The pipe syntax in Sigma conditions"
_UTF16: Final = re.compile(
    r"(Wide|UTF-16|UTF-16BE) modifier only allowed .*input string '(?P<text>.*)' isn't one"
)
_SO_MANY: Final = re.compile(r"\b(?P<number>[2-9]|[1-9]\d+) of\b", re.IGNORECASE)
_GRAMMAR: Final = re.compile(
    r"(?P<wanted>Expected|Unbalanced) .*?\(at char (?P<at>\d+)\), \(line:\d+, col:\d+\)", re.DOTALL
)
_WORD: Final = re.compile(r"[\w*-]+|\S")


def meant(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` where one of the known names is like this one, else nothing."""
    like = get_close_matches(name, list(known), n=1)
    return f"; did you mean `{like[0]}`?" if like else ""


def wording(error: Exception, selections: Iterable[str] = (), condition: str = "") -> str:
    """What an error says, on one line; of a condition where that is known."""
    said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    if found := _SELECTION.fullmatch(said):
        return f"there is no selection `{found['name']}`{meant(found['name'], selections)}"
    if found := _PATTERN.fullmatch(said):
        pattern = found["name"].rpartition(" ")[2]
        return f"no selection is like `{pattern}`{meant(pattern, selections)}"
    if found := _MODIFIER.fullmatch(said):
        known = (*modifier_mapping, *_OURS)
        return f"there is no modifier `{found['name']}`{meant(found['name'], known)}"
    if found := _UTF16.fullmatch(said):
        return f"UTF-16 is made of ASCII text only, and `{found['text']}` is none"
    return _of_condition(said, condition)


def _of_condition(said: str, condition: str) -> str:
    if said.startswith(_PIPE):
        return "a condition has no `|` any more: count in a correlation, with a `timespan`"
    if found := _SO_MANY.search(condition):
        return (
            f"`{found['number']} of` is no Sigma: `1 of` or `all of`, or the cases joined by `or`"
        )
    if found := _GRAMMAR.match(said):
        return _grammar(found["wanted"], int(found["at"]), condition)
    return said


def _grammar(wanted: str, at: int, condition: str) -> str:
    here = _WORD.search(condition, at)
    word = "it ends" if here is None else f"`{here[0]}` stands"
    where = "" if here is None else f" at character {here.start() + 1}"
    if wanted == "Unbalanced":
        return "a bracket of the condition is not closed"
    before = condition[:at].strip()
    if before and not re.search(r"(\b(and|or|not)|\()$", before, re.IGNORECASE):
        return f"the condition wants `and` or `or` where {word}{where}"
    return f"the condition wants the name of a selection where {word}{where}"
