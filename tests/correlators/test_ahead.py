"""Ahead: what is said with ways back is what is said by folding the whole tail anew each time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators import ahead
from correlators.ahead import Ahead
from correlators.keyed import Keyed
from correlators.logic import Emit, Logic
from schemas.canonical import canonical
from schemas.rows import Delete, Row, Tick
from schemas.times import END, MINUTE
from tests.correlators.assessing import fact, leaves, leg, logic
from tests.correlators.stage import Stage, bodies
from tests.correlators.stories import story
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


def told(given_: Sequence[Batch], logic: Logic, span: int) -> list[list[bytes]]:
    """What each step says, sorted, and what it leaves to be saved.

    `span` 0: nothing is continued, each step folds the whole tail.
    """
    keyed, found = Keyed(logic, "me", 0, ["up"]), list[list[bytes]]()
    end: Batch = [Tick("up", 0, END, 10**12)]
    for batch in (*given_, end):
        for slot in () if span else keyed.slots.values():
            slot.ahead = None
        changes, outputs = keyed.step(batch)
        keyed.apply(changes)
        left = [slot.dump(tail=True) for slot in changes.slots.values() if slot is not None]
        found.append(
            sorted([*map(canonical, map(repr, outputs)), *(bytes(sorted(d)) for d in left)])
        )
    return found


def told_alike(given_: Sequence[Batch], logic: Logic, span: int) -> bool:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(ahead, "SPAN", span)
        return told(given_, logic, span) == told(given_, logic, 0)


@given(given_=batches(), span=st.integers(1, 3) | st.just(10**9))
def test_marks_change_nothing(given_: list[Batch], span: int) -> None:
    assert told_alike(given_, Adding(), span)


EVALUATED = story(
    {
        "deploy": {"class": "change"},
        "use": {"class": "runtime"},
        "weak": {"class": "posture", "fact": "exposed", "on": "agent"},
        "eval": {"class": "change", "absent": True, "since": "deploy", "within": "5m"},
    },
    ttl=30 * MINUTE,
)


@st.composite
def evidence(draw: st.DrawFn) -> list[Batch]:
    """Hits of all legs, facts that open and close, entities that leave, and time behind them."""
    found: list[Batch] = []
    watermark = 0
    for place in range(draw(st.integers(1, 10))):
        batch: Batch = []
        for _ in range(draw(st.integers(0, 4))):
            minute = max(watermark, 3 * place + draw(st.integers(-6, 6)))
            kind = draw(st.sampled_from(["deploy", "use", "eval", "deploy", "open", "closed", ""]))
            if not kind:
                batch.append(leaves(minute))
            elif kind in ("open", "closed"):
                batch.append(fact(minute, kind))
            else:
                batch.append(leg(minute, kind))
        if draw(st.booleans()):
            watermark = max(watermark, 3 * place - draw(st.integers(0, 8)))
            batch.append(Tick("up", 0, watermark * MINUTE, watermark * MINUTE))
        found.append(batch)
    return found


@given(given_=evidence(), span=st.integers(1, 3) | st.just(10**9))
def test_alerts_are_continued_as_they_are_folded_anew(given_: list[Batch], span: int) -> None:
    assert told_alike(given_, logic(EVALUATED), span)


def test_an_absence_that_settles_is_seen_by_what_was_folded_ahead_of_it() -> None:
    stage = Stage(logic(EVALUATED))
    early = bodies(stage.take(leg(1, "deploy"), leg(9)), "alert", "provisional")
    assert [alert["stage"] for alert in early] == ["watch"]
    # Five minutes behind the deployment nothing has come: one leg more, though no row came.
    (alert,) = bodies(stage.pass_to(7 * MINUTE), "alert", "settled")
    assert alert["stage"] == "warning"


def folded(times: range, monkeypatch: pytest.MonkeyPatch) -> tuple[Ahead, Adding]:
    monkeypatch.setattr(ahead, "SPAN", 4)
    one, adding = Ahead(Sum()), Adding()
    one.go_on(adding, "k", [row(time) for time in times], Emit(ahead=True))
    return one, adding


@pytest.mark.parametrize("behind", [0, 1, 7, 40, 300])
def test_a_row_a_little_behind_goes_back_a_little(
    behind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, adding = folded(range(1_001), monkeypatch)

    assert one.go_back(1_000 - behind, adding)
    assert 1_000 - 2 * behind - 12 <= one.last < 1_000 - behind


def test_marks_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    one, adding = folded(range(4_096), monkeypatch)
    backs = 0
    while one.go_back(one.last, adding):
        backs += 1
    assert 8 <= backs <= 24


def test_nothing_goes_back_behind_what_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    one, adding = folded(range(100), monkeypatch)
    one.settle(99)
    assert not one.go_back(100, adding)


def test_what_was_said_behind_a_mark_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    one, adding = folded(range(8), monkeypatch)
    assert [k[3] for k in one.rows] == list(range(8))

    assert one.go_back(6, adding)

    assert [k[3] for k in one.rows] == [0, 1, 2, 3]
    assert (one.last, one.state.total) == (3, 4)


def test_rows_that_are_lost_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one, adding = folded(range(8), monkeypatch)
    assert one.take_lost() is None  # it is new: whatever others said is lost
    assert one.take_lost() == []

    one.go_back(6, adding)

    assert [k[3] for k in one.take_lost() or ()] == [4, 5, 6, 7]
    assert one.take_lost() == []


def test_what_is_settled_is_no_longer_held(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = folded(range(1_000), monkeypatch)
    one.settle(989)
    assert len(one.rows) < 20
