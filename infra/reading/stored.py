"""Stored: what the store holds of one id, of one system, and where raw records lie."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from correlators.atlas import name
from infra.reading.reader import Reader, located
from infra.reading.rereading import Recorded
from infra.settings import load as settings
from infra.terminal import shown
from schemas.atlas import atlas
from schemas.errors import Mistake
from schemas.times import instant

SHORTEST = 4  # characters of an id: fewer name too many
LISTED = 5  # ids that an ambiguous beginning is answered with
_BY_ID = """
SELECT id, body FROM (
    SELECT id, body, 1 AS place FROM alerts
    UNION ALL SELECT id, body, 2 FROM findings
    UNION ALL SELECT id, body, 3 FROM signals)
WHERE starts_with(id, ?) ORDER BY id <> ?, place, id"""
# A thread is the same for all episodes of a convergence on a system; the newest one is meant.
_BY_THREAD = """
SELECT thread, arg_max(body, (onset_time, id)) FROM alerts
WHERE starts_with(thread, ?) GROUP BY thread ORDER BY thread <> ?, thread"""
_BY_UID = "SELECT uid, body FROM events WHERE starts_with(uid, ?) ORDER BY uid <> ?, uid LIMIT 100"
_FORECASTS = """
SELECT f.body, a.body -> 'next' AS next
FROM forecasts AS f LEFT JOIN alerts AS a ON a.id = f.alert
WHERE f.meta_state <> 'withdrawn' AND ($1 IS NULL OR list_contains($1, f.system))
ORDER BY f.system, f.probability DESC, f.technique, f.id"""
_SYSTEMS = """
SELECT id FROM systems WHERE id = $1 OR name = $1
UNION SELECT system FROM alerts WHERE system = $1"""
_ORIGINS = "SELECT uid, origin FROM events WHERE list_contains(?, uid)"
_BODIES = "SELECT uid, body FROM events WHERE list_contains(?, uid)"
_RECORDS = "SELECT uid, origin, source FROM events WHERE list_contains(?, uid)"


def found(
    store: str | None, id_: str, config: str | None = None, *, events: bool = False
) -> dict[str, Any]:
    """The body with `meta` of the alert, finding or signal whose id (or thread) begins so.

    With `events` also that of an event, last.
    A Mistake if there is none, or several of which none has exactly this id.
    """
    if len(id_) < SHORTEST:
        raise Mistake(f"{id_!r} is too short for an id; give {SHORTEST} characters or more of it")
    path = located(store, settings(config))
    with Reader(path) as reader:
        for query in (_BY_ID, _BY_THREAD, *((_BY_UID,) if events else ())):
            rows = reader.run(query, (id_, id_)).rows
            if len(rows) == 1 or (rows and rows[0][0] == id_):
                body: dict[str, Any] = orjson.loads(rows[0][1])
                return body
            if rows:
                some = ", ".join(str(row[0]) for row in rows[:LISTED])
                raise Mistake(
                    f"{id_} is the beginning of {shown.plural(len(rows), 'id')}; "
                    f"give more of it: {some}{', ...' if len(rows) > LISTED else ''}"
                )
    raise Mistake(
        f"{path} holds no alert, finding{', signal or event' if events else ' or signal'} {id_}; "
        f"{shown.command('query', 'FROM open_alerts')} lists the open alerts"
    )


def origins(
    store: str | None, events: Collection[str], config: str | None = None
) -> dict[str, str]:
    """Where the raw record of each event lies, as far as the store knows."""
    with Reader(located(store, settings(config))) as reader:
        return dict(reader.run(_ORIGINS, (sorted(events),), rows=len(events)).rows)


def records(
    store: str | None, events: Collection[str], config: str | None = None
) -> dict[str, Recorded]:
    """Where the raw record of each event lies and which source read it, as far as is known."""
    with Reader(located(store, settings(config))) as reader:
        rows = reader.run(_RECORDS, (sorted(events),), rows=len(events)).rows
    return {uid: Recorded(origin, source) for uid, origin, source in rows}


def said(store: str | None, events: Collection[str], config: str | None = None) -> dict[str, str]:
    """What each event says, in a line: when, what, by whom, from where; as far as is known."""
    with Reader(located(store, settings(config))) as reader:
        rows = reader.run(_BODIES, (sorted(events),), rows=len(events)).rows
    return {uid: line(orjson.loads(body)) for uid, body in rows}


def line(event: dict[str, Any]) -> str:
    """An event in a line: when, what, by whom, from where."""
    told = event.get("attributes", {})
    words = [
        shown.time(instant(event.get("time", 0))),
        event.get("message") or event.get("activity", ""),
    ]
    if "package.name" in told:
        words.append(f"({told['package.name']} {told.get('package.version', '')}".rstrip() + ")")
    if "package.fixed_version" in told:
        words.append(f"fixed in {told['package.fixed_version']}")
    actor, address = event.get("actor", {}).get("id"), event.get("client", {}).get("ip")
    if actor and actor not in words[1]:
        words.append(f"by {actor}")
    if address:
        words.append(f"from {address}")
    return " ".join(words)


def forecasts(
    store: str | None, system: str | None, config: str | None = None
) -> list[dict[str, Any]]:
    """The forecasts of a system (id or name; None: of all), each system's most probable first.

    `name` is added where the technique is known, `precondition` and `blocking_action` where the
    alert still expects the step.
    A Mistake if there is no such system.
    """
    path = located(store, settings(config))
    with Reader(path) as reader:
        ids = [] if system is None else [row[0] for row in reader.run(_SYSTEMS, (system,)).rows]
        if system is not None and not ids:
            raise Mistake(
                f"{path} holds no system {system}; "
                f"{shown.command('query', 'FROM systems')} lists them"
            )
        rows = reader.run(_FORECASTS, (ids or None,)).rows
    return [_expected(orjson.loads(body), orjson.loads(steps or "[]")) for body, steps in rows]


def _expected(forecast: dict[str, Any], steps: Collection[dict[str, Any]]) -> dict[str, Any]:
    technique = forecast["technique"]
    step = {step["technique"]: step for step in steps}.get(technique, {})
    named = {"name": name(technique)} if technique in atlas().techniques else {}
    kept = ("name", "precondition", "blocking_action")
    return forecast | named | {key: step[key] for key in kept if key in step}
