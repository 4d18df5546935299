"""Kinds of panels that boards use, each with the options that make it readable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from infra.boards.parts.panel import PLAIN, Panel, Steps, thresholds
from infra.boards.parts.source import Json
from infra.boards.parts.target import Answer, Column, Metric, Target

LAST: Final[Json] = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def number(
    title: str,
    description: str,
    expr: str,
    *,
    empty: str,
    steps: Steps = PLAIN,
    **more: Any,  # noqa: ANN401 - fields of Panel
) -> Panel:
    """One big number, with its course behind it."""
    given: dict[str, Any] = {"width": 4, "height": 4, "targets": [Metric(expr)]}
    options: Json = {
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": LAST,
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    }
    return Panel(
        type="stat",
        title=title,
        description=description,
        empty=empty,
        steps=steps,
        options=options,
        **given | more,
    )


def course(
    title: str,
    description: str,
    targets: Sequence[Target],
    *,
    empty: str,
    **more: Any,  # noqa: ANN401 - fields of Panel
) -> Panel:
    """Lines over time. `stacked=True` piles them up, `bars=True` draws them as bars."""
    stacked, bars = more.pop("stacked", False), more.pop("bars", False)
    given: dict[str, Any] = {"width": 12, "height": 8, "colour": "palette-classic", "minimum": 0}
    custom: Json = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "stepAfter",
        "lineWidth": 1 if stacked else 2,
        "fillOpacity": 60 if bars else 25 if stacked else 8,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if "steps" in more else "off"},
    }
    options: Json = {
        "legend": {
            "calcs": ["lastNotNull", "max"],
            "displayMode": "table",
            "placement": "right",
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return Panel(
        type="timeseries",
        title=title,
        description=description,
        empty=empty,
        targets=targets,
        custom=custom,
        options=options,
        **given | more,
    )


def bars(title: str, description: str, expr: str, legend: str, *, empty: str, **more: Any) -> Panel:  # noqa: ANN401 - fields of Panel
    """What is now, as one bar for each series."""
    given: dict[str, Any] = {
        "width": 6,
        "height": 8,
        "minimum": 0,
        "colour": "palette-classic",
        "targets": [Metric(expr, legend, now=True)],
    }
    options: Json = {
        "displayMode": "basic",
        "minVizHeight": 12,
        "minVizWidth": 8,
        "namePlacement": "left",
        "orientation": "horizontal",
        "reduceOptions": LAST,
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    }
    return Panel(
        type="bargauge",
        title=title,
        description=description,
        empty=empty,
        options=options,
        **given | more,
    )


def table(
    title: str,
    description: str,
    path: str,
    columns: Sequence[Column],
    *,
    empty: str,
    root: str = "rows",
    chosen: tuple[str, ...] = (),
    sort: tuple[str, bool] | None = None,
    **more: Any,  # noqa: ANN401 - fields of Panel
) -> Panel:
    """Rows of the read API. `sort`: the heading of a column, and whether the greatest is first."""
    given: dict[str, Any] = {"width": 24, "height": 9, "unit": "none"}
    options: Json = {"cellHeight": "sm", "showHeader": True}
    if sort is not None:
        options["sortBy"] = [{"displayName": sort[0], "desc": sort[1]}]
    custom: Json = {
        "align": "auto",
        "cellOptions": {"type": "auto"},
        "filterable": True,
        "inspect": True,
    }
    return Panel(
        type="table",
        title=title,
        description=description,
        empty=empty,
        targets=[Answer(path, tuple(columns), root, chosen)],
        options=options,
        custom=custom,
        **given | more,
    )


def matrix(
    title: str,
    description: str,
    expr: str,
    by: tuple[str, str],
    *,
    empty: str,
    columns: Mapping[str, str],
    **more: Any,  # noqa: ANN401 - fields of Panel
) -> Panel:
    """Two labels against each other: the first in rows, the second in columns.

    `columns`: their names in order, each with the colour of a cell that is not 0.
    """
    row, column = by
    head = f"{row}\\{column}"
    given: dict[str, Any] = {"width": 12, "height": 8}
    return Panel(
        type="table",
        title=title,
        description=description,
        empty=empty,
        targets=[Metric(expr, now=True, form="table")],
        options={"cellHeight": "md", "showHeader": True},
        custom={"align": "center", "cellOptions": {"type": "color-background", "mode": "basic"}},
        overrides={
            head: {
                "custom.align": "left",
                "custom.cellOptions": {"type": "auto"},
                "custom.width": 220,
            },
            **{
                name: {"thresholds": thresholds(((None, "transparent"), (1, colour)))}
                for name, colour in columns.items()
            },
        },
        transformations=[
            {
                "id": "groupingToMatrix",
                "options": {
                    "rowField": row,
                    "columnField": column,
                    "valueField": "Value",
                    "emptyValue": "zero",
                },
            },
            {
                "id": "organize",
                "options": {
                    "indexByName": {name: place for place, name in enumerate((head, *columns))},
                    "excludeByName": {},
                    "renameByName": {},
                },
            },
        ],
        **given | more,
    )


def graph(title: str, description: str, path: str, *, empty: str, **more: Any) -> Panel:  # noqa: ANN401 - fields of Panel
    """A node graph of the read API."""
    nodes = ("id", "title", "subtitle", "mainstat", "secondarystat", "color")
    edges = ("id", "source", "target", "mainstat", "color")
    given: dict[str, Any] = {"width": 24, "height": 11}
    options: Json = {
        "edges": {},
        "nodes": {},
        "layoutAlgorithm": "layered",
        "zoomMode": "cooperative",
    }
    return Panel(
        type="nodeGraph",
        title=title,
        description=description,
        empty=empty,
        targets=[
            Answer(path, tuple(Column(name) for name in nodes), "nodes"),
            Answer(path, tuple(Column(name) for name in edges), "edges"),
        ],
        options=options,
        **given | more,
    )


def times(*names: str) -> Mapping[str, Json]:
    """Overrides for columns that hold times."""
    return {name: {"unit": "dateTimeAsIso", "custom.width": 155} for name in names}


def narrow(*names: str) -> Mapping[str, Json]:
    """Overrides for columns of short numbers."""
    return {name: {"custom.width": 100} for name in names}
