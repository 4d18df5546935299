import io
import re
from collections.abc import Iterator
from itertools import count

import pytest
from rich.console import Console

from infra.terminal.board import Board, drawing, rate
from infra.terminal.conditions import Conditions
from schemas.rows import Result
from tests.infra.report.sample import expired, warning

COUNTERS = {"read": 48211, "parsed": 48198, "rejected": 13, "late": 42}
MICROS = 1_795_210_438_000_000  # 2026-11-20 21:33:58


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def results(**body: str) -> list[Result]:
    return [
        Result("system", "application:fraud-scoring", MICROS, "final", {}),
        Result("alert", "1", MICROS, "provisional", {**warning(), **body}),
        Result("alert", "2", MICROS, "final", expired()),
    ]


def ticking() -> Iterator[float]:
    return (float(second) for second in count())


def test_elsewhere_each_piece_of_news_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = io.StringIO()
    with Board(out) as board:
        board.update(results(), COUNTERS)
        board.update(results(), COUNTERS)
    when, trusted, key = "2026-11-20 21:33:58", warning()["title"], expired()["title"]
    assert out.getvalue().splitlines() == [
        f"{when}  warning           91  application:claims-portal: {trusted}",
        f"{when}  watch expired     38  application:support-copilot: {key}",
        "48,211 read, 48,198 parsed, 13 rejected, 42 late",
    ]


def test_a_terminal_that_cannot_draw_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    with Board(out) as board:
        board.update(results(), COUNTERS)
    assert "\x1b" not in out.getvalue()
    assert len(out.getvalue().splitlines()) == 3


def test_a_terminal_gets_the_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    out, seconds = Terminal(), ticking()
    with Board(out, lambda: next(seconds)) as board:
        board.update([], {"read": 0})
        board.update(results(title="\x1b]0;owned\x07[red]x[/red]"), COUNTERS)
    written = out.getvalue()
    assert "application:claims-portal" in written
    assert "48,211 events/s" in written
    assert "\x1b]0;" not in written
    assert "\\x1b]0;owned\\x07[red]x[/red]" in written


def test_the_drawing_ranks_systems() -> None:
    conditions = Conditions()
    news = conditions.take(results())
    console = Console(file=io.StringIO(), width=110, color_system=None)
    with console.capture() as capture:
        console.print(drawing(conditions.systems(), news, COUNTERS, None))
    lines = [re.sub(r"\s+", " ", line).strip() for line in capture.get().splitlines()]
    assert lines[1] == f"application:claims-portal warning {'━' * 22}── 91 2026-11-20 21:33:58"
    assert lines[2] == f"application:fraud-scoring calm {'─' * 24} 0"
    assert lines[-1] == "48,211 read, 48,198 parsed, 13 rejected, 42 late"


def test_rate() -> None:
    assert rate([(0.0, 100), (2.0, 700)]) == 300
    assert rate([(1.0, 5)]) is None
    assert rate([(1.0, 5), (1.0, 9)]) is None
