"""A board: rows of panels laid out in 24 columns, with variables, links and annotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from infra.boards.parts import variable
from infra.boards.parts.panel import Panel
from infra.boards.parts.source import Json

COLUMNS: Final = 24
# The newest schema of Grafana 12; 11.6 and later read it, 13 turns it into its second form.
SCHEMA: Final = 41
TAG: Final = "barograph"
STAGES: Final = "barograph-stage"  # the tag of annotations of stage changes


@dataclass(frozen=True)
class Section:
    """A heading with the panels under it, in reading order. Closed ones are asked when opened."""

    title: str
    panels: Sequence[Panel]
    closed: bool = False


@dataclass(frozen=True, kw_only=True)
class Board:
    """One dashboard. `uid` never changes: links, bookmarks and history hang on it."""

    uid: str
    title: str
    description: str
    sections: Sequence[Section]
    variables: Sequence[Json] = ()
    since: str = "now-7d"
    refresh: str = "1m"

    @property
    def panels(self) -> Iterator[Panel]:
        """All its panels, in reading order."""
        return (panel for section in self.sections for panel in section.panels)

    def json(self, uids: Mapping[str, str] = MappingProxyType({})) -> Json:
        """The dashboard as Grafana's first form keeps it, without id and version.

        `uids`: the data sources that it asks at first, by variable; ours where none is named.
        """
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": SCHEMA,
            "editable": True,
            "graphTooltip": 1,
            "timezone": "utc",
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "refresh": self.refresh,
            "annotations": {"list": [_stage_changes()]},
            "templating": {"list": [*variable.sources(uids), *self.variables]},
            "links": [_siblings()],
            "panels": list(self._laid_out()),
        }

    def _laid_out(self) -> Iterator[Json]:
        number, y = 1, 0
        for section in self.sections:
            row: Json = {
                "id": number,
                "type": "row",
                "title": section.title,
                "collapsed": section.closed,
                "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y},
                "panels": [],
            }
            placed, bottom = _flow(section.panels, y + 1)
            panels = [
                panel.json(number + place, x, top)
                for place, (panel, x, top) in enumerate(placed, start=1)
            ]
            if section.closed:
                yield row | {"panels": panels}
                y += 1
            else:
                yield row
                yield from panels
                y = bottom
            number += 1 + len(panels)


def _flow(panels: Sequence[Panel], y: int) -> tuple[list[tuple[Panel, int, int]], int]:
    """Each panel beside the one before, or below if the line is full; and the bottom of all."""
    placed: list[tuple[Panel, int, int]] = []
    x, bottom = 0, y
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y = 0, bottom
        placed.append((panel, x, y))
        x, bottom = x + panel.width, max(bottom, y + panel.height)
    return placed, bottom


def _stage_changes() -> Json:
    """Lines where the stage of an alert changed; `barograph boards push` writes them."""
    return {
        "name": "Stage changes",
        "builtIn": 0,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": False,
        "iconColor": "orange",
        "target": {"type": "tags", "tags": [STAGES], "matchAny": False, "limit": 100},
    }


def _siblings() -> Json:
    """The other boards, with the same time and the same choices."""
    return _link("dashboards", "Barograph", "", tags=[TAG])


def link(uid: str, title: str) -> Json:
    """A link of a panel to another board of ours; time and choices go with it."""
    return _link("link", title, f"/d/{uid}", tags=[])


def row_link(uid: str, title: str, **choices: str) -> Json:
    """A link of a field to another board, where choices take the values of fields of the row."""
    chosen = "".join(f"&var-{name}=${{__data.fields.{of}}}" for name, of in choices.items())
    return {"title": title, "url": f"/d/{uid}?${{__url_time_range}}{chosen}", "targetBlank": False}


def _link(kind: str, title: str, url: str, tags: list[str]) -> Json:
    return {
        "type": kind,
        "title": title,
        "url": url,
        "tags": tags,
        "asDropdown": False,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
    }
