"""Another order of arrival: nothing becomes late, nothing stops being late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streams.shuffle import Span, shuffled

LATENESS = 20

# What arrives together has the times of its records, in their order.
DOCUMENTS = st.lists(st.lists(st.integers(0, 120), min_size=1, max_size=3), max_size=40)


def spans(documents: Iterable[Sequence[int]]) -> list[Span]:
    return [Span(min(times), max(times)) for times in documents]


def late(documents: Sequence[Sequence[int]], order: Iterable[int]) -> dict[tuple[int, int], int]:
    """The late records, by place in the given order, with the watermark that each comes behind."""
    found: dict[tuple[int, int], int] = {}
    latest = -(10**6)
    for place in order:
        for number, time in enumerate(documents[place]):
            if time < latest - LATENESS:
                found[place, number] = latest - LATENESS
            latest = max(latest, time)
    return found


@given(DOCUMENTS, st.integers(0, LATENESS), st.integers(0, 9))
def test_the_same_records_are_late_behind_the_same_watermark(
    documents: list[list[int]], span: int, seed: int
) -> None:
    order = shuffled(spans(documents), LATENESS, span, Random(seed))
    assert sorted(order) == list(range(len(documents)))
    assert late(documents, order) == late(documents, range(len(documents)))


@given(st.lists(st.integers(0, 10**6), max_size=60), st.integers(0, LATENESS), st.integers(0, 9))
def test_nothing_comes_more_than_the_span_too_late(times: list[int], span: int, seed: int) -> None:
    times.sort()
    order = shuffled([Span(time, time) for time in times], LATENESS, span, Random(seed))
    latest = -1
    for place in order:
        assert times[place] >= latest - span
        latest = max(latest, times[place])


def test_an_order_in_time_is_really_shuffled() -> None:
    given_order = [Span(time, time) for time in range(200)]
    order = shuffled(given_order, LATENESS, LATENESS, Random(1))
    moved = sum(place != index for index, place in enumerate(order))
    assert moved > 150
    assert order == shuffled(given_order, LATENESS, LATENESS, Random(1))
    assert order != shuffled(given_order, LATENESS, LATENESS, Random(2))


def test_a_span_of_nothing_sorts_nothing() -> None:
    assert shuffled([Span(t, t) for t in (0, 5, 3, 90, 2)], LATENESS, 0, Random(1))[-2:] == [3, 4]
    assert shuffled([], LATENESS, LATENESS, Random(1)) == []
