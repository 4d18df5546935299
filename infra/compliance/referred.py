"""Referred: all evidence of an assessment, a row for each event behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from infra.compliance.assessed import Assessment, Body


class Reference(NamedTuple):
    """A row of evidence.csv: what was seen, for or against what, and where its record lies."""

    criterion: str
    scope: str
    speaks: str
    what: str
    id: str
    entity: str
    time: str
    text: str
    event: str
    sha256: str
    origin: str


def references(told: Assessment) -> Iterator[Reference]:
    """All evidence, a row for each event behind it; of a thing that has none, one without."""
    for body in told.criteria:
        for speaks in ("against", "heard"):
            for one in body.get(speaks, ()):
                yield from _referred(body, one, speaks, body["criterion"], told.origins)
    for answer in told.answers:
        for one in answer.body.get("alerts", ()):
            yield from _referred(answer.body, one, "against", answer.control.ref, told.origins)


def _referred(
    body: Body, one: Mapping[str, Any], speaks: str, of: str, origins: Mapping[str, str]
) -> Iterator[Reference]:
    hashes = {said["event"]: said["sha256"] for said in body.get("evidence", ())}
    for event in one.get("events", ("",)):
        yield Reference(
            of,
            body["scope"],
            "for" if speaks == "heard" else speaks,
            one["what"],
            one["id"],
            one.get("entity", ""),
            one["time"],
            one["text"],
            event,
            hashes.get(event, ""),
            origins.get(event, ""),
        )
