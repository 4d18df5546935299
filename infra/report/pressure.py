"""The pressure trace: the priority of one system over time, as a barograph writes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from infra.report.html import Html, tag
from infra.report.paper import BOTTOM, HEIGHT, WIDTH, Paper, lines, stroke
from infra.report.readings import Reading
from infra.terminal import shown
from schemas.times import HOUR

TENDENCY = 3 * HOUR  # over which meteorologists state a barometer's tendency
MAX_READINGS = 600  # of one trace; two on one pixel cannot be told apart


def pressure(readings: Sequence[Reading], sheet: Paper, system: str, until: int) -> Html:
    """The chart of a system's readings (by time, one at least); the last holds to `until`."""
    kept = thin(readings)
    return tag(
        "svg",
        tag("title", _words(readings, system)),
        tag("g", *_stages(kept, sheet, until), class_="stages"),
        lines(sheet),
        tag("path", d=_steps(kept, sheet, until), class_="trace"),
        tag("g", *(_mark(reading, sheet) for reading in kept)),
        _pen(kept[-1], sheet, until),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=_words(readings, system),
        class_="pressure",
    )


def tendency(readings: Sequence[Reading], until: int) -> str:
    """`rising 34 in 3 h`, `falling 8 in 3 h`, `steady`; before the first reading it was steady."""
    before = [r.priority for r in readings if r.time <= until - TENDENCY] or [readings[0].priority]
    change = readings[-1].priority - before[-1]
    if not change:
        return "steady"
    return f"{'rising' if change > 0 else 'falling'} {abs(change)} in {shown.span(TENDENCY)}"


def thin(readings: Sequence[Reading], limit: int = MAX_READINGS) -> list[Reading]:
    """At most about `limit` readings: of each equal slice of time the highest and the last."""
    if len(readings) <= limit:
        return list(readings)
    first, length = readings[0].time, readings[-1].time - readings[0].time + 1
    slices: dict[int, list[Reading]] = {}
    for reading in readings:
        slices.setdefault((reading.time - first) * (limit // 2) // length, []).append(reading)
    kept = [{max(part, key=lambda r: r.priority), part[-1]} for part in slices.values()]
    return sorted((r for part in kept for r in part), key=lambda r: r.time)


def _steps(readings: Sequence[Reading], sheet: Paper, until: int) -> str:
    x, y = sheet.point(readings[0].time, readings[0].priority)
    path = f"M{x:.1f} {y:.1f}"
    for before, after in pairwise(readings):
        x, y = sheet.point(after.time, before.priority)
        path += f"H{x:.1f}"
        if after.priority != before.priority:
            x, y = sheet.point(after.time, after.priority)
            path += stroke(x, y, down=after.priority < before.priority)
    x, _ = sheet.point(until, readings[-1].priority)
    return f"{path}H{x:.1f}"


def _stages(readings: Sequence[Reading], sheet: Paper, until: int) -> Iterator[Html]:
    ends = [*(r.time for r in readings[1:]), until]
    for reading, end in _runs(zip(readings, ends, strict=False)):
        (left, low), (left_top, high) = (sheet.point(reading.time, p) for p in (0, 100))
        (right, _), (right_top, _) = (sheet.point(end, p) for p in (0, 100))
        area = (
            f"M{left:.1f} {low:.1f}{stroke(left_top, high, down=False)}"
            f"H{right_top:.1f}{stroke(right, low, down=True)}Z"
        )
        right = max(right, left + 3)  # a stage that has just begun is seen all the same
        bar = f"M{left:.1f} {BOTTOM + 4}H{right:.1f}V{BOTTOM + 18}H{left:.1f}Z"
        name = str(reading.stage)
        yield tag("path", d=area, class_=f"area {name}")
        yield tag("path", tag("title", name), d=bar, class_=f"bar {name}")
        if right - left > 9 * len(name):
            middle = f"{(left + right) / 2:.1f}"
            yield tag("text", name, x=middle, y=BOTTOM + 15, class_=f"stage {name}")


def _runs(spans: Iterator[tuple[Reading, int]]) -> Iterator[tuple[Reading, int]]:
    run: tuple[Reading, int] | None = None
    for reading, end in spans:
        if run and run[0].stage == reading.stage:
            run = (run[0], end)
            continue
        if run and run[0].stage:
            yield run
        run = (reading, end)
    if run and run[0].stage:
        yield run


def _mark(reading: Reading, sheet: Paper) -> Html:
    x, y = sheet.point(reading.time, reading.priority)
    words = f"{shown.time(reading.time)}: {reading.priority}, {reading.stage or 'calm'}"
    return tag("circle", tag("title", words), cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, class_="mark")


def _pen(last: Reading, sheet: Paper, until: int) -> Html:
    x, y = sheet.point(until, last.priority)
    return tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3.5, class_=f"pen {last.stage or 'calm'}")


def _words(readings: Sequence[Reading], system: str) -> str:
    last, peak = readings[-1], max(readings, key=lambda r: r.priority)
    return (
        f"Pressure of {system}: priority {last.priority} ({last.stage or 'calm'}) at "
        f"{shown.time(last.time)}; highest {peak.priority} at {shown.time(peak.time)}"
    )
