"""Correlate: hits of one rule in one group become findings, and rows for all who wait for these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from correlators import window
from correlators.accumulator import Hit
from correlators.accumulator.number import numeral
from correlators.evidence import SHOWN, listed, union
from correlators.logic import Emit, Logic
from correlators.routes import Routes
from correlators.sigma.values import fold, text
from correlators.window import Episode, Window
from schemas.canonical import body_sha256, canonical, digest
from schemas.correlation import STATISTICS, Correlation
from schemas.rows import Row
from schemas.times import rfc3339
from schemas.topics import SIGNALS


def comparable(value: object) -> str | None:
    """The text by which group and counted values compare: as Sigma compares a field with text.

    None for null, absent, lists and objects: these group nothing and are not counted.
    """
    if isinstance(value, str):
        return fold(value)
    return text(value) if isinstance(value, bool | int | float) else None


def key_of(rule: Correlation, values: Sequence[str]) -> str:
    """The key that owns the window of a rule in a group."""
    return canonical([rule.id, *values]).decode()


def hit_row(
    rule: Correlation, fields: Mapping[str, Any], name: str, hit: dict[str, Any], kind: str
) -> Row | None:
    """The row that brings a hit of `name` to `rule`, or None if its group is incomplete.

    `fields` are the values of the matched record (or the group of a lower finding); aliases are
    resolved per name. `hit` has the `time` and `id` of the row and what `Hit` holds; `event` is
    what counts as one.
    """
    values: list[str] = []
    for field in rule.group_by:
        source = rule.aliases.get(field, {}).get(name, field)
        value = comparable(fields.get(source))
        if value is None:
            return None
        values.append(value)
    body = {k: v for k, v in hit.items() if k not in ("time", "id")} | {"names": [name]}
    if rule.fields and (counted := _counted(rule, fields, name)) is not None:
        body["value"] = counted
    return Row(SIGNALS, rule.level_number, key_of(rule, values), hit["time"], hit["id"], kind, body)


class Correlate(Logic):
    """Logic of the correlate levels; key = canonical JSON [rule id, group values...]."""

    name = "correlate"
    state_type = Window
    packed = True
    most = 1_000_000  # groups: who sends records may choose the values that they are grouped by

    def __init__(self, correlations: Sequence[Correlation], routes: Routes) -> None:
        """`correlations` of all levels; `routes` say who else wants to know."""
        self.rules = {rule.id: rule for rule in correlations}
        self.routes = routes

    def empty(self, key: str, /) -> Window:
        """A window in which nothing happened."""
        return window.empty(self._rule(key))

    def knows(self, key: str, /) -> bool:
        """False for a rule that is not here, and for one that groups by more or less."""
        parts = _parts(key)
        rule = self.rules.get(parts[0])
        return rule is not None and len(parts) == 1 + len(rule.group_by)

    def fire(self, key: str, state: Window, until: int, emit: Emit, /) -> None:
        """Close episodes whose deadline lies before `until`; tell what qualified by waiting."""
        rule = self._rule(key)
        for step in window.fire(rule, state, until, lambda hit: finding_id(rule, key, hit)):
            if step.closed is not None:
                self._finding(key, step.closed, emit)
            if step.episode is not None:
                self._tell(key, step.episode, step.time, step.hits, emit, onset=step.onset)

    def apply(self, key: str, state: Window, time: int, rows: Sequence[Row], emit: Emit, /) -> None:
        """Fold the hits of one time; each qualifying time is told to who waits for the rule."""
        rule = self._rule(key)
        hits = hits_of(rows)
        cut, episode = window.apply(rule, state, time, hits, lambda hit: finding_id(rule, key, hit))
        if cut is not None:
            self._finding(key, cut, emit)
        if episode is not None:
            self._tell(key, episode, time, hits, emit, onset=episode.onset == time)

    def report(self, key: str, state: Window, emit: Emit, /) -> None:
        """Say the open episode."""
        if state.episode is not None:
            self._finding(key, state.episode, emit)

    def due(self, key: str, state: Window, /) -> int | None:
        """The deadline of the open episode."""
        return window.closes_at(self._rule(key), state)

    def idle(self, state: Window, /) -> bool:
        """True if the window says no more than an empty one."""
        return window.idle(state)

    def provisional(self, key: str, /) -> bool:
        """Conditions that more hits can undo are said once settled."""
        return not self._rule(key).undoable

    def _rule(self, key: str) -> Correlation:
        return self.rules[_parts(key)[0]]

    def _tell(
        self,
        key: str,
        episode: Episode,
        time: int,
        hits: Sequence[Hit],
        emit: Emit,
        *,
        onset: bool,
    ) -> None:
        """The row of a qualifying time: temporal rules use all of them, counting ones the onset."""
        rule = self._rule(key)
        feeds = [
            higher
            for higher in self.routes.feeds.get(rule.id, ())
            if onset or higher.type.startswith("temporal")
        ]
        if not (feeds or rule.id in self.routes.legs):
            return
        about = told(key, time, hits[0].id, episode.sample.hits if onset else hits[:SHOWN])
        group = group_of(rule, key)
        for higher in feeds:
            counting = not higher.type.startswith("temporal")
            hit = about | {"event": episode.id} if counting else about
            row = hit_row(higher, group, rule.id, hit, "episode")
            if row is not None:
                emit.row(row)
        for row in self.routes.leg_rows(rule.id, about, "finding", finding=episode.id):
            emit.row(row)

    def _finding(self, key: str, episode: Episode, emit: Emit) -> None:
        body = finding(self._rule(key), key, episode)
        emit.result("finding", episode.id, episode.last, body)


def told(key: str, time: int, first: str, shown: Sequence[Hit]) -> dict[str, Any]:
    """What a qualifying time tells higher rules: `first` is the id of its smallest hit."""
    row_id = digest("row", key, time, first)
    return {
        "time": time,
        "id": row_id,
        "event": row_id,
        "signals": list(union(hit.signals for hit in shown)),
        "evidence": [list(pair) for pair in union(hit.evidence for hit in shown)],
        "entities": list(union(hit.entities for hit in shown)),
        "families": sorted({f for hit in shown for f in hit.families}),
    }


def finding(rule: Correlation, key: str, episode: Episode) -> dict[str, Any]:
    """The Finding of an episode, without `meta`."""
    hits = episode.sample.hits
    body: dict[str, Any] = {
        "id": episode.id,
        "rule": rule.id,
        "title": rule.title,
        "level": rule.level,
        "group": group_of(rule, key),
        "first_time": rfc3339(episode.first),
        "onset_time": rfc3339(episode.onset),
        "last_time": rfc3339(episode.last),
        "count": episode.sample.count,
        "signals": list(union(hit.signals for hit in hits)),
        "entities": [
            {"kind": k, "id": i}
            for k, _, i in (e.partition(":") for e in union(hit.entities for hit in hits))
        ],
        "families": sorted({family for hit in hits for family in hit.families}),
        "confidence": rule.confidence,
        "tags": list(rule.tags),
        "evidence": listed(pair for hit in hits for pair in hit.evidence),
    }
    body["body_sha256"] = body_sha256(body)
    return body


def finding_id(rule: Correlation, key: str, hit: Hit) -> str:
    """The id of the finding that begins with a hit."""
    return digest("finding", rule.id, key, hit.id)


@lru_cache(maxsize=16_384)  # asked several times for each row
def _parts(key: str) -> tuple[str, ...]:
    return tuple(orjson.loads(key))


def group_of(rule: Correlation, key: str) -> dict[str, str]:
    """The values of a group by the fields of `group-by`."""
    return dict(zip(rule.group_by, _parts(key)[1:], strict=True))


def _counted(rule: Correlation, fields: Mapping[str, Any], name: str) -> str | None:
    """What value_count counts: the one field as text, several as a list of these; else a number."""
    stated = [fields.get(rule.aliases.get(field, {}).get(name, field)) for field in rule.fields]
    if rule.type in STATISTICS:
        return numeral(stated[0])
    parts = [comparable(value) for value in stated]
    if None in parts:
        return None
    return parts[0] if len(parts) == 1 else canonical(parts).decode()


def hits_of(rows: Sequence[Row]) -> list[Hit]:
    """The rows of one time as hits, in the order of their ids.

    Several signals of one event are one hit.
    """
    if len(rows) == 1:
        return [_lone(rows[0])]
    events: dict[str, list[Row]] = {}
    for row in rows:
        events.setdefault(row.body["event"], []).append(row)
    return [_hit(event, together) for event, together in sorted(events.items())]


def _lone(row: Row) -> Hit:
    """The hit of a row that is alone, as nearly all are; who shows its lists leaves out copies."""
    said = row.body.get
    return Hit(
        row.time,
        row.body["event"],
        tuple(said("names", ())),
        said("value"),
        tuple(said("signals", ())),
        tuple([(uid, sha) for uid, sha in said("evidence", ())]),
        tuple(said("entities", ())),
        tuple(said("families", ())),
    )


def _hit(event: str, together: Sequence[Row]) -> Hit:
    if len(together) == 1:
        return _lone(together[0])
    bodies = [row.body for row in together]
    return Hit(
        together[0].time,
        event,
        union(body.get("names", ()) for body in bodies),
        next((v for body in bodies if (v := body.get("value")) is not None), None),
        union(body.get("signals", ()) for body in bodies),
        union([(uid, sha) for uid, sha in body.get("evidence", ())] for body in bodies),
        union(body.get("entities", ()) for body in bodies),
        union(body.get("families", ()) for body in bodies),
    )
