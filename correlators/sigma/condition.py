"""Condition: the selections of a rule and what it asks of them, parsed by pySigma and compiled."""

import re
from collections.abc import Collection, Iterable, Iterator
from math import prod
from typing import Any, Final, NamedTuple, cast

from sigma.conditions import ConditionOR
from sigma.exceptions import SigmaError
from sigma.rule.detection import SigmaDetection, SigmaDetectionItem, SigmaDetections
from sigma.types import SigmaFieldReference

from correlators.document import Faulty, Part, Problem
from correlators.sigma.comparison import test
from correlators.sigma.engine import ENGINE, POLICY
from correlators.sigma.placeholders import Tables, fill, left, names
from correlators.sigma.predicate import Predicate, predicate
from correlators.sigma.processing import Subject
from correlators.sigma.reads import reads
from correlators.sigma.values import is_list, is_object
from correlators.sigma.witness import Clause, clauses, sure
from correlators.sigma.wording import wording

MAX_CONDITION: Final = 2000  # characters
MAX_VALUES: Final = 100_000  # of one rule, with what modifiers turn each of them into
MAX_MODIFIERS: Final = 8  # of one field; those that encode make each value longer
MAX_NESTING: Final = 100  # brackets and `not`; at each of them parser and predicate may recurse

_WORD: Final = re.compile(r"(?<![\w*-])(AND|OR|NOT)(?![\w*-])")
_NESTING: Final = re.compile(r"\(|\bnot\b", re.IGNORECASE)
_DIGITS: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")  # a number of YAML too
_DASH: Final = re.compile("\\B[\u2013\u2014\u2015]\\b")  # those that pySigma does not look for
_EXACT: Final = 2**53
_RENAMED: Final = {"utf16le": "wide"}  # the specification has two names for it, pySigma one
# These speak of one field; a keyword is looked for inside of every value.
_NEED_FIELD: Final = frozenset({"endswith", "exists", "fieldref", "startswith"})
_ANCHORS: Final = {"startswith": r"\A", "endswith": r"\z"}
_VARIANTS: Final = {"windash": 5**3, "base64offset": 3}
_NO_SELECTIONS: Final = frozenset({"condition", "rules"})

_AT: Final = "(at char "  # in what the parser says

Place = tuple[str | int, ...]


class Compiled(NamedTuple):
    """A condition as a function of a record, its witnesses, and what it was made of.

    `sure`: the witnesses are all that it asks. `reads`: the fields whose values decide; None if all
    of the record does.
    """

    holds: Predicate
    clauses: tuple[Clause, ...]
    sure: bool
    detections: SigmaDetections
    reads: frozenset[str] | None


class Item(NamedTuple):
    """A field with its modifiers (`key`), or keywords (no key), and its values."""

    key: str | None
    values: list[Any]
    place: Place


def compiled(part: Part, section: str, subject: Subject) -> Compiled:
    """Compile the condition of a section of `part`; Faulty with each Problem and its line.

    `subject` is the rule that it belongs to, on its way through pipelines and placeholders.
    Beyond what pySigma refuses: `all` of one value and null among other values have no meaning, nor
    have keywords with a modifier that speaks of a field. AND, OR and NOT are operators too.
    """
    selections = _selections(part, section)
    found = [item for name, value in selections.items() for item in _items(value, (section, name))]
    problems = [problem for item in found for problem in _meaningless(part, item)]
    if sum(map(_variants, found)) > MAX_VALUES:
        problems.append(part.problem(f"the rule has more than {MAX_VALUES} values", section))
    if problems:
        raise Faulty(*problems)
    try:
        parsed = subject.process(stated(part, section))
        unfilled = {name for detection in parsed.detections.values() for name in left(detection)}
        if unfilled:
            raise Faulty(*_unfilled(part, section, found, unfilled))
        trees = [condition.parse() for condition in parsed.parsed_condition]
        if None in trees:
            message = "the pipeline leaves nothing of the condition"
            raise Faulty(part.problem(message, section, "condition"))
        tree = trees[0] if len(trees) == 1 else ConditionOR(cast("list[Any]", trees))
        return Compiled(predicate(tree), clauses(tree), sure(tree), parsed, reads(tree))
    except (SigmaError, ENGINE.error, RecursionError) as error:
        where = [problem for item in found for problem in _unreadable(part, item, subject.tables)]
        raise Faulty(*where or [_refused(part, section, error)]) from error


