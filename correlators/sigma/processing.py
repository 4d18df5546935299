"""Processing: what is done to a rule before it is compiled: pySigma's pipelines, then placeholders.

A pipeline is data of the user, run by pySigma under our policy. What would reach beyond the rule is
refused when it is read: other files, addresses, commands and templates.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from sigma.exceptions import SigmaTransformationError
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.rule import SigmaRule
from sigma.rule.detection import SigmaDetection, SigmaDetections
from sigma.types import SigmaFieldReference

from correlators.document import Document, Faulty, Part, Problem, parts
from correlators.sigma.engine import ENGINE, POLICY
from correlators.sigma.placeholders import Tables, fill, tables
from correlators.sigma.values import is_list, is_object

_KEYS: Final[Mapping[str, type]] = {
    "name": str,
    "priority": int,
    "allowed_backends": list,  # of queries, whoever names the pipeline knows that it fits
    "vars": dict,
    "transformations": list,
}

# What they need lies outside of the rule, or is the text of a query.
_REFUSED: Final[Mapping[str, str]] = {
    "file_placeholders": "it reads a file: give its values in a table of placeholders",
    "http_placeholders": "it asks an address: give its values in a table of placeholders",
    "command_placeholders": "it runs a command: give its values in a table of placeholders",
    "query_expression_placeholders": "it makes text of a query, and there is none here",
    "field_name_transform": "it needs a function, which YAML has not",
}
_OF_QUERIES: Final = ("postprocessing", "finalizers")
# pySigma looks at few types before it uses them. Its own errors are ValueErrors.
_FAULTS: Final = (
    *(AttributeError, LookupError, RecursionError, TypeError, ValueError),
    *(ENGINE.error, re.error),
)
Told = TypeVar("Told")

_ANYTHING: Final[Mapping[str, Any]] = {"s": {"never": 1}, "condition": "s"}


@dataclass(frozen=True, slots=True)
class Processing:
    """One pipeline, made of all that are given in order of priority, and the tables after it.

    `sources` are the texts of both: rules that were processed by others are other rules.
    """

    pipeline: ProcessingPipeline | None = None
    tables: Tables = field(default_factory=dict[str, tuple[str, ...]])
    sources: tuple[str, ...] = ()


NONE: Final = Processing()


class Subject:
    """A rule on its way through the pipeline: `logsource` and `fields` are as that left them."""

    def __init__(self, processing: Processing, part: Part) -> None:
        self._processing = processing
        self._part = part
        self.tables = processing.tables
        self.logsource: Mapping[str, Any] = part.data["logsource"]
        self.fields: tuple[str, ...] = tuple(part.data.get("fields") or ())

    def process(self, detections: SigmaDetections) -> SigmaDetections:
        """The detections as pipeline and tables leave them. Faulty where the pipeline refuses."""
        if self._processing.pipeline is not None:
            rule = self._applied(detections, self._part.data.get("fields") or ())
            stated = rule.logsource
            self.fields = tuple(rule.fields)
            self.logsource = {
                "category": stated.category, "product": stated.product, "service": stated.service,
            }  # fmt: skip
            detections = rule.detection
        for detection in detections.detections.values():
            fill(detection, self.tables)
        return detections

    def renamed(self, name: str, stated: Callable[[], SigmaDetections]) -> str | None:
        """What the pipeline calls a field of this rule; None if it makes several or none of it.

        `stated` gives the detections as they stand in the document, anew each time.
        """
        added = len(self._applied(stated(), ()).fields)
        found = self._applied(stated(), (name,)).fields
        return found[0] if len(found) - added == 1 else None

    def _applied(self, detections: SigmaDetections, fields: Iterable[str]) -> SigmaRule:
        pipeline = cast("ProcessingPipeline", self._processing.pipeline)
        try:
            rule = SigmaRule.from_dict(
                _plain(self._part.data) | {"detection": dict(_ANYTHING)},
                collect_errors=True,  # what is wrong with it is ours to say
                policy=POLICY,
            )
            rule.detection = detections
            rule.fields = list(fields)
            pipeline.apply(rule)
            _named(rule)
        except SigmaTransformationError as error:
            raise Faulty(self._part.problem(f"the pipeline refuses it: {_said(error)}")) from error
        except _FAULTS as error:
            message = f"the pipeline cannot be applied: {_said(error)}"
            raise Faulty(self._part.problem(message)) from error
        return rule


def processing(pipelines: Iterable[Document], placeholders: Iterable[Document]) -> Processing:
    """What these files say; Faulty with all that is wrong with them."""
    problems: list[Problem] = []
    sources: list[str] = []
    found = list(_each(pipelines, _pipeline, sources, problems))
    values: dict[str, tuple[str, ...]] = {}
    for table in _each(placeholders, tables, sources, problems):
        values |= table
    if problems:
        raise Faulty(*problems)
    found.sort(key=lambda one: one.priority)
    whole: ProcessingPipeline | None = sum(found, cast("Any", 0)) if found else None
    return Processing(whole, values, tuple(sources))


def _each(
    documents: Iterable[Document],
    read: Callable[[Part], Told],
    sources: list[str],
    problems: list[Problem],
) -> Iterator[Told]:
    """What `read` makes of each document; texts and problems go to the lists."""
    for document in documents:
        sources.append(document.text)
        for part in parts(document):
            if isinstance(part, Problem):
                problems.append(part)
                continue
            try:
                yield read(part)
            except Faulty as faulty:
                problems += faulty.problems


def _pipeline(part: Part) -> ProcessingPipeline:
    problems = list(_not_taken(part))
    made: list[ProcessingItem] = []
    items = part.data.get("transformations", [])
    for index, item in enumerate(items if is_list(items) else []):
        try:
            _within(item)
            made.append(ProcessingItem.from_dict(item, policy=POLICY))
        except _FAULTS as error:
            problems.append(part.problem(_said(error), "transformations", index))
    if problems:
        raise Faulty(*problems)
    return ProcessingPipeline(
        items=made,
        vars=part.data.get("vars", {}),
        priority=part.data.get("priority", 0),
        name=part.data.get("name"),
        policy=POLICY,
    )


def _not_taken(part: Part) -> Iterator[Problem]:
    """What of a pipeline is not for us, or of another type than it must be."""
    for key, value in part.data.items():
        if key in _OF_QUERIES:
            message = f"`{key}` works on the text of a query, and there is none here: remove it"
            yield part.problem(message, key)
        elif key not in _KEYS:
            yield part.problem(f"`{key}` is no key of a pipeline", key)
        elif not isinstance(value, _KEYS[key]):
            yield part.problem(f"`{key}` is a {_KEYS[key].__name__}", key)


def _within(item: Any) -> None:  # noqa: ANN401 - any JSON-like value
    """TypeError where a transformation, or one nested in it, needs more than the rule."""
    if not is_object(item):
        raise TypeError("a transformation is a mapping with `type`")
    kind = item.get("type")
    if isinstance(kind, str) and kind in _REFUSED:
        raise TypeError(f"`{kind}` is not taken: {_REFUSED[kind]}")
    for nested in item.get("items", ()):
        _within(nested)


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a rule that hold text or lists of text: pySigma looks into the others deeply."""
    return {key: value for key, value in data.items() if key == "logsource" or _is_plain(value)}


def _is_plain(value: Any) -> bool:  # noqa: ANN401 - any JSON-like value
    values: Sequence[Any] = value if is_list(value) else [value]
    return all(isinstance(each, str) for each in values)


def _named(rule: SigmaRule) -> None:
    """TypeError where a pipeline has made something else than text of the name of a field."""
    listed: Any = rule.fields  # whatever `set_field` says
    if not is_list(listed):
        raise TypeError("it makes something else than a list of `fields`")
    fields = listed.copy()
    for detection in rule.detection.detections.values():
        fields += _fields(detection)
    for name in fields:
        if not isinstance(name, str):
            raise TypeError(f"it calls a field `{name}`, which is no text")


def _fields(detection: SigmaDetection) -> Iterator[Any]:
    """The names of the fields of a detection, keywords aside."""
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            yield from _fields(item)
            continue
        if item.field is not None:
            yield item.field
        yield from (value.field for value in item.value if isinstance(value, SigmaFieldReference))


def _said(error: Exception) -> str:
    message = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return f"{message} is missing" if isinstance(error, KeyError) else message
