"""Checked: what a check has found as a table that an author acts on, the worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from infra.authoring.checking import About, Check, Checked, Remark
from infra.terminal import shown

FEW: Final = 8  # as many rules of one reason are named, of more they are counted
SMALL: Final = 40  # as many rules may all be named
SLIPS: Final[tuple[About, ...]] = (
    "unused-selection",
    "always-true",
    "no-effect",
    "glob",
    "yaml-value",
    "unknown-key",
    "unknown-word",
    "unknown-tag",
)
_ABSENT: Final = "no source is "
_INDENT: Final = "  "


def counts(check: Check) -> str:
    """One line of counts."""
    found = [remark.about for remark in check.remarks]
    words: tuple[tuple[About, str], ...] = (
        ("cannot-fire", "cannot fire"),
        ("unknown-field", "fields unknown"),
        ("lost-pattern", "patterns lost"),
        ("unproved", "without cases"),
    )
    rest = ", ".join(f"{found.count(about):,} {word}" for about, word in words)
    slips = sum(found.count(about) for about in SLIPS)
    rest += f", {shown.plural(slips, 'slip')}" if slips else ""
    below = sum(rule.unchecked for rule in check.rules)
    rest += f", {shown.plural(below, 'field')} below open objects not checked" if below else ""
    filters = f" and {shown.plural(check.filters, 'filter')}" if check.filters else ""
    problems = shown.plural(len(check.problems), "problem")
    return f"{_rules(len(check.rules))}{filters} loaded, {problems}, {rest}"


def table(check: Check) -> Iterator[str]:
    """The lines of the table; a section without anything in it is left out."""
    yield from _listed("PROBLEMS, which keep a rule from being loaded", check.problems)
    said = check.remarks
    yield from _listed("FIELDS that no record is known to have", _of(said, "unknown-field"))
    yield from _listed("PATTERNS that cannot run", _of(said, "lost-pattern"))
    yield from _listed("FILTERS that do not filter what they name", _of(said, "idle-filter"))
    yield from _listed("SLIPS: what is hardly meant", [r for r in said if r.about in SLIPS])
    yield from _listed("LEGS that never hold", _of(said, "silent-leg"))
    yield from _listed("CASES that are of no rule, or cannot be read", check.cases)
    able = [rule for rule in check.rules if rule.firing.sources]
    silent = [rule for rule in check.rules if not rule.firing.sources]
    yield from _grouped("CANNOT FIRE", silent, check, by_reason=True)
    yield from _grouped("CAN FIRE", able, check, by_reason=False)
    unproved = [rule for rule in check.rules if not rule.proved]
    if unproved:
        yield from _heading(f"UNPROVED, without cases: {_rules(len(unproved))}")
        if len(unproved) <= SMALL:
            for rule in unproved:
                yield f"{_INDENT}{rule.row.path}:{rule.line}: {rule.row.title}"
        else:
            yield f"{_INDENT}--json names them"


def objects(check: Check) -> Iterator[dict[str, Any]]:
    """An object for each rule, each remark on a filter and each problem, for programs."""
    for rule in check.rules:
        found: dict[str, Any] = {
            "rule": rule.row.id,
            "level": rule.row.level,
            "kind": rule.row.kind,
            "title": rule.row.title,
            "path": rule.row.path,
            "line": rule.line,
            "fires_on": list(rule.firing.sources),
            "proved": rule.proved,
        }
        if rule.firing.reason:
            found["reason"] = rule.firing.reason
        others = [one for one in rule.remarks if one.about not in {"cannot-fire", "unproved"}]
        if others:
            found["remarks"] = [
                {"about": one.about, "line": one.line, "message": one.message} for one in others
            ]
        yield found
    for one in check.of_filters:
        yield {
            "filter": one.rule,
            "path": one.path,
            "line": one.line,
            "about": one.about,
            "message": one.message,
        }
    for problem in (*check.problems, *check.cases):
        yield {"path": problem.path, "line": problem.line, "problem": problem.message}


def _of(remarks: Iterable[Remark], about: About) -> list[Remark]:
    return [remark for remark in remarks if remark.about == about]


def _listed(heading: str, remarks: Iterable[Remark]) -> Iterator[str]:
    listed = list(remarks)
    if listed:
        yield from _heading(f"{heading}: {len(listed):,}")
        for one in listed:
            where = one.path if one.line is None else f"{one.path}:{one.line}"
            yield f"{_INDENT}{where}: {one.message}"


def _grouped(heading: str, rules: list[Checked], check: Check, *, by_reason: bool) -> Iterator[str]:
    if not rules:
        return
    yield from _heading(f"{heading}: {len(rules):,} of {_rules(len(check.rules))}")
    groups: defaultdict[str, list[Checked]] = defaultdict(list)
    for rule in rules:
        groups[rule.firing.group if by_reason else f"on {', '.join(rule.firing.sources)}"].append(
            rule
        )
    width = max(len(f"{len(group):,}") for group in groups.values())
    for reason, group in sorted(groups.items(), key=_order):
        yield f"{_INDENT}{len(group):>{width},}  {reason}"
        named = len(group) <= FEW and (len(check.rules) <= SMALL or not reason.startswith(_ABSENT))
        for rule in group if named else ():
            more = "" if rule.firing.reason in {"", reason} else f": {rule.firing.reason}"
            yield f"{_INDENT}{'':{width}}    {_place(rule)}{more}"


def _order(group: tuple[str, list[Checked]]) -> tuple[bool, int, str]:
    """What an author can mend comes before sources that are not there; then the larger groups."""
    reason, rules = group
    return reason.startswith(_ABSENT), -len(rules), reason


def _place(rule: Checked) -> str:
    return f"{rule.row.path}:{rule.firing.line or rule.line}: {rule.row.title}"


def _heading(text: str) -> Iterator[str]:
    yield text


def _rules(count: int) -> str:
    return shown.plural(count, "rule")
