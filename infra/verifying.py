"""Verifying: the hash of a body and of every record that it cites, computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from schemas.canonical import body_sha256
from schemas.config import Limits
from schemas.errors import Mistake
from streams.source import named
from streams.trace import hashes, place

Body = Mapping[str, Any]


class Check(NamedTuple):
    """One claim that was recomputed: of which record, what, and how it came out."""

    id: str
    what: str
    ok: bool
    detail: str


class _File(NamedTuple):
    """A file as one source reads it."""

    path: str
    source: str


class _Found(NamedTuple):
    """The hashes of a file's records by number, or why it cannot be read."""

    hashes: Mapping[int, str]
    problem: str | None = None


def cited(body: Body) -> dict[str, str]:
    """The sha256 of the raw record of each event that a body rests on, by event uid."""
    claims = (body, *body.get("why", ()), *body.get("timeline", ()))
    return {e["event"]: e["sha256"] for claim in claims for e in claim.get("evidence", ())}


def check(
    bodies: Sequence[Body], records: Mapping[str, tuple[str, str]], root: Path, limits: Limits
) -> Iterator[Check]:
    """Of each body its own hash, then each record that it cites; every file is read once.

    `records`: event uid -> the origin of its record and the name of its source.
    """
    found = _read(bodies, records, root, limits)
    for body in bodies:
        id_, claimed = str(body.get("id", "")), body.get("body_sha256")
        if claimed is not None:
            same = body_sha256(dict(body)) == claimed
            detail = "as it was hashed" if same else "was changed after it was hashed"
            yield Check(id_, "body", same, detail)
        for event, sha256 in cited(body).items():
            ok, detail = _compared(records.get(event), sha256, found)
            yield Check(id_, f"event {event}", ok, detail)


def _read(
    bodies: Sequence[Body], records: Mapping[str, tuple[str, str]], root: Path, limits: Limits
) -> dict[_File, _Found]:
    wanted: dict[_File, set[int]] = {}
    for event in {event for body in bodies for event in cited(body)}:
        lies = _located(records.get(event))
        if not isinstance(lies, str):
            wanted.setdefault(lies[0], set()).add(lies[1])
    return {file: _hashed(file, numbers, root, limits) for file, numbers in wanted.items()}


def _hashed(file: _File, numbers: set[int], root: Path, limits: Limits) -> _Found:
    try:
        return _Found(hashes(root / file.path, numbers, limits, named(file.source)))
    except Mistake as error:
        return _Found({}, str(error))


def _located(record: tuple[str, str] | None) -> tuple[_File, int] | str:
    """File and number of a record, or why it has none."""
    if record is None:
        return "the store does not say where its record lies"
    origin, source = record
    try:
        path, number = place(origin)
    except Mistake as error:
        return str(error)
    return _File(path, source), number


def _compared(
    record: tuple[str, str] | None, sha256: str, found: Mapping[_File, _Found]
) -> tuple[bool, str]:
    lies = _located(record)
    if isinstance(lies, str):
        return False, lies
    file, number = lies
    now, origin = found[file], f"file:{file.path}#{number}"
    if now.problem is not None:
        return False, f"{origin} cannot be read: {now.problem}"
    if number not in now.hashes:
        return False, f"{origin} is gone"
    same = now.hashes[number] == sha256
    return same, f"{origin} {'has the hash' if same else 'was changed'}"