def stated(part: Part, section: str) -> SigmaDetections:
    """Selections and condition as pySigma reads them; its SigmaError where it does not."""
    selections: dict[str, Any] = _spelled(_selections(part, section))
    conditions = {"condition": _conditions(part, section)}
    return SigmaDetections.from_dict(selections | conditions, policy=POLICY)


def skeleton(part: Part, section: str) -> SigmaDetections:
    """The condition of a section over selections of its names that all ask for one same thing."""
    detections: dict[str, Any] = {name: {"never": 1} for name in _selections(part, section)}
    detections["condition"] = _conditions(part, section)
    return SigmaDetections.from_dict(detections, policy=POLICY)


def where_nothing_holds(part: Part, section: str) -> bool:
    """What the condition of a section says of a record for which none of its selections holds."""
    try:
        conditions = skeleton(part, section).parsed_condition
        return any(predicate(condition.parse())({}) for condition in conditions)
    except (SigmaError, RecursionError) as error:
        raise Faulty(_refused(part, section, error)) from error


def negations(part: Part, section: str) -> Iterator[Place]:
    """Where selections of a section have the modifier `neq`."""
    for name, value in _selections(part, section).items():
        for item in _items(value, (section, name)):
            if "neq" in (item.key or "").split("|"):
                yield item.place


def _selections(part: Part, section: str) -> dict[str, Any]:
    held = part.data[section].items()
    return {name: value for name, value in held if name not in _NO_SELECTIONS}


def _conditions(part: Part, section: str) -> list[str]:
    names = part.data[section]
    stated = names.get("condition")
    conditions: list[str] = []
    for condition in stated if is_list(stated) else [stated]:
        if not isinstance(condition, str):
            raise Faulty(part.problem("a text is needed as `condition`", section, "condition"))
        if len(condition) > MAX_CONDITION:
            message = f"the condition is longer than {MAX_CONDITION} characters"
            raise Faulty(part.problem(message, section, "condition"))
        if len(_NESTING.findall(condition)) > MAX_NESTING:
            message = f"the condition has more than {MAX_NESTING} brackets and `not`"
            raise Faulty(part.problem(message, section, "condition"))
        conditions.append(
            _WORD.sub(lambda word: word[0] if word[0] in names else word[0].lower(), condition)
        )
    return conditions


def _items(selection: Any, place: Place) -> Iterator[Item]:  # noqa: ANN401 - any JSON-like value
    if is_object(selection):
        for key, value in selection.items():
            yield Item(key, value if is_list(value) else [value], (*place, key))
    elif is_list(selection) and any(is_object(value) for value in selection):
        for index, value in enumerate(selection):
            yield from _items(value, (*place, index))
    else:
        yield Item(None, selection if is_list(selection) else [selection], place)


def _meaningless(part: Part, item: Item) -> Iterator[Problem]:
    field, *modifiers = (item.key or "").split("|")
    if len(modifiers) > MAX_MODIFIERS:
        yield part.problem(f"a field takes at most {MAX_MODIFIERS} modifiers", *item.place)
    if not item.values:
        yield part.problem("a list of values is empty", *item.place)
    if any(is_object(value) or is_list(value) for value in item.values):
        yield part.problem("a field takes a value or a list of values", *item.place)
    if len(item.values) < 2 and "all" in modifiers:
        yield part.problem("`all` needs a list of two values or more", *item.place)
    if None in item.values and (len(item.values) > 1 or not field):
        yield part.problem(
            "null stands alone: give it a selection of its own and join the two by `or`",
            *item.place,
        )
    if "re" in modifiers and not all(isinstance(value, str) for value in item.values):
        yield part.problem("a regular expression is text: put it in quotes", *item.place)
    if not field and not _NEED_FIELD.isdisjoint(modifiers):
        yield part.problem(f"`{item.key}` needs a field before its modifier", *item.place)


