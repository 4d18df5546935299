"""Narrow: a scan of raw JSON records that decodes only what the witnesses of rules need.

The loop is generated, one function for the fields at hand: asking a table what to do for each field
of each record would cost more than the decoding. A record whose fields have other shapes than usual
(a list for an object, a dotted key) is no fault: it takes the slow way, over its full decoding.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import indent
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import orjson

from correlators.sigma.plan import Plan, Watch, path_of, unique
from correlators.sigma.rule import Rule
from correlators.sigma.shape import Read, Shape, below
from correlators.sigma.values import fold, is_object, reader, texts
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
Holds = Callable[[Any], bool]  # of a decoded record, or of a field of it

_LOOP: Final = """\
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
        picked = always[:]
        relevant = False
{fields}
        if picked or relevant:
            hit((n, picked if len(picked) < 2 else unique(picked)))
    return scan
"""

_FIELD: Final = """\
{read}
if v.__class__ is str:
    text = v.lower()
{look}
elif v is not None:
    for text in folded(v):
{look_deeper}
"""

_WHOLE: Final = """\
found = whole_{i}(text)
if found is not None:
    for rule, holds in found:
        if holds is None or holds(e):
            picked.append(rule)
"""

_PART: Final = """\
for part, rule, holds in part_{i}:
    if part in text and (holds is None or holds(e)):
        picked.append(rule)
"""

_ANY: Final = """\
for rule, holds in any_{i}:
    if holds is None or holds(e):
        picked.append(rule)
"""

_RELEVANT: Final = """\
if text in relevant_{i}:
    relevant = True
"""


def scanner(plan: Plan, narrow: Narrow) -> Scanner:
    """Generate the scan for these rules and this kind of record."""
    watched = sorted({*plan.watches, *narrow.relevant})
    decoded = dict.fromkeys((*watched, *plan.seconds))
    shape = Shape()
    for path in (*decoded, narrow.time):
        shape.add(path)
    readers = {path: shape.read(path) for path in decoded}
    names: dict[str, Any] = {
        "decode": msgspec.json.Decoder(shape.struct([p for p in decoded if "." in p])).decode,
        "UNUSUAL": (msgspec.MsgspecError, UnicodeDecodeError, RecursionError),
        "slow": _slow_way(plan, narrow),
        "always": plan.always,
        "unique": unique,
        "folded": _folded,
        "below": below,
        "Scan": Scan,
    }
    fields: list[str] = []
    for i, path in enumerate(watched):
        watch, values = plan.watches.get(path, Watch()), narrow.relevant.get(path)
        others = {other: read for other, read in readers.items() if other != path}
        names[f"whole_{i}"] = {
            text: [(rule, _second(rule, others)) for rule in rules]
            for text, rules in watch.whole.items()
        }.get
        names[f"part_{i}"] = [(part, rule, _second(rule, others)) for part, rule in watch.part]
        names[f"any_{i}"] = [(rule, _second(rule, others)) for rule in watch.any]
        names[f"relevant_{i}"] = values
        needed = (watch.whole, watch.part, watch.any, values)
        templates = (_WHOLE, _PART, _ANY, _RELEVANT)
        look = "".join(t.format(i=i) for t, n in zip(templates, needed, strict=True) if n)
        usual, unusual = indent(look, " " * 4), indent(look, " " * 8)
        fields.append(_FIELD.format(read=shape.code(path), look=usual, look_deeper=unusual))
    time, looks = (indent(code, " " * 8) for code in (shape.code(narrow.time), "".join(fields)))
    exec(_LOOP.format(time=time, fields=looks), names)  # noqa: S102 - of a rule it has paths only, quoted
    scan: Scanner = names["scan"]
    return scan


def _second(rule: Rule, readers: Mapping[str, Read]) -> Holds | None:
    """What else the rule needs of the fields that are decoded anyway; None if nothing."""
    needs = [
        (readers[path], _fulfils(clause))
        for clause in rule.clauses
        if (path := path_of(clause)) in readers
    ]
    if not needs:
        return None

    def holds(record: Any) -> bool:  # noqa: ANN401 - of a type that is made for the scan
        return all(fulfils(read(record)) for read, fulfils in needs)

    return holds


def _fulfils(clause: Clause) -> Holds:
    whole = frozenset(atom.literal for atom in clause if atom.kind == "is")
    parts = tuple(atom.literal for atom in clause if atom.kind != "is")  # any text has "" in it

    def fulfils(value: Any) -> bool:  # noqa: ANN401 - a JSON value
        if value.__class__ is not str:
            return value is not None  # a list, a number: for the full record to judge
        text = value.lower()
        return text in whole or any(part in text for part in parts)

    return fulfils


def _slow_way(plan: Plan, narrow: Narrow) -> Callable[[int, bytes, Scan], None]:
    time = reader(narrow.time)
    relevant = [(reader(path), values) for path, values in narrow.relevant.items()]

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
        matters = (text in values for read, values in relevant for text in _folded(read(record)))
        if picked or any(matters):
            scan.hits.append((n, picked))

    return slow


def _folded(value: Any) -> Iterator[str]:  # noqa: ANN401 - a JSON value
    return (fold(plain) for plain in texts(value))
