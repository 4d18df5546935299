"""Ahead: what is said with ways back is what is said by folding the whole tail anew each time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators import ahead
from correlators.ahead import Ahead
from correlators.keyed import Keyed
from correlators.logic import Emit
from schemas.canonical import canonical
from schemas.rows import Delete, Row, Tick
from schemas.times import END
from tests.correlators.test_keyed import Adding, Sum

Batch = list[Row | Delete | Tick]


def row(time: int, n: int = 1, copy: int = 0) -> Row:
    return Row("in", 0, "k", time, f"{time}/{copy}", "upsert", {"n": n})


@st.composite
def batches(draw: st.DrawFn) -> list[Batch]:
    """Rows that come a little out of order, some taken back or replaced, and time behind them."""
    found: list[Batch] = []
    watermark = 0
    for place in range(draw(st.integers(1, 8))):
        batch: Batch = []
        for _ in range(draw(st.integers(0, 6))):
            time = max(watermark, 5 * place + draw(st.integers(-20, 20)))
            one = row(time, draw(st.integers(1, 3)), draw(st.integers(0, 1)))
            taken = draw(st.booleans()) and draw(st.booleans())
            batch.append(Delete("in", 0, "k", time, one.id) if taken else one)
        if draw(st.booleans()):
            watermark = max(watermark, 5 * place - draw(st.integers(0, 15)))
            batch.append(Tick("up", 0, watermark, watermark))
        found.append(batch)
    return found


def told(given_: Sequence[Batch], span: int, monkeypatch: pytest.MonkeyPatch) -> list[list[bytes]]:
    """What each step says, sorted, and what it leaves to be saved."""
    monkeypatch.setattr(ahead, "SPAN", span)
    keyed, found = Keyed(Adding(), "me", 0, ["up"]), list[list[bytes]]()
    end: Batch = [Tick("up", 0, END, 10**6)]
    for batch in (*given_, end):
        changes, outputs = keyed.step(batch)
        keyed.apply(changes)
        left = [slot.dump(tail=True) for slot in changes.slots.values() if slot is not None]
        found.append(
            sorted([*map(canonical, map(repr, outputs)), *(bytes(sorted(d)) for d in left)])
        )
    return found


@given(given_=batches(), span=st.integers(1, 3))
def test_marks_change_nothing(given_: list[Batch], span: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert told(given_, span, monkeypatch) == told(given_, 10**9, monkeypatch)


def folded(times: range, monkeypatch: pytest.MonkeyPatch) -> tuple[Ahead, Adding]:
    monkeypatch.setattr(ahead, "SPAN", 4)
    one, logic = Ahead(Sum()), Adding()
    one.go_on(logic, "k", [row(time) for time in times], Emit(ahead=True))
    return one, logic


@pytest.mark.parametrize("behind", [0, 1, 7, 40, 300])
def test_a_row_a_little_behind_goes_back_a_little(
    behind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, logic = folded(range(1_001), monkeypatch)

    assert one.go_back(1_000 - behind, logic)
    assert 1_000 - 2 * behind - 12 <= one.last < 1_000 - behind


def test_marks_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    one, logic = folded(range(4_096), monkeypatch)
    backs = 0
    while one.go_back(one.last, logic):
        backs += 1
    assert 8 <= backs <= 24


def test_nothing_goes_back_behind_what_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    one, logic = folded(range(100), monkeypatch)
    one.settle(99)
    assert not one.go_back(100, logic)


def test_what_was_said_behind_a_mark_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    one, logic = folded(range(8), monkeypatch)
    assert [k[3] for k in one.rows] == list(range(8))

    assert one.go_back(6, logic)

    assert [k[3] for k in one.rows] == [0, 1, 2, 3]
    assert (one.last, one.state.total, one.torn) == (3, 4, True)
