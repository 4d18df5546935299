"""Mapped: mapping files looked at one by one, with the cases beside them.

A case is a record with the event that it becomes, or why it is none:

    - record: {at: 2026-03-04T05:00:00Z, door: {id: d-1}}
      event: {activity: open, entities: [{kind: endpoint, id: door/d-1}]}
    - record: {door: {id: d-1}}
      reject: no-time
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from correlators.document import Faulty, Part, Problem, listed
from correlators.sigma.values import is_object
from schemas.config import Limits
from schemas.errors import Mistake
from schemas.event import Reject
from streams.mapping.folder import BEFORE, CASES, FOLDER, SUFFIX, document
from streams.mapping.load import load
from streams.mapping.mapped import Mapped
from streams.reading import Reader


class Checked(NamedTuple):
    """What was found of one mapping: its source, what is wrong, how many cases, which fail."""

    path: str
    source: str
    problems: list[str]
    cases: int
    failed: list[str]


def files(named: Iterable[Path]) -> list[Path]:
    """These files, or without any all of the folder."""
    found = list(named)
    if found or not FOLDER.is_dir():
        return found
    inside = sorted(file for file in FOLDER.iterdir() if file.name.endswith(SUFFIX))
    return [file for file in inside if not file.name.endswith(CASES)]


def checked(file: Path) -> Checked:
    """A mapping and its cases; a file that cannot be read is a Mistake."""
    if not file.name.endswith(SUFFIX) or file.name.endswith(CASES):
        raise Mistake(f"{file} is no mapping; name a file that ends with {SUFFIX}")
    name = BEFORE + file.name.removesuffix(SUFFIX)
    try:
        source = Mapped(load(document(file, str(file)), name))
    except Faulty as faulty:
        return Checked(str(file), name, [str(one) for one in faulty.problems], 0, [])
    beside = file.with_name(file.name.removesuffix(SUFFIX) + CASES)
    if not beside.is_file():
        return Checked(str(file), name, [], 0, [])
    problems: list[str] = []
    failed: list[str] = []
    count = 0
    for part in listed(document(beside, str(beside))):
        wrong = part if isinstance(part, Problem) else _shape(part)
        if wrong is not None:
            problems.append(str(wrong))
        elif isinstance(part, Part):
            count += 1
            failed += [f"{beside}:{part.line}: {said}" for said in _differs(source, part.data)]
    return Checked(str(file), name, problems, count, failed)


def _shape(part: Part) -> Problem | None:
    keys = set(part.data)
    if keys not in ({"record", "event"}, {"record", "reject"}):
        return part.problem("a case has the keys `record` and either `event` or `reject`")
    if "event" in keys and not is_object(part.data["event"]):
        return part.problem("`event` is a mapping of what the event has", "event")
    return None


def _differs(source: Mapped, case: dict[str, Any]) -> Iterator[str]:
    """What the record becomes other than the case says."""
    data = orjson.dumps(case["record"])
    found = next(Reader(source, "case", Limits()).read(data, 0), None)
    if found is None:
        yield "there is no record in it"
        return
    result = found.result
    if isinstance(result, Reject):
        if result.reason != case.get("reject"):
            yield f"rejected, {result.reason}: {result.detail}"
        return
    if "reject" in case:
        yield f"not rejected: it is {result.event.class_name}, {result.event.activity}"
        return
    body = result.event.body()
    for name, expected in case["event"].items():
        if body.get(name) != expected:
            yield f"`{name}` is {body.get(name)!r}, not {expected!r}"
