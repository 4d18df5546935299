"""Gathering: what criteria look at, read from the tables of a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import chain
from typing import Any, Final, NamedTuple

import duckdb
import orjson

import infra
from correlators.known import (
    CARRIERS,
    JUDGED,
    Hits,
    Known,
    Linked,
    Looked,
    Opened,
    Reference,
    Shown,
    Thing,
    Weak,
)
from infra.compliance.conditions import CONDITIONS, query
from schemas.config import SlaConfig
from schemas.event import LEVELS
from schemas.framework import Against, Condition, Criterion, Need
from schemas.times import DAY

SHOWN: Final = 5  # matches or facts of one rule on one thing that are named; the others are counted
NAMED: Final = 20  # events of one of them
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - as the store has times: UTC, and does not say so
_CARRIERS: Final = tuple(chain.from_iterable(CARRIERS))


class Terms(NamedTuple):
    """What the configuration says to it: `approved` patterns, and how long things may stand."""

    approved: tuple[str, ...] = ()
    sla: SlaConfig = SlaConfig()


class Asked(NamedTuple):
    """What is asked of the store; `most` matches or facts of one rule on one thing are named."""

    against: tuple[Against, ...]
    needs: tuple[Need, ...] = ()
    most: int = SHOWN

    @staticmethod
    def of(criteria: Iterable[Criterion]) -> Asked:
        """What these criteria look at."""
        all_ = list(criteria)
        needs = tuple(need for one in all_ for need in one.needs)
        return Asked(tuple(against for one in all_ for against in one.against), needs)


def gathered(
    db: duckdb.DuckDBPyConnection, asked: Asked, rules: frozenset[str], terms: Terms, now: int
) -> Known:
    """What is known at `now` (microseconds). A thing is named by the name that stands for it."""
    asking = _Asking(db, asked, terms, now)
    things = asking.things()
    return Known(
        now,
        rules,
        {root: frozenset(members) for root, members in asking.rows("systems")},
        things,
        tuple(asking.hits()),
        tuple(asking.alerts()),
        tuple(asking.weak()),
        tuple(asking.conditions(things)),
        tuple(asking.scans()),
        tuple(asking.links()),
        asking.content,
        {
            source: _event(uid, sha, at, source)
            for source, at, uid, sha in asking.rows("sources", now=asking.now)
        },
    )


class _Asking:
    def __init__(self, db: duckdb.DuckDBPyConnection, asked: Asked, terms: Terms, now: int) -> None:
        self._db, self._asked, self._terms, self._time = db, asked, terms, now
        self.now = _stored(now)
        self._names: dict[str, str] = {}
        self.content: dict[str, Reference] = {}

    def rows(self, name: str, **asked: object) -> list[tuple[Any, ...]]:
        text = files(infra).joinpath(f"compliance/evidence/{name}.sql").read_text("utf-8")
        return (
            self._db.execute(text, asked).fetchall() if asked else self._db.execute(text).fetchall()
        )

    def named(self, entity: str) -> str:
        return self._names.get(entity, entity)

    def things(self) -> dict[str, Thing]:
        found: dict[str, Thing] = {}
        for entity, names, declared, observed in self.rows("things", kinds=list(JUDGED)):
            found[entity] = Thing(declared, observed, names=tuple(names))
            self._names |= dict.fromkeys(names, entity)
        since = _stored(self._time - max(self._spans("observed", "content"), default=DAY))
        for name, time, uid, sha, *content in self.rows(
            "recent", kinds=list(JUDGED), since=since, now=self.now
        ):
            entity = self.named(name)
            if entity not in found:
                continue
            known, seen = found[entity], _event(uid, sha, time, entity, "at work")
            if known.event is None or known.event.time < seen.time:
                found[entity] = known._replace(event=seen)
            if content[0] is not None:
                shown = _event(content[1], content[2], content[0], entity, "brought content")
                self.content[entity] = shown
        return found

    def hits(self) -> Iterator[Hits]:
        spans: dict[str, int] = {}
        for against in self._asked.against:
            for rule in against.rules:
                spans[rule] = max(spans.get(rule, 0), against.within)
        for need in self._asked.needs:
            for rule in need.signalled:
                spans[rule] = max(spans.get(rule, 0), need.within)
        starts = [_stored(self._time - span) for span in spans.values()]
        rows = self.rows(
            "hits",
            rules=list(spans),
            starts=starts,
            now=self.now,
            carriers=list(_CARRIERS),
            most=self._asked.most,
        )
        for rule, about, level, count, shown in rows:
            entities = tuple(sorted(set(map(self.named, about))))
            yield Hits(rule, entities, level, count, self._shown(shown))

    def alerts(self) -> Iterator[Opened]:
        for row in self.rows("alerts"):
            story, stage, system, severity, tags, expires, id_, title, time, evidence = row
            shown = Reference("alert", id_, f"{stage}: {title}", time, system, cited(evidence))
            yield Opened(story, stage, system, severity, tuple(tags or ()), expires, shown)

    def weak(self) -> Iterator[Weak]:
        least: dict[str, int] = {}
        for against in self._asked.against:
            place = LEVELS.index(against.severity) + 1
            for name in against.facts:
                least[name] = min(least.get(name, place), place)
        rows = self.rows(
            "weak",
            names=list(least),
            least=list(least.values()),
            levels=list(LEVELS),
            most=self._asked.most,
        )
        for name, entity, severity, about, waived, count, shown in rows:
            thing = self.named(entity)
            yield Weak(name, thing, severity, about, waived, count, self._shown(shown))

    def conditions(self, things: Mapping[str, Thing]) -> Iterator[Shown]:
        asked = {against.condition for against in self._asked.against}
        for condition in CONDITIONS:
            if condition not in asked:
                continue
            for entity, severity, what, id_, text, time, evidence in self._condition(condition):
                thing = self.named(entity)
                event = things[thing].event if thing in things else None
                known = cited(evidence) if evidence else event.evidence if event else ()
                shown = Reference(what, id_, text, time, thing, known)
                yield Shown(condition, thing, severity, shown)

    def _condition(self, condition: Condition) -> list[tuple[Any, ...]]:
        text = query(condition)
        sla = self._terms.sla.model_dump()
        given: dict[str, object] = {
            "approved": list(self._terms.approved),
            "times": orjson.dumps(sla).decode(),
            "now": self.now,
        }
        asked = {name: value for name, value in given.items() if f"${name}" in text}
        return self._db.execute(text, asked).fetchall()

    def scans(self) -> Iterator[Looked]:
        for entity, source, time, uid, sha in self.rows("scans", now=self.now):
            thing = self.named(entity)
            yield Looked(thing, source, _event(uid, sha, time, thing, f"looked at by {source}"))

    def links(self) -> Iterator[Linked]:
        relations = {need.linked for need in self._asked.needs if need.linked}
        for relation, entity, time, other in self.rows("links", relations=sorted(relations)):
            thing = self.named(entity)
            text = f"{relation} {other}"
            yield Linked(relation, thing, Reference("asset", thing, text, time, thing))

    def _spans(self, *names: str) -> list[int]:
        return [need.within for need in self._asked.needs if any(getattr(need, n) for n in names)]

    def _shown(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Reference, ...]:
        return tuple(
            Reference(
                row["what"],
                row["id"],
                row["text"],
                row["time"],
                None if row["entity"] is None else self.named(row["entity"]),
                cited(row["evidence"]),
            )
            for row in rows
        )


def _event(uid: str, sha256: str, time: int, entity: str, text: str = "heard") -> Reference:
    return Reference("event", uid, text, time, entity, ((uid, sha256),))


def cited(evidence: str | None) -> tuple[tuple[str, str], ...]:
    """The events of a body's evidence, each once."""
    said: list[dict[str, str]] = orjson.loads(evidence or "null") or []
    return tuple(dict.fromkeys((one["event"], one["sha256"]) for one in said))[:NAMED]


def _stored(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
