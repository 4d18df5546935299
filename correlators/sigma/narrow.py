"""Narrow: a scan of raw JSON records that decodes only what the witnesses of rules need.

The loop over the records is generated, one line for each field at which rules wait: it looks the
text of the field up, and only the few records whose text calls some rule up cost more than that. A
record whose fields have other shapes than usual (a list for a text, a dotted key) is no fault: it
takes the slow way, over its full decoding.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import orjson

from correlators.sigma.plan import Plan, path_of
from correlators.sigma.rule import Rule
from correlators.sigma.shape import UNUSUAL, Place, Shape, is_utf8
from correlators.sigma.values import folded, is_object, reader, spelled
from correlators.sigma.watch import Memo, Watch
from correlators.sigma.witness import Clause


class Narrow(Protocol):
    """What a source says about its raw records, see streams.source."""

    @property
    def time(self) -> str:
        """Dotted path of the time text."""
        ...

    @property
    def relevant(self) -> Mapping[str, frozenset[str]]:
        """Dotted path -> lower-case values with which a record matters whatever the rules say."""
        ...

    @property
    def ordinary(self) -> Mapping[str, frozenset[str]]:
        """Dotted path -> the lower-case values without which a record that has it matters too."""
        ...

    @property
    def counted(self) -> bool:
        """True if the time is usually a whole number."""
        ...


Told = str | int | None
Times = list[Told]


class Scan(NamedTuple):
    """What a scan saw, by index of the record.

    `times`: one for each record as it is told, None where there is none of the usual kind. `hits`:
    records that some rule may match or that are relevant, with the rules in question. `sure`: those
    of them where it is certain that each of these rules matches. `faults`: what is no JSON object.
    """

    times: Times
    hits: list[tuple[int, list[Rule]]]
    faults: list[int]
    sure: frozenset[int] = frozenset()


Call = Callable[[Iterable[int], Any], None]  # takes numbers of rules, and the record as decoded
Look = Callable[[Iterator[Any], Times, Call], None]
Test = tuple[Callable[[Any], Any], Memo[bool]]  # reads a field, and tells whether it will do

_LOOK: Final = """\
def look(left, times, call):
    time = times.append
    for e in left:
        time({time})
{lines}
"""


class Scanner:
    """The scan for some rules and one kind of record."""

    def __init__(self, plan: Plan, narrow: Narrow) -> None:
        there = {path for path, watch in plan.watches.items() if not watch.of_texts} - {narrow.time}
        words = {path for path, watch in plan.watches.items() if not watch.may_be_boolean}
        numbers = {path for path, watch in plan.watches.items() if watch.of_numbers}
        numbers -= there | {narrow.time}
        words |= {narrow.time}
        if narrow.counted:
            numbers |= {narrow.time}
        shape = Shape({*plan.watches, narrow.time} - there, there, words, numbers)
        self._decode = shape.decode
        self._look = _look(plan, shape, narrow.time)
        texts = {path: shape.places[path] for path in shape.places.keys() - there}
        self._sure = plan.sure(texts)
        self._tests = [list(_tests(clauses, texts)) for clauses in plan.others]
        self._plan = plan
        self._time = reader(narrow.time)
        self._kinds = {str, int} if narrow.counted else {str}

    def scan(self, records: Sequence[bytes]) -> Scan:
        """Judge raw JSON records without decoding all of each."""
        times: Times = []
        faults: list[int] = []
        always = self._plan.always
        found = {n: set(always) for n in range(len(records) if always else 0)}
        tests = self._tests

        def call(rules: Iterable[int], seen: object) -> None:
            for rule in rules:
                for read, holds in tests[rule]:
                    if not holds[read(seen)]:
                        break
                else:
                    n = len(times) - 1
                    if n in found:
                        found[n].add(rule)
                    else:
                        found[n] = {rule}

        unusual = self._looked(records, times, call)
        for n in unusual:
            record = decoded_object(records[n])
            if record is None:
                times[n] = None  # it may have had one: of what is skipped not all was looked at
                found.pop(n, None)
                faults.append(n)
                times[n] = None
            else:
                time = self._time(record)
                times[n] = time if time.__class__ in self._kinds else None
                found[n] = self._plan.called(record)
        hits = [(n, self._plan.named(found[n])) for n in sorted(found) if found[n]]
        certain = {n for n, _ in hits if self._sure.issuperset(found[n])}
        return Scan(times, hits, faults, frozenset(certain.difference(unusual)))

    def _looked(self, records: Sequence[bytes], times: Times, call: Call) -> list[int]:
        """Take the times and call rules up; returns the places of unusual records."""
        unusual: set[int] = set()
        left = map(self._decode, records)
        while len(times) < len(records):
            try:
                self._look(left, times, call)
            except UNUSUAL:
                unusual.add(len(times))
                times.append(None)  # `left` goes on behind it
        if not all(map(bytes.isascii, records)):  # the decoder does not look into what it skips
            unusual.update(n for n, data in enumerate(records) if not is_utf8(data))
        return sorted(unusual)


def _look(plan: Plan, shape: Shape, time: str) -> Look:
    """Generate the loop over decoded records."""
    names: dict[str, Any] = {}
    asked: list[tuple[Place, str]] = []
    for i, (path, watch) in enumerate(plan.watches.items()):
        if path in shape.places:  # else it lies below a text
            names[f"memo_{i}"] = plan.memos[path]
            asked.append((shape.places[path], _question(watch, f"memo_{i}")))
    lines = "\n".join(_nested(asked, "e", 2))
    place = shape.places[time]
    told = f"{place.value} if {place.way} else None" if place.attributes[1:] else place.value
    exec(_LOOK.format(time=told, lines=lines), names)  # noqa: S102 - a rule puts nothing but quoted texts into it
    look: Look = names["look"]
    return look


def _question(watch: Watch, memo: str) -> str:
    """A statement that calls the rules up which wait for the value `v`."""
    if not watch.of_texts:
        return f'if v is not None: call({memo}[""], e)'
    if watch.of_numbers:  # None calls nothing, 0 may
        return f"if rules := {memo}[v]: call(rules, e)"
    if watch.parts:  # a lookup would cost more: such texts seldom repeat
        parts = " or ".join(f"{part!r} in lower" for part in watch.parts)
        return f"if v and (lower := v.lower()) and ({parts}): call({memo}[v], e)"
    if watch.lengths:  # as would a lookup of a text that has another length
        fits = " or ".join(f"len(v) == {length}" for length in watch.lengths)
        return f"if v and ({fits}) and (rules := {memo}[v]): call(rules, e)"
    return f"if rules := {memo}[v]: call(rules, e)"


def _nested(asked: Iterable[tuple[Place, str]], owner: str, depth: int) -> Iterator[str]:
    """The lines that ask `owner`, and what lies below it, if there is something."""
    indent = "    " * depth
    below: dict[str, list[tuple[Place, str]]] = {}
    for place, question in asked:
        first, *rest = place.attributes
        if rest:
            below.setdefault(first, []).append((Place(tuple(rest)), question))
        else:
            yield f"{indent}v = {owner}.{first}"
            yield f"{indent}{question}"
    for first, inner in below.items():
        name = f"o{depth}"
        yield f"{indent}if ({name} := {owner}.{first}) is not None:"
        yield from _nested(inner, name, depth + 1)


def _tests(clauses: Iterable[Clause], texts: Mapping[str, Place]) -> Iterator[Test]:
    """What clauses ask of single fields whose texts are decoded."""
    for clause in clauses:
        path = path_of(clause)
        if path is not None and path in texts:
            yield texts[path].read, Memo(_one_of(clause), nothing=False)


def _one_of(clause: Clause) -> Callable[[str], bool]:
    whole = frozenset(atom.literal for atom in clause if atom.kind == "is")
    parts = tuple(atom.literal for atom in clause if atom.kind != "is")  # any text has "" in it
    if not parts:
        return lambda text: not whole.isdisjoint(spelled(text))
    return lambda text: not whole.isdisjoint(spelled(text)) or any(part in text for part in parts)


def decoded_object(data: bytes) -> dict[str, Any] | None:
    """The JSON object that a record is, None if it is none."""
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return record if is_object(record) else None


def relevance(narrow: Narrow) -> Callable[[Mapping[str, Any]], bool]:
    """What tells whether a decoded record matters whatever the rules say."""
    wanted = [(reader(path), values) for path, values in narrow.relevant.items()]
    others = [(reader(path), values) for path, values in narrow.ordinary.items()]

    def relevant(record: Mapping[str, Any]) -> bool:
        return any(
            text in values for read, values in wanted for text in folded(read(record))
        ) or any(text not in values for read, values in others for text in folded(read(record)))

    return relevant
