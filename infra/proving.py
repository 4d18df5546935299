"""Proving: the cases beside rules, run against the rules that are loaded."""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol, cast

from correlators.document import Part, Problem
from correlators.ruleset import Ruleset
from infra.cases.stated import cases
from infra.rules import RuleFile
from schemas.errors import Mistake

OF_ANY: Final = ("name", "rule")  # keys of a case that every kind of rule has


class Outcome(NamedTuple):
    """A failed or passed case of a rule, or (without `case`) what its cases leave open."""

    rule: str
    place: str
    case: str | None
    failures: tuple[str, ...]

    def __str__(self) -> str:
        name = f"{self.rule}, {self.case}" if self.case else self.rule
        return f"{self.place}: {name}: {'; '.join(self.failures)}"

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
    """Run the cases of these files. A rule without any is an Outcome with a failure."""
    rules = by_path(ruleset)
    for file in files:
        for kind, rule in rules.get(file.document.path, ()):
            if (stated := cases(file, rule)) is None:
                yield Outcome(rule, file.document.path, None, ("has no cases",))
            else:
                path = (file.cases or file.document).path
                yield from run_cases(kind, ruleset, rule, stated, path)


def run_cases(
    kind: str, ruleset: Ruleset, rule: str, stated: Iterable[Part | Problem], path: str
) -> Iterator[Outcome]:
    """The outcome of each case of one rule; they stand in the file `path`.

    `kind` is the folder of such rules; the module of that name in infra/cases knows their cases.
    """
    runner = cast("Runner", importlib.import_module(f"infra.cases.{kind}"))
    read: list[Part] = []
    for case in stated:
        if isinstance(case, Problem):
            yield Outcome(rule, str(case.path), None, (str(case),))
            continue
        read.append(case)
        place = f"{case.path}:{case.line}"
        failures = tuple(_failures(runner, ruleset, rule, case))
        yield Outcome(rule, place, str(case.data.get("name", place)), failures)
    missing: Missing | None = getattr(runner, "missing", None)
    open_ = tuple(missing(case.data for case in read)) if missing is not None else ()
    if open_:
        yield Outcome(rule, path, None, open_)


def _failures(runner: Runner, ruleset: Ruleset, rule: str, case: Part) -> Iterator[str]:
    stated = {key: value for key, value in case.data.items() if key not in OF_ANY}
    try:
        yield from runner.failures(ruleset, rule, stated)
    except (AttributeError, LookupError, TypeError, ValueError, Mistake) as error:
        yield f"the case cannot be run: {error}"


def by_path(ruleset: Ruleset) -> dict[str, list[tuple[str, str]]]:
    """By file, the folder of such rules and the id of each rule in it."""
    kinds = {
        "detections": [(rule.detection.path, rule.detection.id) for rule in ruleset.rules],
        "correlations": [(rule.path, rule.id) for rule in ruleset.correlations],
        "convergences": [(story.path, story.id) for story in ruleset.convergences],
    }
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, rules in kinds.items():
        for path, id_ in rules:
            found.setdefault(path, []).append((kind, id_))
    return found
