"""Stage changes: when an alert rose, fell or ended, as annotations on every board."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import orjson

from infra.boards.parts.board import STAGES
from infra.reading.reader import Reader
from schemas.alert import STAGES as KNOWN

LIMIT: Final = 500  # the newest changes; a board shows at most a hundred at once
_TIMELINES: Final = """
SELECT id, system, title, CAST(body -> 'timeline' AS VARCHAR) AS timeline
FROM alerts WHERE meta_state <> 'withdrawn' ORDER BY last_time DESC, id"""
_ENDS: Final = ("expired at", "resolved", "verified", "superseded")


class Annotation(NamedTuple):
    """`time` in milliseconds since 1970. Equal ones are one; `alert` is the short id."""

    time: int
    text: str
    tags: tuple[str, ...]
    alert: str


def changes(reader: Reader) -> list[Annotation]:
    """The newest changes of all alerts that stand, oldest first."""
    rows = reader.run(_TIMELINES).rows
    found = {one for row in rows for one in _of(*row)}
    return sorted(found)[-LIMIT:]


def known(reader: Reader) -> frozenset[str]:
    """The short ids of all alerts that the store has ever held, withdrawn ones among them."""
    return frozenset(_short(row[0]) for row in reader.run("SELECT id FROM alerts").rows)


def _of(alert: str, system: str, title: str, timeline: str | None) -> Iterator[Annotation]:
    lines: list[Mapping[str, str]] = orjson.loads(timeline or "[]")
    for line in lines:
        stage = _stage(line["text"])
        if stage is not None:
            # Grafana shows texts as HTML, and names are anybody's.
            text = html.escape(f"{system}: {title}\n{line['text']}", quote=False)
            tags = (STAGES, stage, f"alert-{_short(alert)}")
            yield Annotation(_milliseconds(line["time"]), text, tags, _short(alert))


def _stage(text: str) -> str | None:
    """The stage that a line of the timeline leads to; None if it tells of something else."""
    if text.startswith(_ENDS):
        return "ended"
    head = text.partition(":")[0].rpartition("-> ")[2]
    return head if head in KNOWN else None


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).astimezone(UTC).timestamp() * 1000)


def _short(alert: str) -> str:
    return alert[:12]
