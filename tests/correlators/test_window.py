"""Windows and episodes: shared vectors through the real stage, and brute force on random streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators import window
from correlators.correlate import Correlate, comparable, hit_row
from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.window import Hit
from schemas.correlation import Correlation
from schemas.rows import Result, Row, Tick
from schemas.times import END, SECOND, rfc3339
from tests.correlators.brute import Expected, episodes

LATENESS = 300 * SECOND


def _rule(stated: dict[str, Any]) -> Correlation:
    condition = dict(stated.get("condition", {}))
    field = condition.pop("field", None)
    return Correlation(
        id="rule",
        title="rule",
        type=stated["type"],
        rules=tuple(stated["rules"]),
        group_by=tuple(stated["group-by"]),
        timespan=stated["timespan"] * SECOND,
        condition=condition,
        fields=(field,) if field else (),
        family="rule",
    )


def _arrivals(case: dict[str, Any], copies: int, shuffle: bool) -> Iterator[dict[str, Any]]:
    random = Random(case["case"])
    delay = LATENESS // SECOND if shuffle else 0
    signals = [(s["time"] + random.random() * delay, s) for s in case["signals"] * copies]
    yield from (s for _, s in sorted(signals, key=lambda pair: pair[0]))


@pytest.mark.parametrize(("copies", "shuffle"), [(1, False), (2, False), (1, True), (2, True)])
def test_shared_vectors(shared: Path, copies: int, shuffle: bool) -> None:
    for line in (shared / "vectors" / "windows.jsonl").read_text().splitlines():
        case = json.loads(line)
        rule = _rule(case["rule"])
        stage = Keyed(
            Correlate([rule], Routes(Ruleset(correlations=(rule,)))), "correlate-1/0", 1, ["in"]
        )
        random, found, batch, watermark = Random(0), list[Result](), list[Row | Tick](), -END
        for signal in _arrivals(case, copies, shuffle):
            hit = {
                "time": signal["time"] * SECOND,
                "id": signal["id"],
                "event": signal["id"],
                "signals": [signal["id"]],
            }
            row = hit_row(rule, signal["fields"], signal["detection"], hit, "hit")
            if row is not None and signal["detection"] in rule.rules:
                batch.append(row)
            watermark = max(watermark, signal["time"] * SECOND - LATENESS)
            batch.append(Tick("in", 1, watermark, watermark))
            if random.random() < 0.3:
                found += _step(stage, batch)
                batch = []
        end = max(s["time"] for s in case["signals"]) * SECOND
        found += _step(stage, [*batch, Tick("in", 1, END, end)])
        got = [
            _episode(r, "count" in e)
            for r in found
            if r.state == "final"
            for e in case["expect"][:1] or [{}]
        ]
        want = [
            (e["group"], rfc3339(e["onset"] * SECOND), rfc3339(e["last"] * SECOND))
            + ((rfc3339(e["first"] * SECOND), e["count"]) if "count" in e else ())
            for e in case["expect"]
        ]
        assert sorted(got) == sorted(want), case["case"]


def _step(stage: Keyed, batch: list[Row | Tick]) -> list[Result]:
    changes, outputs = stage.step(batch)
    stage.apply(changes)
    return [output for output in outputs if isinstance(output, Result)]


def _episode(result: Result, counted: bool) -> tuple[Any, ...]:
    body = result.body
    times = (list(body["group"].values()), body["onset_time"], body["last_time"])
    return times + ((body["first_time"], body["count"]) if counted else ())


HITS = st.lists(
    st.tuples(
        st.integers(0, 60), st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y", "z", None])
    ),
    max_size=40,
)
RULES = st.one_of(
    st.builds(
        lambda op, n, span: {"type": "event_count", "condition": {op: n}, "timespan": span},
        st.sampled_from(["gte", "gt", "lte", "lt", "eq", "neq"]),
        st.integers(1, 5),
        st.integers(1, 20),
    ),
    st.builds(
        lambda op, n, span: {
            "type": "value_count",
            "condition": {op: n, "field": "v"},
            "timespan": span,
        },
        st.sampled_from(["gte", "gt", "lte", "eq"]),
        st.integers(1, 3),
        st.integers(1, 20),
    ),
    st.builds(
        lambda kind, span: {"type": kind, "timespan": span},
        st.sampled_from(["temporal", "temporal_ordered"]),
        st.integers(1, 20),
    ),
)


@given(stated=RULES, raw=HITS)
def test_bounded_windows_are_exact(
    stated: dict[str, Any], raw: list[tuple[int, str, str | None]]
) -> None:
    rule = _rule({"rules": ["a", "b", "c"], "group-by": [], **stated})
    hits = [Hit(t * SECOND, f"{n:03d}", (name,), value) for n, (t, name, value) in enumerate(raw)]
    state, got = window.empty(rule), list[window.Episode]()
    for time in sorted({hit.time for hit in hits}):
        closed = window.close(rule, state, time)
        cut, _ = window.apply(
            rule, state, time, [h for h in hits if h.time == time], lambda hit: hit.id
        )
        got += [episode for episode in (closed, cut) if episode]
    got += [state.episode] if state.episode else []
    assert [Expected(e.id, e.onset, e.last) for e in got] == episodes(rule, hits)
    if rule.type == "event_count" and not rule.undoable:
        for episode in got:
            inside = [h for h in hits if episode.onset - rule.timespan <= h.time <= episode.last]
            before = [h for h in inside if h.time < episode.onset]
            assert episode.sample.count == len(
                [h for h in inside if h.time >= episode.onset]
            ) + len(before)
            assert episode.first == min(h.time for h in inside)


def test_an_episode_that_never_pauses_is_cut() -> None:
    rule = _rule(
        {
            "type": "event_count",
            "rules": ["a"],
            "group-by": [],
            "timespan": 3600,
            "condition": {"gte": 1},
        }
    )
    hits = [Hit(hour * 3600 * SECOND, f"{hour:03d}", ("a",)) for hour in range(30)]
    assert [e.id for e in episodes(rule, hits)] == ["000", "025"]


def test_long_episodes_name_the_first_and_last_twenty() -> None:
    rule = _rule(
        {
            "type": "event_count",
            "rules": ["a"],
            "group-by": [],
            "timespan": 60,
            "condition": {"gte": 1},
        }
    )
    state = window.empty(rule)
    for second in range(100):
        window.apply(
            rule,
            state,
            second * SECOND,
            [Hit(second * SECOND, f"{second:03d}", ("a",))],
            lambda hit: hit.id,
        )
    assert state.episode is not None
    shown = [hit.id for hit in state.episode.sample.hits]
    assert state.episode.sample.count == 100
    assert shown == [f"{n:03d}" for n in (*range(20), *range(80, 100))]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ann", "ann"),
        (1, "1"),
        (1.0, "1"),
        (1.5, "1.5"),
        (True, "true"),
        (None, None),
        ([], None),
        ({}, None),
        ("", ""),
    ],
)
def test_group_values_compare_as_sigma_strings(value: object, text: str | None) -> None:
    assert comparable(value) == text
