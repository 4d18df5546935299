"""Coverage: the branches of a condition that no case beside the rule decides.

A branch decides a case where the answer would be another one if this branch alone said the
opposite. So an element of an `or` decides where it is what made the rule match, and what stands
behind `not` decides where it is what kept the rule from matching.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from correlators.ruleset import Ruleset
from correlators.sigma.outline import Node
from correlators.sigma.predicate import Predicate, predicate
from infra.authoring.cases.detections import judged
from infra.authoring.cases.stated import carries, cases
from infra.authoring.places import Places
from infra.rules import RuleFile

_FEW: Final = 3

Record = Mapping[str, Any]


class Gap(NamedTuple):
    """A branch that no case decides; or, where not `branch`, values that no case has."""

    rule: str
    path: str
    line: int
    name: str
    branch: bool
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"

    def row(self) -> dict[str, Any]:
        """As an object for programs."""
        return {
            "rule": self.rule,
            "path": self.path,
            "line": self.line,
            "branch": self.name,
            "gap": "branch" if self.branch else "values",
            "message": self.message,
        }


def gaps(ruleset: Ruleset, files: Iterable[RuleFile]) -> Iterator[Gap]:
    """What the cases of the detections of these files leave open, by file and line."""
    files = list(files)
    places = Places((file.document for file in files), ruleset.processing)
    by_path = {file.document.path: file for file in files}
    for rule in ruleset.rules:
        path, id_ = rule.detection.path, rule.detection.id
        stated = cases(by_path[path], id_) if path in by_path else None
        tree = None if stated is None else places.outline(path, id_)
        if tree is None:
            continue
        read = [case.data for case in stated or ()]
        records = [record for case in read for record in judged(rule, case)]
        found = [*_branches(tree, records), *_values(tree, records)]
        if carries(by_path[path]):  # of ATR: one pattern is looked for in several fields
            found = [one for one in found if not one[0].name.endswith("]")]
        for node, branch, message in sorted(found, key=lambda one: one[0].line):
            yield Gap(id_, path, node.line, node.name, branch, message)


def _branches(tree: Node, records: list[Record]) -> Iterator[tuple[Node, bool, str]]:
    for node, negated in _alternatives(tree, negated=False):
        if not any(_decides(node, tree, record) for record in records):
            what = "kept it from matching" if negated else "made it match"
            yield node, True, f"no case in which `{node.name}` is what {what}"


def _alternatives(node: Node, *, negated: bool) -> Iterator[tuple[Node, bool]]:
    """The elements of each `or`, and what stands behind each `not`, the smallest such parts."""
    for part in node.parts:
        inside = negated is not (node.kind == "not")
        if (node.kind == "any" and len(node.parts) > 1) or node.kind == "not":
            whole = part.parts[0] if len(part.parts) == 1 else part
            if node.kind == "any" or not (whole.kind == "any" and len(whole.parts) > 1):
                yield part, inside
        yield from _alternatives(part, negated=inside)


def _decides(node: Node, tree: Node, record: Record) -> bool:
    return node.holds(record) and tree.holds(record) is not tree.holds(record, node)


def _values(tree: Node, records: list[Record]) -> Iterator[tuple[Node, bool, str]]:
    """Lists of values of which some are in no record: data more than logic, and so only told."""
    for node in tree.nodes():
        values = _each(node)
        open_ = [value for value, holds in values if not any(holds(record) for record in records)]
        if len(values) > 1 and open_:
            named = ", ".join(open_[:_FEW]) + (", ..." if len(open_) > _FEW else "")
            message = (
                f"{len(open_)} of {len(values)} values of `{node.name}` are in no case: {named}"
            )
            yield node, False, message


def _each(node: Node) -> list[tuple[str, Predicate]]:
    args = getattr(node.tree, "args", ())
    return [(_said(arg), predicate(arg)) for arg in args if hasattr(arg, "value")]


def _said(tree: Any) -> str:  # noqa: ANN401 - pySigma's two classes
    value = tree.value
    return str(getattr(value, "regexp", value)).strip("*")
