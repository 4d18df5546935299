"""Windows and episodes: shared vectors through the stage, brute force over random streams."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from correlators import window
from correlators.accumulator import Hit
from correlators.correlate import Correlate, hit_row
from correlators.keyed import Keyed
from correlators.routes import Routes
from correlators.ruleset import Ruleset
from correlators.window import Episode, Window
from schemas.correlation import Correlation
from schemas.rows import Result, Row, Tick
from schemas.times import DAY, END, HOUR, SECOND, rfc3339
from tests.correlators.brute import episodes

LATENESS = 300 * SECOND


def rule_of(
    type_: str,
    span: int = 10,
    *,
    rules: Sequence[str] = ("a", "b", "c"),
    group_by: Sequence[str] = (),
    **condition: Any,  # noqa: ANN401 - numbers, and the counted field
) -> Correlation:
    """A rule with a timespan in seconds."""
    field = condition.pop("field", None)
    return Correlation.model_validate(
        {
            "id": "rule",
            "title": "rule",
            "type": type_,
            "rules": rules,
            "group_by": group_by,
            "timespan": span * SECOND,
            "condition": condition,
            "fields": [field] if field else [],
            "family": "rule",
        }
    )


def play(rule: Correlation, hits: Sequence[Hit]) -> tuple[list[Episode], Window]:
    """All episodes over `hits`, and the window in the end."""
    state, found = window.empty(rule), list[Episode]()
    for time in sorted({hit.time for hit in hits}):
        steps = window.fire(rule, state, time, lambda hit: hit.id)
        together = [hit for hit in hits if hit.time == time]
        closed = [step.closed for step in steps]
        cut, _ = window.apply(rule, state, time, together, lambda hit: hit.id)
        found += [episode for episode in (*closed, cut) if episode]
    return found + ([state.episode] if state.episode else []), state


def at(*seconds: int, name: str = "a", value: str | None = None) -> list[Hit]:
    return [Hit(s * SECOND, f"{name}{s:03d}", (name,), value) for s in seconds]


def arrivals(case: dict[str, Any], copies: int, delay: int) -> Iterator[dict[str, Any]]:
    """The signals of a vector, each `copies` times, in an order within the lateness."""
    random = Random(case["case"])
    delayed = [(s["time"] + random.random() * delay, s) for s in case["signals"] * copies]
    yield from (signal for _, signal in sorted(delayed, key=lambda pair: pair[0]))


def batches(
    rule: Correlation, signals: Iterator[dict[str, Any]], end: int
) -> Iterator[list[Row | Tick]]:
    """Rows with their Ticks behind them, in batches of random size."""
    random, batch, watermark = Random(0), list[Row | Tick](), -END
    for signal in signals:
        time, id_ = signal["time"] * SECOND, signal["id"]
        hit = {"time": time, "id": id_, "event": id_, "signals": [id_]}
        row = hit_row(rule, signal["fields"], signal["detection"], hit, "hit")
        if row is not None and signal["detection"] in rule.rules:
            batch.append(row)
        watermark = max(watermark, time - LATENESS)
        batch.append(Tick("in", 1, watermark, watermark))
        if random.random() < 0.3:
            yield batch
            batch = []
    yield [*batch, Tick("in", 1, END, end)]


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("delay", [0, LATENESS // SECOND])
def test_shared_vectors(shared: Path, copies: int, delay: int) -> None:
    for line in (shared / "vectors" / "windows.jsonl").read_text().splitlines():
        case = json.loads(line)
        stated = case["rule"]
        rule = rule_of(
            stated["type"],
            stated["timespan"],
            rules=stated["rules"],
            group_by=stated["group-by"],
            **stated.get("condition", {}),
        )
        logic = Correlate([rule], Routes(Ruleset(correlations=(rule,))))
        stage, found = Keyed(logic, "correlate-1/0", 1, ["in"]), list[dict[str, Any]]()
        end = max(s["time"] for s in case["signals"]) * SECOND
        for batch in batches(rule, arrivals(case, copies, delay), end):
            changes, outputs = stage.step(batch)
            stage.apply(changes)
            found += [o.body for o in outputs if isinstance(o, Result) and o.state == "final"]
        counted = any("count" in episode for episode in case["expect"])
        assert sorted(told(body, counted=counted) for body in found) == sorted(
            expected(episode) for episode in case["expect"]
        ), case["case"]


def told(body: dict[str, Any], *, counted: bool) -> tuple[Any, ...]:
    times = (list(body["group"].values()), body["onset_time"], body["last_time"])
    return times + ((body["first_time"], body["count"]) if counted else ())


def expected(episode: dict[str, Any]) -> tuple[Any, ...]:
    times = [rfc3339(episode[name] * SECOND) for name in ("onset", "last")]
    if "count" not in episode:
        return (episode["group"], *times)
    return (episode["group"], *times, rfc3339(episode["first"] * SECOND), episode["count"])


@pytest.mark.parametrize(
    ("last", "onsets"),
    [(10, [10 * SECOND]), (11, [])],
    ids=["a hit at the old edge is in the window", "one beyond it is not"],
)
def test_both_ends_of_a_window_are_inclusive(last: int, onsets: list[int]) -> None:
    found, _ = play(rule_of("event_count", 10, gte=2), at(0, last))
    assert [episode.onset for episode in found] == onsets


def test_equal_times_count_as_in_order() -> None:
    hits = [*at(5, name="b"), *at(5, name="a")]
    found, _ = play(rule_of("temporal_ordered", rules=["a", "b"]), hits)
    assert [(e.onset, e.first) for e in found] == [(5 * SECOND, 5 * SECOND)]


def test_of_chains_the_one_that_starts_latest_is_kept() -> None:
    hits = [*at(0), *at(1, name="b"), *at(5), *at(6, name="b"), *at(12, name="c")]
    found, _ = play(rule_of("temporal_ordered", gte=3), hits)
    assert [(e.onset, e.first, e.sample.count) for e in found] == [(12 * SECOND, 5 * SECOND, 3)]


def test_so_many_rules_in_order_need_not_be_neighbours() -> None:
    rule = rule_of("temporal_ordered", gte=2)
    assert [e.onset for e in play(rule, [*at(0), *at(3, name="c")])[0]] == [3 * SECOND]
    assert play(rule, [*at(0, name="c"), *at(3, name="b"), *at(5)])[0] == []


def numbers(*values: str) -> list[Hit]:
    return [Hit(n * SECOND, f"{n}", ("a",), value) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("type_", "values", "median"),
    [
        ("value_median", ["1", "10"], "5.5"),
        ("value_median", ["10", "1", "11"], "10"),
        ("value_median", ["0.1", "0.2"], "0.15"),
        ("value_avg", ["1", "2", "4.5"], "2.5"),
        ("value_sum", ["0.1", "0.2", "-0.7"], "-0.4"),
        ("value_sum", ["1e18", "0.000000001", "-1e18"], "0.000000001"),
    ],
)
def test_statistics_are_exact(type_: str, values: list[str], median: str) -> None:
    for op, held in (("eq", True), ("gte", True), ("lte", True), ("gt", False), ("neq", False)):
        condition: dict[str, Any] = {op: Decimal(median), "field": "v"}
        rule = rule_of(type_, 10, **condition)
        found, _ = play(rule, numbers(*values))
        last = (len(values) - 1) * SECOND
        assert (bool(found) and found[-1].last == last) is held, op


@pytest.mark.parametrize(
    ("rank", "value"),
    [(0, "10"), (25, "20"), (90, "46"), (100, "50"), (Decimal("37.5"), "25"), (1, "10.4")],
)
def test_a_percentile_lies_on_the_line_between_two_numbers(rank: Any, value: str) -> None:  # noqa: ANN401
    five = numbers("30", "10", "50", "20", "40")
    rule = rule_of("value_percentile", 10, field="v", eq=Decimal(value))
    rule = rule.model_copy(update={"percentile": rank})
    assert [e.last for e in play(rule, five)[0]][-1:] == [4 * SECOND]


def test_a_number_leaves_with_its_cell() -> None:
    rule, cell = rule_of("value_sum", 10, gte=2, field="v"), 10 * SECOND // 64
    one = Hit(5 * cell + 7, "0", ("a",), "1")
    last = 5 * cell + cell - 1 + 10 * SECOND
    for time, onsets in ((last, [last]), (last + 1, [])):
        found, _ = play(rule, [one, Hit(time, "1", ("a",), "1")])
        assert [e.onset for e in found] == onsets


def test_a_finding_of_a_statistic_names_the_first_hit_of_each_cell() -> None:
    rule = rule_of("value_sum", 64, gte=5, field="v")
    hits = [Hit(n * SECOND // 2, f"{n}", ("a",), "1") for n in range(5)]
    (episode,), _ = play(rule, hits)
    assert (episode.first, episode.sample.count) == (0, 5)
    assert [hit.id for hit in episode.sample.hits] == ["0", "2", "4"]


def test_an_episode_bridges_gaps_of_one_timespan_and_counts_what_lies_between() -> None:
    rule = rule_of("event_count", 10, gte=2)
    found, _ = play(rule, at(0, 1, 11, 21, 22, 40))
    assert [(e.onset, e.last, e.sample.count) for e in found] == [(1 * SECOND, 22 * SECOND, 5)]


def test_what_comes_after_the_last_qualifying_time_is_not_counted() -> None:
    (episode,), _ = play(rule_of("event_count", 10, gte=3), at(0, 1, 2, 12))
    assert (episode.last, episode.sample.count, episode.pending.count) == (2 * SECOND, 3, 1)


def test_an_episode_closes_strictly_after_one_timespan() -> None:
    rule = rule_of("event_count", 10, gte=1)
    _, state = play(rule, at(5))
    assert window.closes_at(rule, state) == 15 * SECOND
    assert window.close(rule, state, 15 * SECOND) is None
    closed = window.close(rule, state, 15 * SECOND + 1)
    assert closed is not None
    assert (closed.onset, closed.last) == (5 * SECOND, 5 * SECOND)


def test_an_episode_that_never_pauses_is_cut() -> None:
    rule = rule_of("event_count", HOUR // SECOND, gte=1)
    hits = [Hit(n * HOUR, f"{n:03d}", ("a",)) for n in range(30)]
    found, _ = play(rule, hits)
    assert [(e.id, e.last) for e in found] == [("000", DAY), ("025", 29 * HOUR)]
    assert [(e.id, e.onset) for e in episodes(rule, hits)] == [("000", 0), ("025", 25 * HOUR)]


def test_long_episodes_name_the_first_and_last_twenty() -> None:
    (episode,), _ = play(rule_of("event_count", 60, gte=1), at(*range(100)))
    shown = [hit.id for hit in episode.sample.hits]
    assert episode.sample.count == 100
    assert shown == [f"a{n:03d}" for n in (*range(20), *range(80, 100))]
