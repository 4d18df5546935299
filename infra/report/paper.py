"""Barograph paper: where a time and a priority lie on the chart, and its printed lines.

The pen of a barograph is an arm that turns on a pivot, so lines of equal time are arcs. Trace, grid
and stages are drawn through the same projection; they agree to the pixel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from infra.report.html import Html, join, tag
from schemas.times import DAY, HOUR, MINUTE, rfc3339

WIDTH, HEIGHT = 960, 178
LEFT, RIGHT, TOP, BOTTOM = 34, 30, 10, 132
ARM = 190.0  # length of the pen's arm
MIDDLE = (TOP + BOTTOM) / 2
TICKS = 12  # labelled lines of time at most
_STEPS = (
    *(n * MINUTE for n in (1, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7, 14, 28, 91, 364)),
)


class Paper(NamedTuple):
    """A strip of paper from `start` to `end`, ruled every `step`."""

    start: int
    end: int
    step: int

    def x(self, time: int) -> float:
        """Where the line of `time` crosses the middle of the paper."""
        share = (min(max(time, self.start), self.end) - self.start) / (self.end - self.start)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def point(self, time: int, priority: float) -> tuple[float, float]:
        """Where the pen stands for a priority of 0 to 100."""
        y = BOTTOM - (BOTTOM - TOP) * priority / 100
        return self.x(time) + ARM - math.sqrt(ARM**2 - (y - MIDDLE) ** 2), y


def paper(first: int, last: int) -> Paper:
    """Paper that holds both times, ruled so that at most TICKS lines carry a label."""
    length = max(last - first, 10 * MINUTE)
    step = next((s for s in _STEPS if length <= s * (TICKS - 2)), length)
    start = first // step * step
    return Paper(start, max(-(-last // step) * step, start + step), step)


def stroke(x: float, y: float, *, down: bool) -> str:
    """The path command that moves the pen along its arc to (x, y)."""
    return f"A{ARM:g} {ARM:g} 0 0 {0 if down else 1} {x:.1f} {y:.1f}"


def lines(sheet: Paper) -> Html:
    """The printed lines, with priorities on the left and times below."""
    return join(_levels(sheet), _times(sheet))


def _levels(sheet: Paper) -> Iterator[Html]:
    for level in range(0, 101, 10):
        (left, y), (right, _) = sheet.point(sheet.start, level), sheet.point(sheet.end, level)
        kind = "rule strong" if level % 50 == 0 else "rule"
        yield tag("path", d=f"M{left:.1f} {y:.1f}H{right:.1f}", class_=kind)
        if level % 50 == 0:
            yield tag("text", level, x=LEFT - 8, y=f"{y + 4:.1f}", class_="scale level")


def _times(sheet: Paper) -> Iterator[Html]:
    quarters = 4 if sheet.step <= 12 * HOUR else 1
    for tick in range((sheet.end - sheet.start) // sheet.step * quarters + 1):
        time = sheet.start + tick * sheet.step // quarters
        labelled = tick % quarters == 0
        (foot, bottom), (head, top) = sheet.point(time, 0), sheet.point(time, 100)
        arc = f"M{foot:.1f} {bottom:.1f}{stroke(head, top, down=False)}"
        yield tag("path", d=arc, class_="rule strong" if labelled else "rule")
        if labelled:
            yield tag("text", _label(time), x=f"{foot:.1f}", y=HEIGHT - 6, class_="scale")


def _label(time: int) -> str:
    day, _, clock = rfc3339(time).partition("T")
    return clock[:5] if time % DAY else day[5:]
