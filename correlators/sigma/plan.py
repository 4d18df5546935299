"""Plan: where to look for the witnesses of rules, so that most records meet no rule at all."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from correlators.sigma.rule import Rule
from correlators.sigma.values import MISSING, fold, reader, text, texts
from correlators.sigma.watch import Memo, Watch
from correlators.sigma.witness import KINDS, Atom, Clause

_TELLING: Final = 8  # different texts that are looked for in a field that tells records apart
_RARE: Final = 1 / 64  # share of the records that may meet a rule before it matters


class Plan:
    """Each rule waits at one of its clauses, the one that the fewest records are likely to fulfil.

    Without a sample of records this is guessed. A field in which the rules look for many different
    texts tells records apart better than one in which they look for few: an event's name against
    its source. Where they look for few in all of its fields, what lies deepest is the rarest. A
    sample corrects what is guessed badly; it decides on speed only.

    A rule is its number in `rules`. `watches` are the fields at which some rule waits, `memos` what
    each text in them calls up. `others` has, by rule, the clauses at which it does not wait; a rule
    without any clause is in `always`.
    `relevant` (path -> lower-case values) is a rule too, behind all others: that of the source. So
    are all values of the paths of `ordinary` but those that it names.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        relevant: Mapping[str, frozenset[str]] | None = None,
        sample: Sequence[Mapping[str, Any]] = (),
        ordinary: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> None:
        self.watches: dict[str, Watch] = {}
        self.always = {number for number, rule in enumerate(rules) if not rule.clauses}
        self.others: list[list[Clause]] = []
        self._rules = rules
        self._spread = _spread(rules)
        self._share = Share(sample)
        source = frozenset(
            Atom(path, "is", value) for path, values in (relevant or {}).items() for value in values
        )
        for number, clauses in enumerate((*(rule.clauses for rule in rules), (source,))):
            waits, *others = self._ordered(clauses) or [frozenset[Atom]()]
            for atom in sorted(waits):
                self.watches.setdefault(atom.path, Watch()).add(atom, number)
            self.others.append(others)
        for path, values in ordinary.items():
            self.watches.setdefault(path, Watch()).add_but(values, len(rules))
        self.memos: dict[str, Memo[tuple[int, ...]]] = {
            path: Memo(watch.called, ()) for path, watch in self.watches.items()
        }
        self._readers = [(reader(path), memo) for path, memo in self.memos.items()]

    def called(self, record: Mapping[str, Any]) -> set[int]:
        """The rules that a decoded record calls up; no other can match."""
        found = set(self.always)
        for read, memo in self._readers:
            value = read(record)
            if value.__class__ is str:  # nearly all
                if called := memo[value]:
                    found.update(called)
            elif value is not MISSING:
                for each in texts(value):
                    found.update(memo[each])
        return found

    def named(self, numbers: Iterable[int]) -> list[Rule]:
        """The rules with these numbers, in order, without that of the source."""
        return [self._rules[n] for n in sorted(numbers) if n < len(self._rules)]

    def sure(self, seen: Container[str | None]) -> frozenset[int]:
        """The rules that match if they are called up and fulfil their other clauses, in `seen`."""
        return frozenset(
            number
            for number, rule in enumerate(self._rules)
            if rule.sure and all(path_of(clause) in seen for clause in self.others[number])
        )

    def _ordered(self, clauses: Iterable[Clause]) -> list[Clause]:
        """The clauses, the one to wait at first."""
        guessed = sorted(filter(None, clauses), key=self._weakness)
        if len(guessed) > 1 and self._share.of(guessed[0]) > _RARE:
            guessed.sort(key=self._share.of)
        return guessed

    def _weakness(self, clause: Clause) -> tuple[int, int, int, int, list[str]]:
        kind = max(KINDS.index(atom.kind) for atom in clause)
        spread = min(self._spread[atom.path] for atom in clause)
        telling = spread if spread >= _TELLING else 0
        depth = min(atom.path.count(".") for atom in clause)
        return kind, -telling, -depth, len(clause), sorted(map(str, clause))


class Share:
    """How many of some decoded records fulfil a clause, as a share of all."""

    def __init__(self, sample: Sequence[Mapping[str, Any]]) -> None:
        self._sample = sample
        self._texts: dict[str, Counter[str]] = {}
        self._unusual: Counter[str] = Counter()

    def of(self, clause: Clause) -> float:
        """At most the sum over its atoms; 0 without a sample."""
        return sum(map(self._atom, clause)) / max(1, len(self._sample))

    def _atom(self, atom: Atom) -> int:
        held = self._field(atom.path)
        if atom.kind == "there":
            return held.total()
        unusual = self._unusual[atom.path]  # these cost as much as if they met the rule
        if atom.kind == "is":
            return held[atom.literal] + unusual
        return sum(n for each, n in held.items() if atom.literal in each) + unusual

    def _field(self, path: str) -> Counter[str]:
        """How often each text is in a field; lists, numbers and objects count as empty texts."""
        if path not in self._texts:
            read, held = reader(path), Counter[str]()
            for record in self._sample:
                value = read(record)
                if value.__class__ in {str, bool}:
                    held[fold(text(value))] += 1
                elif value is not None and value is not MISSING:
                    held[""] += 1
                    self._unusual[path] += 1
            self._texts[path] = held
        return self._texts[path]


def path_of(clause: Clause) -> str | None:
    """The one field that a clause speaks of, None if of several."""
    paths = {atom.path for atom in clause}
    return paths.pop() if len(paths) == 1 else None


def _spread(rules: Iterable[Rule]) -> Counter[str]:
    """By field, how many different whole texts the rules look for in it."""
    atoms = {atom for rule in rules for clause in rule.clauses for atom in clause}
    return Counter(atom.path for atom in atoms if atom.kind == "is")
