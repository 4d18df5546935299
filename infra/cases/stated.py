"""Stated: where the cases of a rule are, in the file beside it or, of ATR, inside the rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from correlators.document import Part, Problem, listed, parts
from correlators.sigma import atr
from correlators.sigma.values import is_list, is_object
from infra.cases.detections import NORMAL
from infra.rules import RuleFile

_INSIDE: Final = "test_cases"
_SAID: Final = "body"  # of the texts that `content` means, one is enough
_EXPECTED: Final = {"true_positives": True, "true_negatives": False}


def cases(file: RuleFile, rule: str) -> list[Part | Problem] | None:
    """The cases of a rule of the file, in order; None if it has none."""
    if file.cases is not None:
        return list(listed(file.cases))
    if not carries(file):
        return None
    threats = (part for part in parts(file.document) if isinstance(part, Part))
    found: list[Part | Problem] = [
        case
        for part in threats
        if atr.KEY in part.data and str(part.data.get("id", part.stem)) == rule
        for case in _inside(part)
    ]
    return found or None


def carries(file: RuleFile) -> bool:
    """True if the file may be of ATR, with cases inside; it is not parsed for this."""
    text = file.document.text
    return f"\n{atr.KEY}:" in text and f"\n{_INSIDE}:" in text


def _inside(part: Part) -> Iterator[Part]:
    """The cases of an ATR rule as cases of a detection; evasions are misses that it admits."""
    detection, stated = part.data.get("detection"), part.data.get(_INSIDE)
    conditions = detection.get("conditions") if is_object(detection) else None
    named = conditions.values() if is_object(conditions) else conditions or ()
    asked = dict.fromkeys(str(one.get("field")) for one in named if is_object(one))
    for kind, expected in _EXPECTED.items():
        held = stated.get(kind) if is_object(stated) else None
        for number, case in enumerate(held if is_list(held) else ()):
            if is_object(case):
                data = {
                    "name": str(case.get("description") or f"{kind} {number + 1}"),
                    "source": NORMAL,
                    "event": _event(list(asked), case),
                    "match": expected,
                }
                yield Part(part.path, part.line_of(_INSIDE, kind, number), data, {})


def _event(asked: list[str], case: dict[str, Any]) -> dict[str, str]:
    """The normal form of a case: `input` is the text that the rule looks at, whatever that is."""
    texts: dict[str, Any] = dict.fromkeys(asked, case["input"]) if "input" in case else {}
    texts |= {name: case[name] for name in ("content", *atr.FIELDS) if name in case}
    called = case.get("tool_call")
    if is_object(called):
        texts |= {"tool_name": called.get("name", ""), "tool_args": called.get("args", "")}
    return {
        name: text if isinstance(text, str) else orjson.dumps(text).decode()
        for field, text in texts.items()
        for name in atr.FIELDS.get(field, (_SAID,))
    }
