"""Correlate: hits of one rule in one group become findings, rows for higher levels and legs of convergences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import orjson

from correlators import window
from correlators.evidence import listed
from correlators.keyed import Emit
from correlators.routes import Routes
from correlators.window import Episode, Hit, Window
from schemas.canonical import body_sha256, canonical, digest
from schemas.correlation import Correlation
from schemas.rows import Result, Row
from schemas.times import rfc3339
from schemas.topics import SIGNALS

Item = TypeVar("Item")


def comparable(value: object) -> str | None:
    """The text by which group and counted values compare: strings ignore case, numbers and booleans by their JSON text.

    None for null, absent, lists and objects: these group nothing and are not counted.
    """
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, bool | int | float):
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # 1.0 is 1
        return orjson.dumps(value).decode()
    return None


def key_of(rule: Correlation, values: Sequence[str]) -> str:
    """The key that owns the window of a rule in a group."""
    return canonical([rule.id, *values]).decode()


def hit_row(
    rule: Correlation, fields: Mapping[str, Any], name: str, hit: dict[str, Any], kind: str
) -> Row | None:
    """The row that brings a hit of `name` to `rule`, or None if its group is incomplete.

    `fields` are the values of the matched record (or the group of a lower finding); aliases are resolved per name.
    `hit` has the `time` and `id` of the row and what `Hit` holds; `event` is what counts as one.
    """
    values = []
    for field in rule.group_by:
        source = rule.aliases.get(field, {}).get(name, field)
        value = comparable(fields.get(source))
        if value is None:
            return None
        values.append(value)
    counted: str | None = None
    if rule.type == "value_count":
        parts = [comparable(fields.get(f)) for f in rule.fields]
        counted = (
            None if None in parts else parts[0] if len(parts) == 1 else canonical(parts).decode()
        )
    body = {k: v for k, v in hit.items() if k not in ("time", "id")} | {"names": [name]}
    if counted is not None:
        body["value"] = counted
    return Row(SIGNALS, rule.level_number, key_of(rule, values), hit["time"], hit["id"], kind, body)


class Correlate:
    """Logic of the correlate levels; key = canonical JSON [rule id, group values...]."""

    name = "correlate"
    state_type = Window

    def __init__(self, correlations: Sequence[Correlation], routes: Routes) -> None:
        """`correlations` of all levels; `routes` say who else wants to know."""
        self.rules = {rule.id: rule for rule in correlations}
        self.routes = routes

    def empty(self, key: str) -> Window:
        """A window in which nothing happened."""
        return window.empty(self._rule(key))

    def copy(self, state: Window) -> Window:
        """A copy that can be changed."""
        return state.copy()

    def fire(self, key: str, state: Window, until: int, ahead: bool, emit: Emit) -> None:  # noqa: ARG002
        """Close the episode whose deadline lies before `until`."""
        closed = window.close(self._rule(key), state, until)
        if closed is not None:
            self._finding(key, closed, emit)

    def apply(self, key: str, state: Window, time: int, rows: Sequence[Row], emit: Emit) -> None:
        """Fold the hits of one time; every qualifying time is told to higher levels and convergences."""
        rule = self._rule(key)
        hits = _hits(rows)
        cut, episode = window.apply(
            rule, state, time, hits, lambda hit: digest("finding", rule.id, key, hit.id)
        )
        if cut is not None:
            self._finding(key, cut, emit)
        if episode is not None:
            self._tell(rule, key, episode, time, hits, emit)

    def report(self, key: str, state: Window, emit: Emit) -> None:
        """Say the open episode."""
        if state.episode is not None:
            self._finding(key, state.episode, emit)

    def due(self, key: str, state: Window) -> int | None:
        """The deadline of the open episode."""
        return window.closes_at(self._rule(key), state)

    def idle(self, state: Window) -> bool:
        """True if the window says no more than an empty one."""
        return window.idle(state)

    def provisional(self, key: str) -> bool:
        """Conditions that more hits can undo are said once settled."""
        return not self._rule(key).undoable

    def complete(self, results: list[Result]) -> list[Result]:
        """Findings are whole."""
        return results

    def _rule(self, key: str) -> Correlation:
        return self.rules[orjson.loads(key)[0]]

    def _tell(
        self, rule: Correlation, key: str, episode: Episode, time: int, hits: list[Hit], emit: Emit
    ) -> None:
        onset = episode.onset == time
        shown = episode.sample.hits if onset else hits[: window.SHOWN]
        about: dict[str, Any] = {
            "time": time,
            "id": (row_id := digest("row", key, time, hits[0].id)),
            "event": row_id,
            "signals": list(_union(hit.signals for hit in shown)),
            "evidence": [list(pair) for pair in _union(hit.evidence for hit in shown)],
            "entities": list(_union(hit.entities for hit in shown)),
            "families": sorted({f for hit in shown for f in hit.families}),
        }
        group = dict(zip(rule.group_by, orjson.loads(key)[1:], strict=True))
        for higher in self.routes.feeds.get(rule.id, ()):
            counting = not higher.type.startswith("temporal")
            if counting and not onset:
                continue
            row = hit_row(
                higher,
                group,
                rule.id,
                about | ({"event": episode.id} if counting else {}),
                "episode",
            )
            if row is not None:
                emit.row(row)
        for row in self.routes.leg_rows(rule.id, about, "finding", finding=episode.id):
            emit.row(row)

    def _finding(self, key: str, episode: Episode, emit: Emit) -> None:
        rule = self._rule(key)
        hits = episode.sample.hits
        body: dict[str, Any] = {
            "id": episode.id,
            "rule": rule.id,
            "title": rule.title,
            "level": rule.level,
            "group": dict(zip(rule.group_by, orjson.loads(key)[1:], strict=True)),
            "first_time": rfc3339(episode.first),
            "onset_time": rfc3339(episode.onset),
            "last_time": rfc3339(episode.last),
            "count": episode.sample.count,
            "signals": list(_union(hit.signals for hit in hits)),
            "entities": [
                {"kind": k, "id": i}
                for k, _, i in (e.partition(":") for e in _union(h.entities for h in hits))
            ],
            "families": sorted({family for hit in hits for family in hit.families}),
            "confidence": rule.confidence,
            "tags": list(rule.tags),
            "evidence": listed(_union(hit.evidence for hit in hits)),
        }
        body["body_sha256"] = body_sha256(body)
        emit.result("finding", episode.id, episode.last, body)


def _hits(rows: Sequence[Row]) -> list[Hit]:
    """The rows of one time as hits in the order of their ids: several signals of one event are one hit."""
    events: dict[str, list[Row]] = {}
    for row in rows:
        events.setdefault(row.body["event"], []).append(row)
    return [
        Hit(
            time=together[0].time,
            id=event,
            names=_union(row.body["names"] for row in together),
            value=next((v for row in together if (v := row.body.get("value")) is not None), None),
            signals=_union(row.body.get("signals", ()) for row in together),
            evidence=_union(map(tuple, row.body.get("evidence", ())) for row in together),
            entities=_union(row.body.get("entities", ()) for row in together),
            families=_union(row.body.get("families", ()) for row in together),
        )
        for event, together in sorted(events.items())
    ]


def _union(parts: Iterable[Iterable[Item]]) -> tuple[Item, ...]:
    """All items once, in order of first appearance."""
    return tuple(dict.fromkeys(item for part in parts for item in part))