def _variants(item: Item) -> int:
    return len(item.values) * prod(_VARIANTS.get(word, 1) for word in (item.key or "").split("|"))


def _unfilled(
    part: Part, section: str, items: Iterable[Item], unfilled: set[str]
) -> Iterator[Problem]:
    places = [
        (name, item.place)
        for item in items
        for value in _parsed(item).value
        for name in sorted(unfilled.intersection(names(value)))
    ]
    for name, place in places or [(name, (section, "condition")) for name in sorted(unfilled)]:
        message = (
            f"nothing fills the placeholder %{name}% of `expand`: give its values in a file,"
            f" `placeholders: {{{name}: [...]}}`, with --placeholders or `[rules] placeholders`"
        )
        yield part.problem(message, *place)


def _unreadable(part: Part, item: Item, tables: Tables) -> Iterator[Problem]:
    """What went wrong, found again with its line: pySigma does not know lines."""
    try:
        parsed = _parsed(item)
        fill(SigmaDetection([parsed]), tables)
        for value in parsed.value:
            if not any(names(value)) and not isinstance(value, SigmaFieldReference):
                test(value)
    except (SigmaError, ENGINE.error) as error:
        message = wording(error)
        if message.startswith("Modifier "):  # pySigma speaks of its classes
            message = f"a modifier of `{item.key}` does not go with {_unfit(item)}"
        yield part.problem(message, *item.place)


def _unfit(item: Item) -> str:
    """The value that the modifiers do not take, as YAML has it, and the mend."""
    value = next((one for one in item.values if not _goes(item, one)), item.values[0])
    if isinstance(value, str):
        bare = _DIGITS.fullmatch(value)
        return f"the text `{value[:40]}`" + (": leave the quotes away" if bare else "")
    if value is None:
        return "null"
    said = str(value).lower() if isinstance(value, bool) else f"the number {value}"
    return f"{said}: put it in quotes if you mean the text"


def _goes(item: Item, value: Any) -> bool:  # noqa: ANN401 - any YAML value
    try:
        _parsed(item._replace(values=[value]))
    except SigmaError:
        return False
    return True


def _parsed(item: Item) -> SigmaDetectionItem:
    key = None if item.key is None else _spelled_key(item.key)
    values = [_spelled(value, item.key or "") for value in item.values]
    return SigmaDetectionItem.from_mapping(key, values, policy=POLICY)


def _spelled(selection: Any, key: str = "") -> Any:  # noqa: ANN401 - any JSON-like value
    """The selection, or a value behind `key`, as pySigma understands it."""
    if is_object(selection):
        return {_spelled_key(key): _spelled(value, key) for key, value in selection.items()}
    if is_list(selection):
        return [_spelled(value, key) for value in selection]
    if isinstance(selection, int) and abs(selection) > _EXACT:
        return str(selection)  # its numbers pass through a float; as text it is compared exactly
    modifiers = key.split("|")[1:]
    if isinstance(selection, str) and "re" in modifiers:
        return _anchored(selection, modifiers)
    if isinstance(selection, str) and "windash" in modifiers:
        return _DASH.sub("-", selection)  # the specification has each stand for each
    return selection


def _anchored(pattern: str, modifiers: Collection[str]) -> str:
    """A pattern is found anywhere, and pySigma would say no more than that."""
    if _ANCHORS.keys().isdisjoint(modifiers):
        return pattern
    head, tail = (_ANCHORS[one] if one in modifiers else "" for one in _ANCHORS)
    return f"{head}(?:{pattern}){tail}"


def _spelled_key(key: str) -> str:
    field, *modifiers = key.split("|")
    return "|".join([field, *(_RENAMED.get(modifier, modifier) for modifier in modifiers)])


def _refused(part: Part, section: str, error: Exception) -> Problem:
    """What is wrong with the condition; of several, nobody says which it is."""
    conditions = _conditions(part, section)
    message = wording(error, _selections(part, section), conditions[0])
    if len(conditions) > 1 and _AT in str(error):
        message = "one of the conditions is not written as Sigma wants it"
    return part.problem(message, section, "condition")
