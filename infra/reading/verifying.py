"""Verifying: the hash of a body and of every record that it cites, computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from infra.reading.rereading import Recorded, Reread
from schemas.canonical import body_sha256

Body = Mapping[str, Any]


class Check(NamedTuple):
    """One claim that was recomputed: of which record, what, and how it came out.

    `ok` is None where nothing is left that could be hashed: a topic has deleted the record.
    """

    id: str
    what: str
    ok: bool | None
    detail: str


def cited(body: Body) -> dict[str, str]:
    """The sha256 of the raw record of each event that a body rests on, by event uid."""
    claims = (body, *body.get("why", ()), *body.get("timeline", ()))
    return {e["event"]: e["sha256"] for claim in claims for e in claim.get("evidence", ())}


def check(
    bodies: Sequence[Body], records: Mapping[str, Recorded], now: Mapping[Recorded, Reread]
) -> Iterator[Check]:
    """Of each body its own hash, then each record that it cites.

    `records`: by event uid. `now`: all of them, as they lie there now.
    """
    for body in bodies:
        id_, claimed = str(body.get("id", "")), body.get("body_sha256")
        if claimed is not None:
            same = body_sha256(dict(body)) == claimed
            detail = "as it was hashed" if same else "was changed after it was hashed"
            yield Check(id_, "body", same, detail)
        for event, sha256 in cited(body).items():
            ok, detail = _compared(records.get(event), sha256, now)
            yield Check(id_, f"event {event}", ok, detail)


def _compared(
    record: Recorded | None, sha256: str, now: Mapping[Recorded, Reread]
) -> tuple[bool | None, str]:
    if record is None:
        return False, "the store does not say where its record lies"
    found = now[record]
    if found.sha256 is None:
        return None if found.deleted else False, found.problem
    same = found.sha256 == sha256
    return same, f"{record.origin} {'has the hash' if same else 'was changed'}"
