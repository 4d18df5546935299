"""Pressing: the table of open alerts, with the same columns and colours on every board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from infra.boards.parts import kinds
from infra.boards.parts.board import row_link
from infra.boards.parts.panel import Panel, words
from infra.boards.parts.source import Json
from infra.boards.parts.target import Column
from schemas.alert import STAGES

OPEN: Final = "/api/v1/alerts?status=open&order=pressing"
ALERT_LINK: Final = row_link("barograph-paths", "Its attack path", alert="id")
_COLUMNS: Final = (
    Column("stage"),
    Column("severity"),
    Column("priority", kind="number"),
    Column("confidence", kind="number"),
    Column("system"),
    Column("title"),
    Column("last_time", "last seen", "timestamp"),
)


def pressing(
    title: str,
    description: str,
    *,
    empty: str,
    height: int,
    times: Sequence[Column] = (),
    overrides: Mapping[str, Json],
) -> Panel:
    """Open alerts, the most pressing first; the title leads to the attack path.

    `times`: more columns, of times. `overrides`: how the board shows priority and id.
    """
    return kinds.table(
        title,
        description,
        OPEN,
        [*_COLUMNS, *times, Column("id")],
        empty=empty,
        height=height,
        sort=("priority", True),
        chosen=("stage", "severity"),
        overrides={
            "severity": {"custom.width": 90},
            "stage": {
                "custom.cellOptions": {"type": "color-background", "mode": "basic"},
                "custom.width": 100,
                "mappings": words(*STAGES),
            },
            "confidence": {"unit": "percentunit", "custom.width": 100},
            "title": {"links": [ALERT_LINK]},
            **kinds.times("last seen", *(column.heading for column in times)),
            **overrides,
        },
    )
