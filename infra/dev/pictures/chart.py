"""Chart: courses over time as Grafana's panels draw them, in SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from infra.dev.pictures.asking import Series, Span
from infra.dev.pictures.values import CLASSIC, NAMED, colour, written
from infra.report.html import Html, join, tag

Json = dict[str, Any]
LEFT, BOTTOM, TOP = 46, 20, 8
TICKS: Final = 4
_NICE: Final = (1, 2, 2.5, 5, 10)
_STEPS: Final = (10, 30, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400)


class Line(NamedTuple):
    """A series with its colour."""

    series: Series
    colour: str


class Frame(NamedTuple):
    """Where times and values lie: the box in pixels, the span, and the greatest value."""

    width: float
    height: float
    span: Span
    top: float

    def x(self, time: float) -> float:
        """The place of a time."""
        share = (time - self.span.start) / (self.span.end - self.span.start)
        return LEFT + share * (self.width - LEFT - 4)

    def y(self, value: float) -> float:
        """The place of a value."""
        return self.height - BOTTOM - value / self.top * (self.height - BOTTOM - TOP)


def lines(panel: Json, found: Sequence[Series]) -> list[Line]:
    """Each series with the colour that an override or the palette gives it."""
    fixed = {
        one["matcher"]["options"]: of["value"]["fixedColor"]
        for one in panel["fieldConfig"]["overrides"]
        for of in one["properties"]
        if of["id"] == "color"
    }
    return [
        Line(series, colour(fixed.get(series.name, CLASSIC[place % len(CLASSIC)])))
        for place, series in enumerate(found)
    ]


def course(panel: Json, drawn: Sequence[Line], span: Span, width: float, height: float) -> Html:
    """Lines, stacked areas or bars with both axes."""
    defaults = panel["fieldConfig"]["defaults"]
    custom = defaults["custom"]
    stacked = custom["stacking"]["mode"] == "normal"
    piles = _piled(drawn) if stacked else [(line, line.series.points, None) for line in drawn]
    highest = max((value for _, points, _ in piles for _, value in points), default=1.0)
    frame = Frame(width, height, span, defaults.get("max") or _nice(highest))
    bars = custom["drawStyle"] == "bars"
    opacity = custom["fillOpacity"] / 100
    shapes = [
        _bars(frame, line, points) if bars else _area(frame, line, points, below, opacity)
        for line, points, below in reversed(piles)
    ]
    marks = [
        path(
            f"M{LEFT} {frame.y(step['value']):.1f}H{width - 4:.1f}",
            stroke=colour(step["color"]),
            stroke_dasharray="6 4",
            class_="mark",
        )
        for step in defaults["thresholds"]["steps"]
        if custom["thresholdsStyle"]["mode"] == "line" and step["value"] is not None
    ]

    def number(value: float) -> str:
        return written(value, defaults["unit"], None)

    axes = _axes(frame, number)
    return tag(
        "svg", axes, *shapes, *marks, viewBox=f"0 0 {width:.0f} {height:.0f}", class_="course"
    )


def spark(points: Sequence[tuple[float, float]], shade: str, width: float, height: float) -> Html:
    """The course behind a big number."""
    values = [value for _, value in points]
    if len(values) < 2:
        return Html("")
    low, high = min(values), max(values)
    size = (high - low) or 1.0
    step = width / (len(values) - 1)
    flat = high == low
    places = [
        (place * step, height - 2 - (0.0 if flat else (value - low) / size) * (height - 6))
        for place, value in enumerate(values)
    ]
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return tag(
        "svg",
        path(f"M0 {height}L{way}L{width:.1f} {height}Z", fill=shade, fill_opacity=0.15),
        path(f"M{way}", stroke=shade, fill="none", stroke_width=1.5),
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        preserveAspectRatio="none",
        class_="spark",
    )


def path(way: str, **attributes: str | float) -> Html:
    """An element of that way, which `tag` would cut off: it may be longer than a text."""
    return Html(tag("path", **attributes).replace("<path", f'<path d="{way}"', 1))


def _piled(
    drawn: Sequence[Line],
) -> list[tuple[Line, list[tuple[float, float]], list[tuple[float, float]] | None]]:
    """Each line on the sum of those before it."""
    times = sorted({time for line in drawn for time, _ in line.series.points})
    below = dict.fromkeys(times, 0.0)
    piles: list[tuple[Line, list[tuple[float, float]], list[tuple[float, float]] | None]] = []
    for line in drawn:
        own = dict(line.series.points)
        above = {time: base + own.get(time, 0.0) for time, base in below.items()}
        piles.append((line, list(above.items()), list(below.items())))
        below = above
    return piles


def _area(
    frame: Frame,
    line: Line,
    points: Sequence[tuple[float, float]],
    below: Sequence[tuple[float, float]] | None,
    opacity: float,
) -> Html:
    if not points:
        return Html("")
    way = _stairs(frame, points)
    end, start = frame.x(points[-1][0]), frame.x(points[0][0])
    back = "".join(
        f"L{frame.x(time):.1f} {frame.y(value):.1f}" for time, value in reversed(below or ())
    )
    floor = frame.y(0)
    closed = f"{way}{back}Z" if below else f"{way}L{end:.1f} {floor}L{start:.1f} {floor}Z"
    return join(
        path(closed, fill=line.colour, fill_opacity=opacity),
        path(way, stroke=line.colour, fill="none", stroke_width=1 if below else 2),
    )


def _stairs(frame: Frame, points: Sequence[tuple[float, float]]) -> str:
    """A value holds until the next one."""
    way, last = "", None
    for time, value in points:
        x, y = frame.x(time), frame.y(value)
        if last is None:
            way = f"M{x:.1f} {y:.1f}"
        elif y != last:
            way += f"H{x:.1f}V{y:.1f}"
        last = y
    return f"{way}H{frame.x(points[-1][0]):.1f}"


def _bars(frame: Frame, line: Line, points: Sequence[tuple[float, float]]) -> Html:
    breadth = max((frame.width - LEFT) / max(len(points), 1) - 1, 1)
    floor = frame.y(0)
    return join(
        *(
            tag(
                "rect",
                x=f"{frame.x(time) - breadth / 2:.1f}",
                y=f"{frame.y(value):.1f}",
                width=f"{breadth:.1f}",
                height=f"{max(floor - frame.y(value), 0):.1f}",
                fill=line.colour,
                fill_opacity=0.7,
            )
            for time, value in points
            if value > 0
        )
    )


def _axes(frame: Frame, number: Callable[[float], str]) -> Html:
    parts: list[Html] = []
    for tick in range(TICKS + 1):
        value = frame.top * tick / TICKS
        y = frame.y(value)
        parts.append(path(f"M{LEFT} {y:.1f}H{frame.width - 4:.1f}", class_="grid"))
        parts.append(tag("text", number(value), x=LEFT - 6, y=f"{y + 4:.1f}", class_="left"))
    length = frame.span.end - frame.span.start
    step = next((s for s in _STEPS if length / s <= frame.width / 90), _STEPS[-1])
    time = frame.span.start // step * step + step
    while time < frame.span.end - step / 3:
        x = frame.x(time)
        parts.append(path(f"M{x:.1f} {TOP}V{frame.height - BOTTOM}", class_="grid"))
        stamp = datetime.fromtimestamp(time, UTC).strftime(
            "%m/%d %H:%M" if step >= 6 * 3600 else "%H:%M" if step >= 60 else "%H:%M:%S"
        )
        parts.append(tag("text", stamp, x=f"{x:.1f}", y=frame.height - 5, class_="below"))
        time += step
    return tag("g", *parts, class_="axes", fill=NAMED["text"])


def _nice(value: float) -> float:
    """The next round number from there on, so that a quarter of it is one too."""
    if value <= 0:
        return 1.0
    size = 1.0
    while size * 10 <= value:
        size *= 10
    while size > value:
        size /= 10
    return next(size * nice for nice in _NICE if size * nice >= value)


def legend(panel: Json, drawn: Sequence[Line]) -> Html:
    """The table beside a chart: each name with its last and its greatest value."""
    defaults = panel["fieldConfig"]["defaults"]
    rows = [tag("tr", tag("th", ""), tag("th", "Last"), tag("th", "Max"))]
    for line in drawn:
        values = [value for _, value in line.series.points]
        numbers = (
            written(value, defaults["unit"], defaults.get("decimals"))
            for value in (values[-1], max(values))
        )
        name = tag("td", tag("i", style=f"background:{line.colour}"), line.series.name)
        rows.append(tag("tr", name, *(tag("td", text) for text in numbers)))
    return tag("table", *rows, class_="legend")
