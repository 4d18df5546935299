"""Cues: what in the texts of tool definitions speaks to the model instead of describing the tool.

A cue is no verdict: a search tool names URLs, a delete tool is destructive. Rules say which cues
together are suspicious. Every repetition is bounded, so that no text makes a pattern slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, cast

_READ: Final = 1_048_576  # characters of one list that are read: at most some 100 ms
_NESTED: Final = 10_000  # values inside one definition that are looked at
_TOOLS: Final = 2_000  # tools of one list
_NO_PROSE: Final = frozenset({"$id", "$ref", "$schema", "format", "name", "pattern", "type"})

_GAP: Final = r"(?:[\w'-]{1,20},? ){0,4}"  # a few words
_MODEL: Final = r"(?:ai|agent|assistant|chatbot|llm|model)"
_ACT: Final = (
    r"(?:add|append|attach|bcc|call|cop(?:y|ies)|creat|download|execut|exfiltrat|forward|includ"
    r"|install|invok|log|post|read|record|run|send|shar|submit|transmit|upload|writ)"
)
# What is said, in small letters; each begins with a word.
_SAID: Final = {
    "conceal": (
        (
            rf"(?:do not|don'?t|never|must not|without|avoid|no need to) {_GAP}"
            r"(?:alert|disclos|inform|mention|notif|report|reveal|show|tell|warn)\w{0,4} "
            rf"{_GAP}users?\b"
        ),
        r"(?:conceal(?:ed)?|hidden|hide|secret) (?:it |them |this )?from (?:any |the )?users?\b",
        r"keep (?:this|it|them) (?:a )?(?:secret|hidden)\b",
        r"without (?:the )?user'?s? (?:consent|knowing|knowledge|noticing)\b",
        rf"(?:covertly|quietly|secretly|silently) (?:also )?{_ACT}",
    ),
    "credential": (
        r"(?:access|api|private|secret|signing|ssh)[ _-]?(?:key|token)s?\b",
        r"(?:auth|bearer|oauth|refresh|session)\w{0,12}[ _-]tokens?\b",
        r"(?:credentials?|pass(?:phrase|wd|word)s?|secrets|mcp\.json|id_(?:ecdsa|ed25519|rsa))\b",
    ),
    "destructive": (
        (
            r"(?:delet|destroy|drop|eras|overwrit|purg|remov|terminat|truncat|uninstall|wip)"
            r"(?:e|es|ed|ing|ion|ped|ping|s)?\b"
        ),
        r"rm -\w{0,4}[rf]",
    ),
    "instruction": (
        (
            r"(?:bypass|disregard|forget|ignor|overrid|replac)(?:e|es|ing)? "
            rf"{_GAP}(?:guardrail|guideline|instruction|polic|prompt|restriction|rule|safety)"
        ),
        (
            rf"(?:an?|any|the) (?:ai )?{_MODEL} "
            r"(?:has to|is required to|must|needs to|shall|should)\b"
        ),
        (
            r"(?:after|before|prior to|when|whenever) (?:you )?"
            r"(?:call|calling|invoking|run|running|use|using) "
            r"(?:all|another|any|each|every|other|the other)\b"
        ),
        r"(?:always|first|must) (?:always |also |first )?(?:call|invoke|run|use) (?:the|this)\b",
        (
            r"you (?:are required to|have to|must|shall) "
            r"(?:also|always|first|forward|include|never|not|now|pass|read|send)\b"
        ),
        r"(?:system prompt|adopt the persona)\b",
        r"follow (?:all |any |the )?instructions (?:from|in)\b",
        rf"you are now (?:an? |in )?(?:[\w-]{{1,20}} )?(?:mode|{_MODEL})\b",
        r"without (?:asking|confirmation|user (?:approval|confirmation))\b",
    ),
    "url": (r"https?://|www\.\w",),
}
_PATTERNS: Final = (
    *((cue, re.compile(rf"\b(?:{'|'.join(said)})")) for cue, said in _SAID.items()),
    ("credential", re.compile(r"\.(?:aws|env|kube|netrc|npmrc|pgpass|ssh)\b")),
    ("instruction", re.compile(r"<\s?/?\s?(?:critical|hidden|important|instruct|secret|system)")),
)

# Shows nothing and is read: tag characters outside flags, zero-width and bidirectional controls,
# joiners inside Latin words, runs of variation selectors, terminal escapes. Scripts without spaces
# between words have zero-width ones there.
_HIDDEN: Final = re.compile(
    "(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0001-\U000e007f]"
    "|[\u180e\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164]|(?<=[^\n])\ufeff"
    "|(?<![\u0e00-\u109f\u1780-\u17ff])\u200b"
    "|(?<=[A-Za-z0-9])[\u200c\u200d](?=[A-Za-z0-9])"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3}|\x1b|\x9b"
)
# Marks of direction, which texts written from right to left need.
_MARKS: Final = re.compile("[\u200e\u200f]")
_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_WORD: Final = re.compile(r"[A-Za-z][\w.-]{3,127}")
_MADE_UP: Final = re.compile(r"[\w.-]*(?:[a-z][A-Z]|\w[_.-]\w)[\w.-]*")  # no word of a language


def cues(definitions: Sequence[object]) -> list[str]:
    """The classes of cues in the definitions of one tool list, sorted.

    conceal, credential, destructive, hidden_text, instruction, other_tool (a text names another
    tool of the list) and url. A definition is what `tools/list`, or a request to a model, shows of
    a tool: a `name`, perhaps inside `function`, and anything else, of which all texts are read.
    """
    shown = [_tool(definition) for definition in definitions[:_TOOLS]]
    names = {name for one in shown if _MADE_UP.fullmatch(name := str(one.get("name"))[:128])}
    found: set[str] = set()
    left = _READ
    for tool in shown:
        text = "\n".join(islice(_texts(tool), _NESTED))[:left]
        left -= len(text)
        small = text.lower()
        found.update(cue for cue, pattern in _PATTERNS if pattern.search(small))
        if hidden(text) or hidden(str(tool.get("name"))[:128]):
            found.add("hidden_text")
        if any(word != tool.get("name") and word in names for word in _WORD.findall(text)):
            found.add("other_tool")
        if _object(tool.get("annotations")).get("destructiveHint") is True:
            found.add("destructive")
    return sorted(found)


def hidden(text: str) -> bool:
    """True if the text holds characters that a reader does not see and a model reads."""
    if _HIDDEN.search(text) is not None:
        return True
    return _MARKS.search(text) is not None and _RIGHT_TO_LEFT.search(text) is None


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _tool(definition: object) -> dict[str, Any]:
    shown = _object(definition)
    return _object(shown.get("function")) or shown


def _texts(value: object) -> Iterator[str]:
    """The prose inside a JSON value, level by level: names of fields, then what they hold."""
    level: list[Any] = [value]
    while level:
        for one in level:
            if isinstance(one, str):
                yield one[:_READ]
        level = list(islice(chain.from_iterable(map(_inside, level)), _NESTED))


def _inside(value: object) -> Iterator[Any]:
    if isinstance(value, list):
        return iter(cast("Sequence[Any]", value))
    return (one for key, one in _object(value).items() if key not in _NO_PROSE)
