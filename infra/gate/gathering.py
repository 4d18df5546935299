"""Gathering: what a gate looks at, read from the store of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

import orjson

import infra
from correlators.known import Reference
from correlators.violations import Answered, Estate, Unreadable, Weakness
from infra.compliance.assessed import origins
from infra.compliance.gathering import Asked, Terms, cited, gathered
from infra.reading.reader import Reader
from schemas.policy import Policy
from schemas.times import parse
from streams.trace import FILE

MOST: Final = 1_000_000  # rows of one kind
NAMED: Final = 10_000  # facts of one name on one thing; the others are counted
_CRITERIA: Final = "SELECT body FROM criteria ORDER BY criterion, scope"
# A file without `#n` behind it is the whole of a document.
_REJECTS: Final = """
SELECT
  regexp_replace(origin, '#[0-9]+$', '') AS file, reason, min(detail), count(*), min(id),
  arg_min(sha256, id), arg_min(origin, id)
FROM rejects GROUP BY ALL ORDER BY ALL"""
_LABELS: Final = """
SELECT entity, list(DISTINCT value ->> '$' ORDER BY value ->> '$') FROM asset_attributes
WHERE name = 'name' AND starts_with(entity, 'image:') GROUP BY entity"""
_STATEMENTS: Final = """
SELECT instance, entity, title, epoch_us(since), CAST(body -> '$.evidence' AS VARCHAR) FROM facts
WHERE name = 'vex' AND state = 'open' ORDER BY ALL"""


def estate(
    reader: Reader, policies: tuple[Policy, ...], rules: frozenset[str], terms: Terms, now: int
) -> Estate:
    """What is known at `now` (microseconds, event time) of all that these policies ask about."""
    checks = [check for policy in policies for check in policy.checks]
    against = tuple(check.against for check in checks if check.against is not None)
    needs = tuple(need for check in checks for need in check.needs)
    known = gathered(reader.db, Asked(against, needs, NAMED), rules, terms, now)
    names = {name: entity for entity, thing in known.things.items() for name in thing.names}
    labels: dict[str, tuple[str, ...]] = {
        str(names.get(entity, entity)): tuple(called)
        for entity, called in reader.run(_LABELS, rows=MOST).rows
    }
    return Estate(
        known,
        tuple(_weaknesses(reader, names)),
        tuple(_answers(reader)),
        tuple(_unreadable(reader)),
        labels,
        tuple(
            Reference("fact", of, title, since, names.get(entity, entity), cited(evidence))
            for of, entity, title, since, evidence in reader.run(_STATEMENTS, rows=MOST).rows
        ),
    )


def places(reader: Reader, found: Estate, events: set[str]) -> dict[str, str]:
    """Where the records of these events lie, and those that could not be read."""
    return origins(reader, events) | {one.first.id: one.first.text for one in found.unreadable}


def _weaknesses(reader: Reader, names: Mapping[str, str]) -> Iterator[Weakness]:
    sql = files(infra).joinpath("gate/weaknesses.sql").read_text("utf-8")
    for row in reader.run(sql, rows=MOST).rows:
        entity, name, number, severity, title, packages, fixed, places, *more, evidence = row
        exploited, epss, since = more
        known = dict.fromkeys(pair for text in evidence for pair in cited(text))
        thing = names.get(entity, entity)
        yield Weakness(
            thing,
            name,
            severity,
            title,
            tuple(packages or ()),
            tuple(fixed or ()),
            exploited,
            epss,
            Reference("fact", name, title, since, thing, tuple(known)),
            tuple(places or ()),
            number,
        )


def _answers(reader: Reader) -> Iterator[Answered]:
    for (body,) in reader.run(_CRITERIA, rows=MOST).rows:
        said: dict[str, Any] = orjson.loads(body)
        yield Answered(
            said["criterion"],
            said["scope"],
            said["status"],
            said.get("severity"),
            _why(said),
            tuple(_references(said)),
        )


def _why(said: dict[str, Any]) -> str:
    against = [one["text"] for one in said.get("against", ())]
    texts = against or said.get("missing", [])
    count = said.get("count") if against else said.get("missing_count", len(texts))
    more = f" (and {count - 1} more)" if texts and count and count > 1 else ""
    return f"{texts[0]}{more}" if texts else str(said["title"])


def _references(said: dict[str, Any]) -> Iterator[Reference]:
    hashes = {one["event"]: one["sha256"] for one in said.get("evidence", ())}
    for one in said.get("against", ()):
        evidence = tuple((e, hashes[e]) for e in one.get("events", ()) if e in hashes)
        yield Reference(
            one["what"], one["id"], one["text"], parse(one["time"]), one.get("entity"), evidence
        )


def _unreadable(reader: Reader) -> Iterator[Unreadable]:
    for file, reason, detail, count, id_, sha256, origin in reader.run(_REJECTS, rows=MOST).rows:
        first = Reference("event", id_, origin, 0, None, ((id_, sha256),))
        yield Unreadable(file.removeprefix(FILE), reason, detail, count, first)
