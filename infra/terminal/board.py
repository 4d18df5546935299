"""The live board of a run in a terminal: systems, newest alerts, counters; else plain lines."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from infra.terminal import shown
from infra.terminal.conditions import Condition, Conditions, News
from schemas.rows import Result

SYSTEMS, LINES = 10, 6  # rows that are drawn
PAUSE = 0.1  # seconds between two drawings
BAR = 24  # cells of a priority of 100
RATE = 5.0  # seconds over which events per second are taken
STYLES = {"warning": "bold red", "watch": "yellow", "outlook": "cyan", None: "green"}
COUNTERS = ("read", "parsed", "rejected", "late")


class Board:
    """Shows a run while it goes on. Draws only on a terminal; texts of records are shown inert.

    Elsewhere each piece of news is one line without control codes, and the counters are the last.
    """

    def __init__(
        self, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`out` is where progress goes (default: stderr); `clock` counts seconds."""
        self._out = out or sys.stderr
        self._clock = clock
        self._conditions = Conditions()
        self._news: deque[News] = deque(maxlen=LINES)
        self._counters: Mapping[str, int] = {}
        self._reads: deque[tuple[float, int]] = deque()
        self._drawn = float("-inf")
        console = Console(file=self._out)
        drawable = self._out.isatty() and not console.is_dumb_terminal
        self._live = Live(console=console, auto_refresh=False) if drawable else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._draw(self._live)
            self._live.stop()
        else:
            print(counted(self._counters), file=self._out)

    def update(self, results: Iterable[Result], counters: Mapping[str, int]) -> None:
        """Take what a batch said, and the counters `read, parsed, rejected, late` so far."""
        news = self._conditions.take(results)
        self._news.extend(news)
        self._counters = dict(counters)
        now = self._clock()
        self._reads.append((now, counters.get("read", 0)))
        while len(self._reads) > 2 and now - self._reads[1][0] >= RATE:
            self._reads.popleft()
        if self._live is None:
            for item in news:
                print(line(item), file=self._out)
        elif now - self._drawn >= PAUSE:
            self._drawn = now
            self._draw(self._live)

    def _draw(self, live: Live) -> None:
        systems = self._conditions.systems()
        live.update(drawing(systems, self._news, self._counters, rate(self._reads)), refresh=True)


def line(item: News) -> str:
    """One piece of news as one line of plain text."""
    when, priority = shown.time(item.time), f"{item.priority:>3}"
    return shown.text(f"{when}  {item.word:<16} {priority}  {item.system}: {item.title}")


def _drawn(item: News) -> Text:
    drawn = Text(line(item), no_wrap=True, overflow="ellipsis")
    drawn.highlight_words([f"  {item.word} "], STYLES.get(item.word, "dim"))
    return drawn


def counted(counters: Mapping[str, int]) -> str:
    """`48,211 read, 48,198 parsed, 13 rejected, 42 late`; an unknown figure is left out."""
    return ", ".join(f"{shown.number(counters[k])} {k}" for k in COUNTERS if k in counters)


def rate(reads: Sequence[tuple[float, int]]) -> float | None:
    """Events per second between the first and the last of (seconds, read); None is "too early"."""
    if len(reads) < 2 or reads[-1][0] <= reads[0][0]:
        return None
    return (reads[-1][1] - reads[0][1]) / (reads[-1][0] - reads[0][0])


def drawing(
    conditions: Sequence[Condition],
    news: Iterable[News],
    counters: Mapping[str, int],
    events_per_second: float | None,
) -> Group:
    """The board as one picture: systems above, newest alerts below, what was read last."""
    systems = Table(box=None, pad_edge=False, expand=True)
    for head, justify in (
        ("system", "left"),
        ("stage", "left"),
        ("priority", "left"),
        ("since", "right"),
    ):
        systems.add_column(head, justify=justify, header_style="dim", no_wrap=True)  # type: ignore[arg-type]
    for condition in conditions[:SYSTEMS]:
        filled = round(condition.priority * BAR / 100)
        style = STYLES[condition.stage]
        systems.add_row(
            Text(shown.short(condition.system, 48)),
            Text(condition.stage or "calm", style),
            Text.assemble(
                ("━" * filled, style), ("─" * (BAR - filled), "dim"), f" {condition.priority:>3}"
            ),
            Text(shown.time(condition.changed) if condition.changed is not None else "", "dim"),
        )
    more = len(conditions) - SYSTEMS
    speed = f"   {events_per_second:,.0f} events/s" if events_per_second is not None else ""
    return Group(
        systems,
        Text(f"and {more} more" if more > 0 else "", "dim"),
        *map(_drawn, news),
        Text(f"{counted(counters)}{speed}", "dim"),
    )
