"""Plan: where to look for the witnesses of rules, so that most records meet no rule at all."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from correlators.sigma.rule import Rule
from correlators.sigma.values import folded, reader
from correlators.sigma.witness import KINDS, Clause

MAX_SECONDS: Final = 16  # further fields to decode of every record


@dataclass(slots=True)
class Watch:
    """The rules that a field calls up: by a whole text, by a part of one, or by any text."""

    whole: dict[str, list[Rule]] = field(default_factory=dict)
    part: list[tuple[str, Rule]] = field(default_factory=list)
    any: list[Rule] = field(default_factory=list)


class Plan:
    """Each rule waits at one of its clauses, the one that the fewest records are likely to fulfil.

    A field in which the rules look for many different texts tells records apart better than one in
    which they look for few: an event's name against its source. `always` has the rules without any
    clause. `seconds` are fields that tell which of the rules called up cannot match after all.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.watches: dict[str, Watch] = {}
        self.always: list[Rule] = []
        self._spread = _spread(rules := tuple(rules))
        asked: Counter[str] = Counter()
        for rule in rules:
            clauses = sorted(rule.clauses, key=self._weakness)
            if not clauses:
                self.always.append(rule)
                continue
            self._wait(rule, clauses[0])
            asked.update(path for c in clauses[1:] if (path := path_of(c)) is not None)
        # One that others lead through is an object: decoding it whole would cost too much.
        whole = [path for path, _ in asked.most_common() if not self._leads_on(path, rules)]
        self.seconds = sorted(whole[:MAX_SECONDS])
        self._readers = [(reader(path), watch) for path, watch in self.watches.items()]

    def candidates(self, record: Mapping[str, Any]) -> list[Rule]:
        """The rules that may match a decoded record; no other can."""
        found = list(self.always)
        for read, watch in self._readers:
            for text in folded(read(record)):
                found += watch.whole.get(text, ())
                found += (rule for part, rule in watch.part if part in text)
                found += watch.any
        return unique(found)

    def _leads_on(self, path: str, rules: Iterable[Rule]) -> bool:
        atoms = (atom for rule in rules for clause in rule.clauses for atom in clause)
        return any(atom.path.startswith(f"{path}.") for atom in atoms)

    def _wait(self, rule: Rule, clause: Clause) -> None:
        for atom in sorted(clause):
            watch = self.watches.setdefault(atom.path, Watch())
            if atom.kind == "is":
                watch.whole.setdefault(atom.literal, []).append(rule)
            elif atom.kind == "has":
                watch.part.append((atom.literal, rule))
            else:
                watch.any.append(rule)

    def _weakness(self, clause: Clause) -> tuple[int, int, int, list[str]]:
        kind = max(KINDS.index(atom.kind) for atom in clause)
        spread = min(self._spread[atom.path] for atom in clause)
        return kind, -spread, len(clause), sorted(map(str, clause))


def path_of(clause: Clause) -> str | None:
    """The one field that a clause speaks of, None if of several."""
    paths = {atom.path for atom in clause}
    return paths.pop() if len(paths) == 1 else None


def unique(rules: Sequence[Rule]) -> list[Rule]:
    """The rules without repetition, in order."""
    return list({id(rule): rule for rule in rules}.values())


def _spread(rules: Iterable[Rule]) -> Counter[str]:
    """By field, how many different whole texts the rules look for in it."""
    atoms = {atom for rule in rules for clause in rule.clauses for atom in clause}
    return Counter(atom.path for atom in atoms if atom.kind == "is")
