"""Narrow: a scan of raw JSON records that decodes only what the witnesses of rules need.

The loop is generated, one function for the fields at hand: asking a table what to do for each field
of each record would cost more than the decoding. A record whose fields have other shapes than usual
(a list for an object, a dotted key) is no fault: it takes the slow way, over its full decoding.
"""

from collections.abc import Callable, Mapping, Sequence
from textwrap import indent
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import orjson

from correlators.sigma.plan import Plan, Watch, path_of, unique
from correlators.sigma.rule import Rule
from correlators.sigma.shape import Shape, below
from correlators.sigma.values import folded, is_object, reader
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


class Scan(NamedTuple):
    """What a scan saw, by index of the record.

    `times`: one for each record, None where there is no time text. `hits`: records that some rule
    may match or that are relevant, with the rules in question. `faults`: what is no JSON object.
    """

    times: list[str | None]
    hits: list[tuple[int, list[Rule]]]
    faults: list[int]


Scanner = Callable[[Sequence[bytes]], Scan]
Holds = Callable[[Any], bool]  # of a decoded record


_SCAN: Final = """\
def scan(records):
    scan = Scan([], [], [])
    time, hit = scan.times.append, scan.hits.append
    for n, data in enumerate(records):
        try:
            e = decode(data)
            if not data.isascii():
                data.decode()  # the decoder does not look into what it skips
        except UNUSUAL:
            slow(n, data, scan)
            continue
{time}
        time(v if v.__class__ is str else None)
        found = {always}  # a list, of nothing if the record matters without any rule
{fields}
        if found is not None:
            hit((n, found if len(found) < 2 else unique(found)))
    return scan
"""

_FIELD: Final = """\
{read}
if v.__class__ is str:
    text = v.lower()
    if {telling}:
        found = called_{i}(text, e, found)
elif v is not None:
    for text in folded(v):
        found = called_{i}(text, e, found)
"""

_SECOND: Final = """\
{read}
if v.__class__ is str:
    if not fulfils_{i}(v.lower()):
        return False
elif v is None:  # of a list or a number the full record judges
    return False
"""


def scanner(plan: Plan, narrow: Narrow) -> Scanner:
    """Generate the scan for these rules and this kind of record."""
    watched = sorted({*plan.watches, *narrow.relevant})
    decoded = sorted({*watched, *plan.seconds})
    shape = Shape()
    for path in (*decoded, narrow.time):
        shape.add(path)
    names: dict[str, Any] = {
        "decode": msgspec.json.Decoder(shape.struct([p for p in decoded if "." in p])).decode,
        "UNUSUAL": (msgspec.MsgspecError, UnicodeDecodeError, RecursionError),
        "Scan": Scan,
        "always": plan.always,
        "below": below,
        "folded": folded,
        "slow": _slow_way(plan, narrow),
        "unique": unique,
    }
    fields: list[str] = []
    for i, path in enumerate(watched):
        watch, values = plan.watches.get(path, Watch()), narrow.relevant.get(path, frozenset())
        others = {other: shape.code(other) for other in decoded if other != path}
        names[f"called_{i}"] = _called(watch, values, others)
        names[f"whole_{i}"] = values.union(watch.whole)
        telling = [f"text in whole_{i}", *(f"{part!r} in text" for part, _ in watch.part)]
        fields.append(
            _FIELD.format(
                read=shape.code(path), i=i, telling="True" if watch.any else " or ".join(telling)
            )
        )
    code = _SCAN.format(
        time=indent(shape.code(narrow.time), " " * 8),
        always="always[:]" if plan.always else "None",
        fields=indent("".join(fields), " " * 8),
    )
    exec(code, names)  # noqa: S102 - a rule puts nothing but quoted paths and texts into it
    scan: Scanner = names["scan"]
    return scan


def _called(
    watch: Watch, relevant: frozenset[str], others: Mapping[str, str]
) -> Callable[[str, Any, list[Rule] | None], list[Rule] | None]:
    """What adds the rules that a text calls up to those found so far."""
    whole = {
        text: [(rule, _second(rule, others)) for rule in rules]
        for text, rules in watch.whole.items()
    }
    parts = [(part, rule, _second(rule, others)) for part, rule in watch.part]
    parts += [("", rule, _second(rule, others)) for rule in watch.any]

    def called(text: str, record: Any, found: list[Rule] | None) -> list[Rule] | None:  # noqa: ANN401 - a Record
        if found is None and text in relevant:
            found = []
        for rule, holds in whole.get(text, ()):
            if holds is None or holds(record):
                found = [rule] if found is None else [*found, rule]
        for part, rule, holds in parts:
            if part in text and (holds is None or holds(record)):
                found = [rule] if found is None else [*found, rule]
        return found

    return called


def _second(rule: Rule, code: Mapping[str, str]) -> Holds | None:
    """What else the rule needs of the fields that are decoded anyway; None if nothing."""
    names: dict[str, Any] = {"below": below}
    tests: list[str] = []
    for i, clause in enumerate(rule.clauses):
        path = path_of(clause)
        if path is not None and path in code:
            names[f"fulfils_{i}"] = _fulfils(clause)
            tests.append(_SECOND.format(read=code[path], i=i))
    if not tests:
        return None
    exec(f"def holds(e):\n{indent(''.join(tests), '    ')}\n    return True\n", names)  # noqa: S102 - as above
    holds: Holds = names["holds"]
    return holds


def _fulfils(clause: Clause) -> Callable[[str], bool]:
    whole = frozenset(atom.literal for atom in clause if atom.kind == "is")
    parts = tuple(atom.literal for atom in clause if atom.kind != "is")  # any text has "" in it
    if not parts:
        return whole.__contains__
    return lambda text: text in whole or any(part in text for part in parts)


def relevance(narrow: Narrow) -> Callable[[Mapping[str, Any]], bool]:
    """What tells whether a decoded record matters whatever the rules say."""
    wanted = [(reader(path), values) for path, values in narrow.relevant.items()]

    def relevant(record: Mapping[str, Any]) -> bool:
        return any(text in values for read, values in wanted for text in folded(read(record)))

    return relevant


def _slow_way(plan: Plan, narrow: Narrow) -> Callable[[int, bytes, Scan], None]:
    time, relevant = reader(narrow.time), relevance(narrow)

    def slow(n: int, data: bytes, scan: Scan) -> None:
        try:
            record = orjson.loads(data)
        except orjson.JSONDecodeError:
            record = None
        if not is_object(record):
            scan.times.append(None)
            scan.faults.append(n)
            return
        stated = time(record)
        scan.times.append(stated if isinstance(stated, str) else None)
        picked = plan.candidates(record)
        if picked or relevant(record):
            scan.hits.append((n, picked))

    return slow
