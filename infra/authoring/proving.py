"""Proving: the cases beside rules, run against the rules that are loaded."""

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol, Self, cast

from correlators.document import Document, Part, Problem
from correlators.ruleset import Ruleset
from infra.authoring.cases.stated import cases, faults
from infra.rules import RuleFile
from schemas.errors import Mistake

OF_ANY: Final = ("name", "rule")  # keys of a case that every kind of rule has
_WORD: Final = re.compile(
    r"\bname:\s+(yes|no|on|off|true|false|null|~)\s*(?:[,}#]|$)", re.IGNORECASE
)


class Outcome(NamedTuple):
    """A failed or passed case of a rule, or (without `case`) what its cases leave open.

    Without `rule`: what is wrong with a file of cases.
    """

    rule: str | None
    place: str
    case: str | None
    failures: tuple[str, ...]

    @classmethod
    def astray(cls, problem: Problem) -> Self:
        """A Problem with a file of cases as an Outcome."""
        where = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
        return cls(None, where, None, (problem.message,))

    def __str__(self) -> str:
        of = ", ".join(word for word in (self.rule, self.case) if word)
        return ": ".join(part for part in (self.place, of, "; ".join(self.failures)) if part)

    def row(self) -> dict[str, Any]:
        """As an object for programs."""
        return {
            "rule": self.rule,
            "case": self.case,
            "place": self.place,
            "passed": not self.failures,
            "failures": list(self.failures),
        }


Missing = Callable[[Iterable[Mapping[str, Any]]], Iterator[str]]


class Runner(Protocol):
    """What a module of infra/cases holds; it may have `missing(cases)` too, see detections."""

    def failures(self, ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
        """What is not as the case says."""
        ...


def proved(ruleset: Ruleset, files: Iterable[RuleFile]) -> Iterator[Outcome]:
    """Run the cases of these files. A rule without any is an Outcome with a failure.

    So is what stands in a file of cases and is none of a rule (an Outcome without `rule`).
    """
    rules = by_path(ruleset)
    for file in files:
        yield from map(Outcome.astray, faults(file))
        for kind, rule in rules.get(file.document.path, ()):
            if (stated := cases(file, rule)) is None:
                yield Outcome(rule, file.document.path, None, ("has no cases",))
            else:
                yield from run_cases(kind, ruleset, rule, stated, file.cases or file.document)


def run_cases(
    kind: str, ruleset: Ruleset, rule: str, stated: Iterable[Part], document: Document
) -> Iterator[Outcome]:
    """The outcome of each case of one rule; they stand in `document`.

    `kind` is the folder of such rules, or `habits`; the module of that name in infra/cases knows
    their cases.
    """
    runner = cast("Runner", importlib.import_module(f"infra.authoring.cases.{kind}"))
    stated, lines = list(stated), document.text.split("\n")
    for case in stated:
        failures = tuple(_failures(runner, ruleset, rule, case))
        yield Outcome(rule, f"{case.path}:{case.line}", _name(case, lines), failures)
    missing: Missing | None = getattr(runner, "missing", None)
    open_ = tuple(missing(case.data for case in stated)) if missing is not None else ()
    if open_:
        yield Outcome(rule, document.path, None, open_)


def _name(case: Part, lines: list[str]) -> str:
    """The name of a case as it is written, where YAML takes `no` for a boolean; else its place."""
    name = case.data.get("name", f"{case.path}:{case.line}")
    if isinstance(name, bool | None):
        line = case.line_of("name")
        written = _WORD.search("".join(lines[line - 1 : line]))
        return written[1] if written else str(name)
    return str(name)


def _failures(runner: Runner, ruleset: Ruleset, rule: str, case: Part) -> Iterator[str]:
    stated = {key: value for key, value in case.data.items() if key not in OF_ANY}
    try:
        yield from runner.failures(ruleset, rule, stated)
    except (AttributeError, LookupError, TypeError, ValueError, Mistake) as error:
        yield f"the case cannot be run: {error}"


def by_path(ruleset: Ruleset) -> dict[str, list[tuple[str, str]]]:
    """By file, the kind of cases (see `run_cases`) and the id of each rule in it."""
    kinds = {
        "detections": [
            (rule.detection.path, rule.detection.id)
            for rule in ruleset.rules
            if rule.detection.habit is None
        ],
        "habits": [(about.path, about.id) for about in ruleset.habits],
        "correlations": [(rule.path, rule.id) for rule in ruleset.correlations],
        "convergences": [(story.path, story.id) for story in ruleset.convergences],
    }
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, rules in kinds.items():
        for path, id_ in rules:
            found.setdefault(path, []).append((kind, id_))
    return found
