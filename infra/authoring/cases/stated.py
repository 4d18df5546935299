"""Stated: where the cases of a rule are, in the file beside it or, of ATR, inside the rule."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from correlators.document import Document, Part, Problem, listed, parts
from correlators.sigma import atr
from correlators.sigma.values import is_list, is_object
from infra.authoring.cases.detections import NORMAL
from infra.authoring.cases.shape import near
from infra.rules import RuleFile

_OWNER: Final = "rule"
_INSIDE: Final = "test_cases"
_SAID: Final = "body"  # of the texts that `content` means, one is enough
_EXPECTED: Final = {"true_positives": True, "true_negatives": False}


class _Beside(NamedTuple):
    """A file of cases, read: the cases of each rule by its place in the file of rules."""

    labels: tuple[tuple[str, ...], ...]
    cases: tuple[tuple[Part, ...], ...]
    faults: tuple[Problem, ...]


def cases(file: RuleFile, rule: str) -> list[Part] | None:
    """The cases of a rule of the file, in order; None if it has none."""
    if file.cases is not None:
        beside = _read(file.document, file.cases)
        places = (place for place, labels in enumerate(beside.labels) if rule in labels)
        place = 0 if len(beside.labels) == 1 else next(places, None)
        return None if place is None else list(beside.cases[place]) or None
    if not carries(file):
        return None
    threats = (part for part in parts(file.document) if isinstance(part, Part))
    found = [
        case
        for part in threats
        if atr.KEY in part.data and str(part.data.get("id", part.stem)) == rule
        for case in _inside(part)
    ]
    return found or None


def faults(file: RuleFile) -> tuple[Problem, ...]:
    """What the file of cases holds that is no case of a rule of the file; that it holds nothing."""
    return () if file.cases is None else _read(file.document, file.cases).faults


def proves(file: RuleFile, rule: str) -> bool:
    """True if a rule of the file has cases; those inside rules of ATR are not parsed for this."""
    return carries(file) if file.cases is None else cases(file, rule) is not None


@lru_cache(maxsize=4)  # each rule of a file asks for its cases
def _read(rules: Document, beside: Document) -> _Beside:
    stated = [part for part in parts(rules) if isinstance(part, Part) and "filter" not in part.data]
    labels = tuple(map(_labels, stated))
    found: tuple[list[Part], ...] = tuple([] for _ in labels)
    wrong: list[Problem] = []
    read = list(listed(beside))
    for case in read:
        if isinstance(case, Problem):
            wrong.append(case)
        elif isinstance(place := _owner(case, labels, rules.path), int):
            found[place].append(case)
        elif place is not None:
            wrong.append(case.problem(place, _OWNER))
    if not read:
        wrong.append(Problem(beside.path, None, "holds no cases: write some, or remove the file"))
    return _Beside(labels, tuple(map(tuple, found)), tuple(wrong))


def _owner(case: Part, labels: tuple[tuple[str, ...], ...], path: str) -> int | str | None:
    """The place of the rule that a case is of, or why there is none; None if no rule is read."""
    names = [one[0] for one in labels]
    if (stated := case.data.get(_OWNER)) is None:
        if len(labels) < 2:  # one rule needs no name
            return 0 if labels else None
        known = ", ".join(names)
        return f"the case names none of the {len(labels)} rules of {path}: say `rule:` ({known})"
    for place, one in enumerate(labels):
        if str(stated) in one:
            return place
    return f"`{stated}` is no rule of {path}{near(str(stated), names)}" if labels else None


def _labels(part: Part) -> tuple[str, ...]:
    """What a rule is called: by name, and by id as written and as it is loaded; else its file."""
    name, id_ = (part.data.get(key) for key in ("name", "id"))
    found = [str(name)] if name is not None else []
    found += [str(id_), str(id_).lower()] if id_ is not None else []
    return tuple(found) or (part.stem,)


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
