"""Checking: what there is to say of rules before they run, each remark with its file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal, NamedTuple

from correlators.document import Part, Problem
from correlators.ruleset import Filtered, Ruleset
from correlators.sigma.outline import Node
from correlators.sigma.slips import keys, slips
from infra.authoring.asked import Unknown, of_correlation, of_detection, unchecked
from infra.authoring.cases.stated import faults, proves
from infra.authoring.filtering import Filtering
from infra.authoring.firing import Estate, Firing, firing, silent_legs
from infra.authoring.places import Places
from infra.authoring.renaming import hint
from infra.authoring.tagging import unknown
from infra.rules import RuleFile

RuleKind = Literal["detection", "correlation", "convergence"]
About = Literal[
    "problem",
    "lost-pattern",
    "unknown-field",
    "cannot-fire",
    "silent-leg",
    "idle-filter",
    "unused-selection",
    "always-true",
    "no-effect",
    "glob",
    "yaml-value",
    "unknown-key",
    "unknown-word",
    "unknown-tag",
    "unproved",
    "no-case",
]


class Remark(NamedTuple):
    """One thing that an author may want to change."""

    about: About
    path: str
    line: int | None
    rule: str | None
    message: str


class Row(NamedTuple):
    """What the three kinds of rules share."""

    kind: RuleKind
    id: str
    level: str
    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A rule that is loaded: where it stands, on what it can fire, what is odd about it.

    `unchecked` is the number of its fields that lie below open objects.
    """

    row: Row
    line: int
    firing: Firing
    proved: bool
    remarks: tuple[Remark, ...] = ()
    unchecked: int = 0


class Check(NamedTuple):
    """The rules of the files in question, in order, and what keeps others from being loaded.

    `cases`: what stands in files of cases and is none of a rule. `filters` is their number,
    `of_filters` what is odd about them.
    """

    rules: tuple[Checked, ...]
    problems: tuple[Remark, ...]
    cases: tuple[Remark, ...] = ()
    filters: int = 0
    of_filters: tuple[Remark, ...] = ()

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What is said of rules and filters that are loaded."""
        return (*(one for rule in self.rules for one in rule.remarks), *self.of_filters)


def rows(files: Iterable[RuleFile], ruleset: Ruleset) -> list[Row]:
    """The rules of these files, by kind and in the order of the files."""
    asked = {file.document.path for file in files}
    about = [rule.detection for rule in ruleset.rules]
    found = [Row("detection", r.id, r.level, r.title, r.path) for r in about]
    found += [Row("correlation", r.id, r.level, r.title, r.path) for r in ruleset.correlations]
    found += [Row("convergence", r.id, r.severity, r.title, r.path) for r in ruleset.convergences]
    return [row for row in found if row.path in asked]


def check(
    files: Iterable[RuleFile], ruleset: Ruleset, estate: Estate, stray: Iterable[Problem] = ()
) -> Check:
    """Everything that is to be said of the rules of these files, and of `stray` files of cases."""
    files = list(files)
    checking = _Checking(files, ruleset, estate)
    astray = [*(fault for file in files for fault in faults(file)), *stray]
    cases = tuple(Remark("no-case", p.path, p.line, None, p.message) for p in astray)
    wrong = sorted(ruleset.problems, key=lambda one: (one.path, one.line or 0))
    problems = tuple(Remark("problem", p.path, p.line, None, p.message) for p in wrong)
    asked = {file.document.path for file in files}
    filters = [one for one in ruleset.filters if one.filter.part.path in asked]
    filtering = Filtering(ruleset, estate)
    about = tuple(remark for one in filters for remark in _of_filter(one, filtering))
    checked = tuple(map(checking.rule, checking.rows))
    return Check(checked, problems, cases, len(filters), about)


def _of_filter(one: Filtered, filtering: Filtering) -> Iterator[Remark]:
    part = one.filter.part
    title = str(part.data["title"])
    for line, message in filtering.idle(one):
        yield Remark("idle-filter", part.path, line, title, message)
    for about, line, message in slips(part, "filter"):
        yield Remark(about, part.path, line, title, message)
    for line, message in filtering.unknown(one):
        yield Remark("unknown-field", part.path, line, title, message)


class _Checking:
    def __init__(self, files: list[RuleFile], ruleset: Ruleset, estate: Estate) -> None:
        self.rows = rows(files, ruleset)
        self._ruleset = ruleset
        self._estate = estate
        self._files = {file.document.path: file for file in files}
        self._places = Places((file.document for file in files), ruleset.processing)
        routed = {r.detection.id: estate.routed(r.detection.logsource) for r in ruleset.rules}
        self._routed = {id_: words for id_, words in routed.items() if words}
        self._correlations = {rule.id: rule for rule in ruleset.correlations}
        self._notes: dict[str, list[Problem]] = {}
        for note in ruleset.notes:
            self._notes.setdefault(note.path, []).append(note)

    def rule(self, row: Row) -> Checked:
        can, line = self._firing[row.id], self._places.line(row.path, row.id)
        said = list(self._remarks(row))
        if can.reason:
            said.append(Remark("cannot-fire", row.path, can.line or line, row.id, can.reason))
        proved = proves(self._files[row.path], row.id)
        if not proved:
            said.append(Remark("unproved", row.path, line, row.id, "has no cases"))
        tree = self._outlines.get(row.id)
        below = 0 if tree is None else unchecked(tree, self._routed[row.id])
        return Checked(row, line, can, proved, tuple(said), below)

    @cached_property
    def _outlines(self) -> dict[str, Node]:
        return {
            row.id: tree
            for row in self.rows
            if row.kind == "detection" and row.id in self._routed
            if (tree := self._places.outline(row.path, row.id)) is not None
        }

    @cached_property
    def _firing(self) -> dict[str, Firing]:
        return firing(self._ruleset, self._estate, self._outlines)

    def _remarks(self, row: Row) -> Iterator[Remark]:
        notes = self._notes.get(row.path, ())
        if row.kind == "detection" and row.id not in self._routed and not notes:
            return  # most rules of a large set: their files are not read again
        part = self._places.of(row.path, row.id)
        if part is None:
            return
        for note in notes:
            if self._places.owner(row.path, note.line) == part.line:
                yield Remark("lost-pattern", row.path, note.line, row.id, note.message)
        for line, message in unknown(part):
            yield Remark("unknown-tag", row.path, line, row.id, message)
        yield from self._silent(row, part) if row.kind == "convergence" else self._own(row, part)

    def _own(self, row: Row, part: Part) -> Iterator[Remark]:
        found = slips(part, "detection") if row.kind == "detection" else keys(part)
        for about, line, message in found:
            yield Remark(about, row.path, line, row.id, message)
        asked: Iterable[Unknown] = ()
        if row.kind == "correlation":
            asked = of_correlation(part, self._correlations[row.id], self._routed)
        elif (tree := self._outlines.get(row.id)) is not None:
            asked = of_detection(part, tree, self._routed[row.id], self._hint(part))
        for line, message in asked:
            yield Remark("unknown-field", row.path, line, row.id, message)

    def _hint(self, part: Part) -> Callable[[str], str]:
        if self._ruleset.processing.pipeline is not None:
            return lambda _: ""
        return partial(hint, part, "detection")

    def _silent(self, row: Row, part: Part) -> Iterator[Remark]:
        story = next(one for one in self._ruleset.convergences if one.id == row.id)
        for name in silent_legs(story, self._ruleset, self._firing):
            message = f"no rule that can fire fills its leg `{name}`"
            yield Remark("silent-leg", row.path, part.line_of("legs", name), row.id, message)
