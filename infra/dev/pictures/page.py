"""Page: a whole board as it is seen, each panel where its layout puts it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import infra.dev.pictures
from infra.boards.parts.board import Board
from infra.dev.pictures import chart, graph, shapes
from infra.dev.pictures.asking import Asking, Series
from infra.report.html import Html, tag

Json = dict[str, Any]
WIDTH: Final = 1440
CELL, GAP, EDGE = 30, 8, 12  # pixels, as in Grafana
HEADER, PADDING = 28, 8
TOP: Final = 92  # the bar with the title and the choices


def height(board: Board) -> int:
    """How many pixels high the page is."""
    places: list[dict[str, int]] = [panel["gridPos"] for panel in board.json()["panels"]]
    return TOP + max(place["y"] + place["h"] for place in places) * (CELL + GAP) + EDGE


def page(board: Board, ask: Asking) -> str:
    """The document. Closed rows stay closed."""
    whole = board.json()
    panels = whole["panels"]
    style = files(infra.dev.pictures).joinpath("style.css").read_text(encoding="utf-8")
    body = tag(
        "body",
        _bar(whole, ask),
        *(_row(p) if p["type"] == "row" else _panel(p, ask) for p in panels),
        style=f"width:{WIDTH}px;height:{height(board)}px",
    )
    head = tag("head", tag("meta", charset="utf-8"), tag("style", Html(style)))
    return f"<!doctype html>{tag('html', head, body, lang='en')}"


def _bar(whole: Json, ask: Asking) -> Html:
    choices = [
        tag("span", tag("small", one["label"]), tag("b", _choice(one, ask)), class_="choice")
        for one in whole["templating"]["list"]
    ]
    return tag("header", tag("h1", whole["title"]), tag("div", *choices), class_="top")


def _choice(variable: Json, ask: Asking) -> str:
    if variable.get("includeAll"):
        return "All"
    name = variable["name"]
    return ask.texts.get(name) or str(variable.get("current", {}).get("text", ask.values[name]))


def _row(panel: Json) -> Html:
    mark = "▸" if panel["collapsed"] else "▾"
    count = f"  ({len(panel['panels'])} panels)" if panel["collapsed"] else ""
    return tag("h2", f"{mark} {panel['title']}{count}", style=_place(panel))


def _panel(panel: Json, ask: Asking) -> Html:
    width, height = _size(panel)
    inner = (width - 2 * PADDING, height - HEADER - PADDING)
    return tag(
        "section",
        tag("h3", panel["title"]),
        tag("div", _content(panel, ask, *inner), class_="content"),
        style=_place(panel),
    )


def _content(panel: Json, ask: Asking, width: float, height: float) -> Html:
    targets = panel["targets"]
    if "expr" in targets[0]:
        found = [series for target in targets for series in ask.series(target)]
        return _measured(panel, found, ask, width, height) if found else _empty(panel)
    rows = ask.rows(targets[0])
    if not rows:
        return _empty(panel)
    if panel["type"] == "nodeGraph":
        return graph.graph(rows, ask.rows(targets[1]), width, height)
    return shapes.table(panel, rows, height)


def _measured(panel: Json, found: list[Series], ask: Asking, width: float, height: float) -> Html:
    match panel["type"]:
        case "stat":
            return shapes.number(panel, found[0], width, height)
        case "bargauge":
            return shapes.bars(panel, found, height)
        case "table":
            return shapes.matrix(panel, found)
        case _:
            return _course(panel, found, ask, width, height)


def _course(panel: Json, found: list[Series], ask: Asking, width: float, height: float) -> Html:
    drawn = chart.lines(panel, found)
    legend = 190 if width > 480 else 150
    svg = chart.course(panel, drawn, ask.span, width - legend, height)
    return tag("div", svg, chart.legend(panel, drawn), class_="with-legend")


def _empty(panel: Json) -> Html:
    return tag("p", panel["fieldConfig"]["defaults"]["noValue"], class_="empty")


def _size(panel: Json) -> tuple[float, float]:
    place, column = panel["gridPos"], (WIDTH - 2 * EDGE + GAP) / 24
    return place["w"] * column - GAP, place["h"] * (CELL + GAP) - GAP


def _place(panel: Json) -> str:
    place, column = panel["gridPos"], (WIDTH - 2 * EDGE + GAP) / 24
    width, height = _size(panel)
    left, top = EDGE + place["x"] * column, TOP + place["y"] * (CELL + GAP)
    return f"left:{left:.1f}px;top:{top}px;width:{width:.1f}px;height:{height}px"
