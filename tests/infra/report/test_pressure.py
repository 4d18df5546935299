import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.report.paper import BOTTOM, HEIGHT, MIDDLE, TOP, WIDTH, lines, paper
from infra.report.pressure import pressure, tendency, thin
from infra.report.readings import Reading
from schemas.times import DAY, HOUR, MINUTE

APP = "application:claims"


def reading(time: int, priority: int) -> Reading:
    return Reading(APP, time, priority, "watch" if priority else None)


@given(st.integers(0, 2**51), st.integers(0, 2000 * DAY))
def test_paper_holds_its_times_and_few_labels(first: int, length: int) -> None:
    sheet = paper(first, first + length)
    assert sheet.start <= first
    assert first + length <= sheet.end
    assert 1 <= (sheet.end - sheet.start) // sheet.step <= 12
    for time in (first, first + length):
        for priority in (0, 50, 100):
            x, y = sheet.point(time, priority)
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


def test_the_pen_swings_on_its_arm() -> None:
    sheet = paper(0, 10 * HOUR)
    assert sheet.point(5 * HOUR, 50) == (sheet.x(5 * HOUR), MIDDLE)
    low, high = sheet.point(5 * HOUR, 0), sheet.point(5 * HOUR, 100)
    assert (low[1], high[1]) == (BOTTOM, TOP)
    assert low[0] == high[0] > sheet.x(5 * HOUR)


def test_labels_are_hours_and_days() -> None:
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", lines(paper(20 * HOUR, 30 * HOUR)))
    assert [t for t in texts if not t.isdigit()][:5] == [
        "20:00",
        "21:00",
        "22:00",
        "23:00",
        "01-02",
    ]
    assert [t for t in texts if t.isdigit()] == ["0", "50", "100"]


@pytest.mark.parametrize(
    ("now", "words"),
    [(40, "rising 30 in 3 h"), (5, "falling 5 in 3 h"), (10, "steady")],
)
def test_tendency(now: int, words: str) -> None:
    written = [reading(0, 10), reading(5 * HOUR, 90), reading(7 * HOUR, now)]
    assert tendency(written, 7 * HOUR + MINUTE) == words


def test_the_trace_steps_and_ends_now() -> None:
    sheet = paper(0, 10 * HOUR)
    drawn = pressure([reading(0, 0), reading(HOUR, 50)], sheet, APP, 2 * HOUR)
    (trace,) = re.findall(r'<path d="([^"]*)" class="trace">', drawn)
    start, rise, middle = sheet.point(0, 0), sheet.point(HOUR, 0), sheet.point(HOUR, 50)
    end = sheet.point(2 * HOUR, 50)
    assert trace == (
        f"M{start[0]:.1f} {BOTTOM:.1f}H{rise[0]:.1f}"
        f"A190 190 0 0 1 {middle[0]:.1f} {MIDDLE:.1f}H{end[0]:.1f}"
    )


def test_stages_are_bars_with_a_name() -> None:
    sheet = paper(0, 10 * HOUR)
    written = [reading(0, 0), reading(HOUR, 50), reading(2 * HOUR, 40), reading(6 * HOUR, 0)]
    drawn = pressure(written, sheet, APP, 8 * HOUR)
    assert drawn.count('class="bar watch"') == 1
    assert ">watch</text>" in drawn
    begun = pressure([reading(0, 0), reading(HOUR, 50)], sheet, APP, HOUR + MINUTE)
    assert 'class="bar watch"' in begun
    assert ">watch</text>" not in begun


def test_readings_say_themselves() -> None:
    drawn = pressure([reading(0, 0), reading(HOUR, 50)], paper(0, 4 * HOUR), APP, 2 * HOUR)
    assert "<title>1970-01-01 01:00:00: 50, watch</title>" in drawn
    assert 'aria-label="Pressure of application:claims: priority 50 (watch) at' in drawn


@given(st.lists(st.integers(0, 100), min_size=1, max_size=400), st.integers(2, 60))
def test_thinned_readings_keep_the_highest_and_the_last(values: list[int], limit: int) -> None:
    written = [reading(time, value) for time, value in enumerate(values)]
    kept = thin(written, limit)
    assert len(kept) <= limit + 2
    assert max(r.priority for r in kept) == max(values)
    assert kept[-1] == written[-1]
    assert kept == sorted(kept, key=lambda r: r.time)
