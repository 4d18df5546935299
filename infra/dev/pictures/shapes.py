"""Shapes: what panels show that is no course: big numbers, bars, tables and graphs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from infra.dev.pictures.asking import Series
from infra.dev.pictures.chart import lines, spark
from infra.dev.pictures.values import NAMED, colour, threshold, written
from infra.report.html import Child, Html, tag

Json = dict[str, Any]
LINE: Final = 26  # pixels of a row of a table


def number(panel: Json, series: Series, width: float, height: float) -> Html:
    """One number and its course."""
    defaults = panel["fieldConfig"]["defaults"]
    value = series.points[-1][1]
    shade = threshold(value, defaults["thresholds"]["steps"])
    text = _mapped(value, defaults["mappings"])
    text = written(value, defaults["unit"], defaults.get("decimals")) if text is None else text
    size = min(height * 0.42, width / max(len(text) * 0.62, 2), 54)
    return tag(
        "div",
        spark(series.points, shade, width, height * 0.45),
        tag("b", text, style=f"color:{shade};font-size:{size:.0f}px"),
        class_="number",
    )


def bars(panel: Json, found: Sequence[Series], height: float) -> Html:
    """One bar for each series; of a heat map what is in each bucket, the smallest first."""
    defaults = panel["fieldConfig"]["defaults"]
    if panel["targets"][0]["format"] == "heatmap":
        found = _buckets(found)
    names = _properties(panel, "displayName")
    highest = defaults.get("max") or max((one.points[-1][1] for one in found), default=1) or 1
    room = max(min(height / max(len(found), 1) - 4, 26), 7)
    by_threshold = defaults["color"]["mode"] == "thresholds"
    rows: list[Html] = []
    for line in lines(panel, found):
        value = line.series.points[-1][1]
        shade = threshold(value, defaults["thresholds"]["steps"]) if by_threshold else line.colour
        bar = tag("i", style=f"width:{value / highest * 100:.1f}%;background:{shade}")
        text = written(value, defaults["unit"], defaults.get("decimals"))
        rows.append(
            tag(
                "li",
                tag("span", names.get(line.series.name, line.series.name), class_="name"),
                tag("span", bar, class_="bar"),
                tag("span", text, style=f"color:{shade}", class_="value"),
                style=f"height:{room:.0f}px;font-size:{min(room - 2, 13):.0f}px",
            )
        )
    return tag("ul", *rows, class_="bars")


def table(panel: Json, rows: Sequence[Json], height: float) -> Html:
    """The rows that there is room for."""
    hidden = {name for name, value in _properties(panel, "custom.hidden").items() if value}
    columns = [c["text"] for c in panel["targets"][0]["columns"] if c["text"] not in hidden]
    for sort in panel["options"].get("sortBy", ()):
        rows = sorted(
            rows, key=lambda row: _rank(row.get(sort["displayName"])), reverse=sort["desc"]
        )
    shown = rows[: max(int(height / LINE) - 1, 1)]
    widths = _widths(panel, columns)
    head = tag("tr", *(tag("th", name, style=widths[name]) for name in columns))
    body = [tag("tr", *(_cell(panel, name, row.get(name)) for name in columns)) for row in shown]
    return tag("table", tag("thead", head), tag("tbody", *body))


def matrix(panel: Json, found: Sequence[Series]) -> Html:
    """Two labels against each other, each cell in the colour of its threshold."""
    options = panel["transformations"][0]["options"]
    row, column = options["rowField"], options["columnField"]
    cells: dict[str, dict[str, float]] = defaultdict(dict)
    for one in found:
        cells[one.labels[row]][one.labels[column]] = one.points[-1][1]
    order = panel["transformations"][1]["options"]["indexByName"]
    named = {one.labels[column] for one in found}
    columns = sorted(named, key=lambda name: (order.get(name, 99), name))
    shades = _properties(panel, "thresholds")
    head = tag("tr", tag("th", f"{row}\\{column}"), *(tag("th", name) for name in columns))
    body = [
        tag(
            "tr",
            tag("td", name),
            *(
                tag(
                    "td",
                    f"{values.get(one, 0):g}",
                    style=_filled(threshold(values.get(one, 0), shades[one]["steps"])),
                    class_="heat",
                )
                for one in columns
            ),
        )
        for name, values in cells.items()
    ]
    return tag("table", tag("thead", head), tag("tbody", *body), class_="matrix")


def _buckets(found: Sequence[Series]) -> list[Series]:
    """What is in each bucket and in none below it."""
    ordered = sorted(found, key=lambda one: float(one.labels["le"]))
    below = 0.0
    kept: list[Series] = []
    for one in ordered:
        time, value = one.points[-1]
        kept.append(one._replace(points=[(time, value - below)]))
        below = value
    return kept


def _cell(panel: Json, name: str, value: object) -> Html:
    kinds = _properties(panel, "custom.cellOptions")
    kind = kinds.get(name, {}).get("type", "auto")
    units, decimals = _properties(panel, "unit"), _properties(panel, "decimals")
    text: Child
    match value:
        case None:
            text = ""
        case int() | float() if name in units or isinstance(value, float):
            text = written(float(value), units.get(name, "short"), decimals.get(name))
        case str() if units.get(name) == "dateTimeAsIso":
            text = value[:19].replace("T", " ")
        case str():
            text = value
        case _:
            text = json.dumps(value)
    shade = _shade(panel, name, value)
    if kind == "color-background" and shade:
        return tag("td", tag("span", text, style=f"background:{shade}", class_="chip"))
    if kind == "color-text" and shade:
        return tag("td", tag("span", text, style=f"color:{shade}"))
    if kind == "gauge" and isinstance(value, int | float):
        return tag("td", _meter(panel, name, value))
    linked = name in _properties(panel, "links")
    return tag("td", text, class_="link" if linked else None)


def _widths(panel: Json, columns: Sequence[str]) -> dict[str, str | None]:
    """Of each column as it is stated; numbers need little, the rest shares what is left."""
    stated = _properties(panel, "custom.width")
    numbers = {c["text"] for c in panel["targets"][0]["columns"] if c["type"] == "number"}
    gauges = _properties(panel, "custom.cellOptions")
    return {
        name: f"width:{stated[name]}px"
        if name in stated
        else "width:100px"
        if name in numbers and gauges.get(name, {}).get("type") != "gauge"
        else None
        for name in columns
    }


def _filled(shade: str) -> str:
    """A cell of that colour, with words that can be read on it."""
    parts = [int(shade[at : at + 2], 16) for at in (1, 3, 5)] if shade.startswith("#") else [0]
    words = "#111217" if sum(parts) > 330 else NAMED["text"]
    return f"background:{shade};color:{words}"


def _meter(panel: Json, name: str, value: float) -> Html:
    low = _properties(panel, "min").get(name, 0)
    high = _properties(panel, "max").get(name, 100)
    zero = max(0.0, -low / (high - low))
    share = value / (high - low)
    shade = _shade(panel, name, value) or NAMED["blue"]
    left = (zero + min(share, 0)) * 100
    bar = tag("i", style=f"left:{left:.1f}%;width:{abs(share) * 100:.1f}%;background:{shade}")
    return tag("span", bar, tag("em", f"{value:g}"), class_="meter")


def _shade(panel: Json, name: str, value: object) -> str | None:
    for mapping in _properties(panel, "mappings").get(name, ()):
        if isinstance(value, str) and value in mapping["options"]:
            return colour(mapping["options"][value]["color"])
    steps = _properties(panel, "thresholds").get(name, {}).get("steps")
    return threshold(float(value), steps) if steps and isinstance(value, int | float) else None


def _properties(panel: Json, key: str) -> Mapping[str, Any]:
    """What overrides say of each field."""
    return {
        one["matcher"]["options"]: of["value"]
        for one in panel["fieldConfig"]["overrides"]
        for of in one["properties"]
        if of["id"] == key
    }


def _mapped(value: float, mappings: Sequence[Json]) -> str | None:
    for mapping in mappings:
        found = mapping["options"].get(f"{value:g}")
        if found:
            return str(found["text"])
    return None


def _rank(value: object) -> tuple[int, float, str]:
    """Nothing first, then numbers, then texts."""
    if value is None:
        return 0, 0.0, ""
    return (1, float(value), "") if isinstance(value, int | float) else (2, 0.0, str(value))
