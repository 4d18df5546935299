"""ATR: a rule of Agent Threat Rules as the Sigma rule over our normal form that says the same.

ATR (MIT) matches regular expressions against texts that agents exchange. Its fields become the
attributes that hold these texts here; what a field or operator has no counterpart for is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from correlators.document import Faulty, Part, Problem
from correlators.normal import PRODUCT
from correlators.sigma.engine import ENGINE
from correlators.sigma.values import is_list, is_object

KEY: Final = "agent_source"  # no other kind of rule has it
SKILL: Final = "agent_skill"  # the service of records that hold a skill's files

# Where the normal form keeps the texts. `content` is whatever was said, by anyone.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "agent_output": ("gen_ai.output.messages",),
    "tool_args": ("gen_ai.tool.call.arguments",),
    "tool_description": ("gen_ai.tool.description", "gen_ai.tool.definitions"),
    "tool_input": ("gen_ai.tool.call.arguments",),
    "tool_name": ("gen_ai.tool.name",),
    "tool_response": ("gen_ai.tool.call.result",),
    "user_input": ("gen_ai.input.messages",),
}
_SAID: Final = (
    "body",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
    "gen_ai.tool.description",
)
# All but `exact` ignore case in ATR's own engine.
_OPERATORS: Final = {
    "contains": "|contains",
    "exact": "|cased",
    "regex": "|re|i",
    "starts_with": "|startswith",
}
_NOT: Final = re.compile(r"\bnot\b", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_STATUS: Final = {"draft": "experimental"}
_LEVELS: Final = frozenset({"informational", "low", "medium", "high", "critical"})
# JavaScript's two ways to name a character; half of a surrogate pair is none.
_CHARACTER: Final = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(?:\{([0-9a-fA-F]{1,6})\}|((?![dD][89a-fA-F])[0-9a-fA-F]{4}))"
)
_ATLAS: Final = re.compile(r"AML\.(TA?\d{4}(?:\.\d{3})?)")
_OWASP: Final = re.compile(r"(LLM|ASI)(\d\d)\b")
_WORDS: Final = re.compile(r"[^a-z0-9]+")


_WILD: Final = re.compile(r"([\\*?])")

Place = tuple[str | int, ...]


class Translated(NamedTuple):
    """The document as a Sigma rule, and what of it cannot run here."""

    part: Part
    lost: tuple[Problem, ...]


class _Stated(NamedTuple):
    """One condition: the name of its selection, a field, and patterns of which one must match."""

    name: str
    field: str
    operator: str
    cased: bool
    patterns: list[tuple[Any, Place]]
    place: Place


def sigma(part: Part) -> Translated:
    """The Sigma rule that an ATR document amounts to. Faulty where nothing of it can run.

    A pattern that RE2 cannot run is left out, and told, where without it the rule matches less. A
    rule that would match more without it, or never, is refused.
    """
    conditions = list(_conditions(part))
    condition, any_ = _condition(part)
    selections: dict[str, Any] = {}
    lines: dict[Place, int] = {("detection",): part.line_of("detection")}
    lost: list[Problem] = []
    for stated in conditions:
        values: list[str] = []
        for pattern, place in stated.patterns:
            value = _value(part, pattern, stated.operator, place)
            if isinstance(value, Problem):
                lost.append(value)
            else:
                values.append(value)
        if values:
            selections[stated.name] = found = _selection(stated, values)
            line = part.line_of(*stated.patterns[0][1])
            _put_lines(lines, ("detection", stated.name), found, line)
    complete = len(selections) == len(conditions)
    if not selections or (lost and (_NOT.search(condition) or not (any_ or complete))):
        raise Faulty(*lost)
    head = _head(part)
    lines |= {(key,): part.line_of(of) for key, of in _FROM.items() if key in head}
    lines["detection", "condition"] = part.line_of("detection", "condition")
    head["detection"] = selections | {"condition": condition}
    count = sum(len(stated.patterns) for stated in conditions)
    return Translated(Part(part.path, part.line, head, lines), tuple(_counted(lost, count)))


def _condition(part: Part) -> tuple[str, bool]:
    """The condition for Sigma, and whether it asks for any one of all selections."""
    stated = str(part.data["detection"].get("condition", "any")).strip()
    if stated.lower() in {"any", "or"}:
        return "1 of them", True
    return ("all of them" if stated.lower() in {"all", "and"} else stated), False


def _conditions(part: Part) -> Iterator[_Stated]:
    """The two ways to write conditions: a list of them, or a map by name with lists of patterns."""
    detection = part.data.get("detection")
    stated = detection.get("conditions") if is_object(detection) else None
    if is_list(stated) and stated:
        for number, one in enumerate(stated):
            place: Place = ("detection", "conditions", number)
            yield _stated(part, one, f"pattern_{number + 1}", place, "value", "operator")
    elif is_object(stated) and stated:
        for name, one in stated.items():
            place = ("detection", "conditions", name)
            if not _NAME.fullmatch(name):
                raise Faulty(part.problem(f"`{name}` is no name for a condition", *place))
            yield _stated(part, one, name, place, "patterns", "match_type")
    else:
        raise Faulty(part.problem("an ATR rule has `detection.conditions`", "detection"))


def _stated(part: Part, one: Any, name: str, place: Place, values: str, how: str) -> _Stated:  # noqa: ANN401
    if not is_object(one) or "field" not in one or values not in one:
        message = f"a condition has `field` and `{values}`; steps and metrics are not taken"
        raise Faulty(part.problem(message, *place))
    field, operator = str(one["field"]), str(one.get(how, "regex"))
    if field != "content" and field not in FIELDS:
        known = ", ".join(("content", *FIELDS))
        raise Faulty(part.problem(f"`{field}` is none of the fields {known}", *place, "field"))
    if operator not in _OPERATORS:
        known = ", ".join(_OPERATORS)
        raise Faulty(part.problem(f"`{operator}` is none of the operators {known}", *place, how))
    held = one[values]
    patterns: list[tuple[Any, Place]] = (
        [(value, (*place, values, number)) for number, value in enumerate(held)]
        if is_list(held)
        else [(held, (*place, values))]
    )
    if not patterns:
        raise Faulty(part.problem("a list of patterns is empty", *place, values))
    return _Stated(name, field, operator, one.get("case_sensitive") is True, patterns, place)


def _value(part: Part, pattern: Any, operator: str, place: Place) -> str | Problem:  # noqa: ANN401
    """The pattern as Sigma writes it, or why it cannot run."""
    if not isinstance(pattern, str) or not pattern:
        raise Faulty(part.problem("a pattern is text: put it in quotes", *place))
    if operator != "regex":
        return _WILD.sub(r"\\\1", pattern)  # Sigma's wildcards are plain text in ATR
    value = _CHARACTER.sub(r"\1\\x{\2\3}", pattern)
    try:
        ENGINE.compile(value)
    except ENGINE.error as error:
        return part.problem(str(error), *place)
    return value


def _selection(stated: _Stated, values: list[str]) -> Any:  # noqa: ANN401 - any JSON-like value
    key = _OPERATORS[stated.operator]
    if stated.cased:
        key = "|re" if stated.operator == "regex" else f"{key.removesuffix('|cased')}|cased"
    fields = _SAID if stated.field == "content" else FIELDS[stated.field]
    value = values[0] if len(values) == 1 else values
    if len(fields) == 1:
        return {fields[0] + key: value}
    return [{one + key: value} for one in fields]


def _put_lines(lines: dict[Place, int], place: Place, held: Any, line: int) -> None:  # noqa: ANN401
    lines[place] = line
    if is_object(held) or is_list(held):
        for key, below in held.items() if is_object(held) else enumerate(held):
            _put_lines(lines, (*place, key), below, line)


# Sigma's key <- the key of ATR whose line it has.
_FROM: Final = {
    "title": "title",
    "name": "id",
    "status": "status",
    "level": "severity",
    "author": "author",
    "tags": "tags",
    "logsource": "agent_source",
}


def _head(part: Part) -> dict[str, Any]:
    data = part.data
    tags = data.get("tags")
    tagged = tags if is_object(tags) else {}
    status, level = str(data.get("status", "")).lower(), str(data.get("severity", "")).lower()
    if level not in _LEVELS:
        known = "informational, low, medium, high, critical"
        raise Faulty(part.problem(f"the severity is one of {known}", "severity"))
    skill = tagged.get("scan_target") == "skill"
    return {
        "title": str(data.get("title", ""))[:256],
        "name": str(data.get("id", part.stem)),
        "status": _STATUS.get(status, status or "experimental"),
        "description": str(data.get("description", "")),
        "author": str(data.get("author", "ATR")),
        "date": str(data.get("date", "")).replace("/", "-"),
        "logsource": {"product": PRODUCT} | ({"service": SKILL} if skill else {}),
        "level": level,
        "tags": list(dict.fromkeys(_tags(data, tagged))),
        # All of them read the same texts: two that match are no independent evidence.
        "barograph": {"family": "atr"},
    }


def _tags(data: Mapping[str, Any], tagged: Mapping[str, Any]) -> Iterator[str]:
    references = data.get("references")
    stated = references.values() if is_object(references) else ()
    for text in (str(one) for listed in stated if is_list(listed) for one in listed):
        if (atlas := _ATLAS.search(text)) is not None:
            yield f"atlas.aml-{atlas[1].lower()}"
        elif (owasp := _OWASP.match(text)) is not None:
            yield f"owasp.{owasp[1].lower()}{owasp[2]}"
    for key in ("category", "subcategory"):
        if word := _WORDS.sub("-", str(tagged.get(key) or "").lower()).strip("-"):
            yield f"atr.{word}"


def _counted(lost: list[Problem], of: int) -> Iterator[Problem]:
    for problem in lost:
        message = f"{len(lost)} of {of} patterns cannot run: {problem.message}"
        yield problem._replace(message=message)
