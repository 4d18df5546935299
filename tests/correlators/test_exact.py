"""Every type of correlation against its definition, over random streams in any order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from correlators import window
from correlators.accumulator import Hit
from correlators.correlate import Correlate, hit_row
from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.window import Episode, Window
from schemas.canonical import digest
from schemas.correlation import STATISTICS, Correlation
from schemas.rows import Result, Row, Tick
from schemas.times import END, SECOND, rfc3339
from tests.correlators.brute import Expected, counted, episodes
from tests.correlators.drawn import KINDS, RULES, streams

LATENESS = 8 * SECOND
EVERY = pytest.mark.parametrize("kind", KINDS)


def folded(rule: Correlation, hits: Sequence[Hit]) -> list[Episode]:
    """The episodes of hits in order of time; the window is saved and loaded between times."""
    state, found = window.empty(rule), list[Episode]()
    for time in (*sorted({hit.time for hit in hits}), END):
        steps = window.fire(rule, state, time, lambda hit: hit.id)
        found += [step.closed for step in steps if step.closed is not None]
        if time != END:
            together = [hit for hit in hits if hit.time == time]
            cut, _ = window.apply(rule, state, time, together, lambda hit: hit.id)
            found += [cut] if cut is not None else []
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(state.copy()), type=Window)
    assert (state.episode, state.pending) == (None, [])
    return found


def arrivals(rule: Correlation, hits: Sequence[Hit], data: st.DataObject) -> Iterator[Row]:
    """The rows of hits, some twice, in an order within the lateness."""
    delays = st.integers(0, LATENESS)
    coming = [(hit.time + data.draw(delays), hit) for hit in hits]
    coming += [(hit.time + data.draw(delays), hit) for hit in hits if data.draw(st.booleans())]
    for _, hit in sorted(coming, key=lambda pair: pair[0]):
        for name in hit.names:
            about = {"time": hit.time, "id": f"{name}-{hit.id}", "event": hit.id}
            row = hit_row(rule, {"v": hit.value}, name, about, "hit")
            assert row is not None
            yield row


def final(rule: Correlation, rows: Iterator[Row], data: st.DataObject) -> list[dict[str, Any]]:
    """The final findings of the stage, which takes rows with their Ticks in chunks of any size."""
    stage = Keyed(Correlate([rule], Routes(Ruleset(correlations=(rule,)))), "stage/0", 1, ["in"])
    batch, found, watermark = list[Row | Tick](), list[dict[str, Any]](), -END

    def step() -> None:
        changes, outputs = stage.step(batch)
        stage.apply(changes)
        batch.clear()
        found.extend(o.body for o in outputs if isinstance(o, Result) and o.state == "final")

    for row in rows:
        watermark = max(watermark, row.time - LATENESS)
        batch += [row, Tick("in", 1, watermark, watermark)]
        if data.draw(st.booleans()):
            step()
    batch.append(Tick("in", 1, END, END))
    step()
    return found


@EVERY
@given(data=st.data())
def test_bounded_windows_are_exact(kind: str, data: st.DataObject) -> None:
    rule = data.draw(KINDS[kind])
    hits = data.draw(streams(rule))
    found = folded(rule, hits)
    assert [Expected(e.id, e.onset, e.last) for e in found] == episodes(rule, hits)
    if rule.type in STATISTICS or (rule.type == "event_count" and not rule.undoable):
        for one in found:
            assert (one.sample.count, one.first) == counted(rule, hits, one.onset, one.last)


@EVERY
@given(data=st.data())
def test_order_copies_and_chunks_change_nothing(kind: str, data: st.DataObject) -> None:
    rule = data.draw(KINDS[kind])
    hits = data.draw(streams(rule, 20))
    found = final(rule, arrivals(rule, hits, data), data)
    assert sorted((body["id"], body["onset_time"], body["last_time"]) for body in found) == sorted(
        (digest("finding", "rule", '["rule"]', id_), rfc3339(onset), rfc3339(last))
        for id_, onset, last in episodes(rule, hits)
    )


@EVERY
@settings(max_examples=10)
@given(data=st.data())
def test_what_a_window_keeps_does_not_grow_with_its_hits(kind: str, data: st.DataObject) -> None:
    rule = data.draw(KINDS[kind])
    state = window.empty(rule)
    for n in range(1, 2001):
        names, time = (RULES[n * n % 3],), n * rule.timespan // 2000
        for _ in window.fire(rule, state, time, lambda hit: hit.id):
            pass
        window.apply(rule, state, time, [Hit(time, f"{n:04d}", names, str(n % 9))], lambda h: h.id)
    assert len(msgspec.msgpack.encode(state)) < 14_000  # a hit takes 30: 2000 are 60,000


@EVERY
@given(data=st.data())
def test_a_copy_shares_nothing_that_changes(kind: str, data: st.DataObject) -> None:
    rule = data.draw(KINDS[kind])
    hits = data.draw(streams(rule, 8))
    state = window.empty(rule)
    for hit in sorted(hits, key=lambda hit: hit.time):
        before, copy = msgspec.msgpack.encode(state), state.copy()
        for one in (copy, state):
            for _ in window.fire(rule, one, hit.time, lambda hit: hit.id):
                pass
            window.apply(rule, one, hit.time, [hit], lambda hit: hit.id)
            if one is copy:
                assert msgspec.msgpack.encode(state) == before
