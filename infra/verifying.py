"""Verifying: the hash of a body and of every record that it cites, computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from schemas.canonical import body_sha256
from schemas.config import Limits
from schemas.errors import Mistake
from streams.trace import hashes, place


class Check(NamedTuple):
    """One claim that was recomputed: of which record, what, and how it came out."""

    id: str
    what: str
    ok: bool
    detail: str


def check(
    body: Mapping[str, Any], origins: Mapping[str, str], root: Path, limits: Limits
) -> Iterator[Check]:
    """The body's own hash, then each record of its evidence. `origins`: event uid -> where its record lies."""
    id_ = str(body.get("id", ""))
    claimed = body.get("body_sha256")
    if claimed is not None:
        same = body_sha256(dict(body)) == claimed
        yield Check(
            id_, "body", same, "as it was hashed" if same else "was changed after it was hashed"
        )
    cited = {e["event"]: e["sha256"] for e in body.get("evidence", ())}
    by_file: dict[str, dict[int, str]] = {}
    for event in cited:
        origin = origins.get(event)
        if origin is None:
            yield Check(
                id_,
                f"event {event}",
                ok=False,
                detail="the store does not say where its record lies",
            )
            continue
        path, number = place(origin)
        by_file.setdefault(path, {})[number] = event
    for path, wanted in by_file.items():
        yield from _file(id_, path, wanted, cited, root, limits)


def _file(
    id_: str,
    path: str,
    wanted: Mapping[int, str],
    cited: Mapping[str, str],
    root: Path,
    limits: Limits,
) -> Iterator[Check]:
    try:
        now = hashes(str(root / path), wanted.keys(), limits)
    except Mistake as error:
        for number, event in wanted.items():
            yield Check(
                id_, f"event {event}", ok=False, detail=f"record {number} cannot be read: {error}"
            )
        return
    for number, event in wanted.items():
        same = now.get(number) == cited[event]
        where = f"file:{path}#{number}"
        detail = (
            f"{where} has the hash"
            if same
            else f"{where} is gone"
            if number not in now
            else f"{where} was changed"
        )
        yield Check(id_, f"event {event}", same, detail)
