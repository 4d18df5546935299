"""A batch gives the episodes that windows give, hit by hit, wherever it is settled in between."""

from __future__ import annotations

from itertools import groupby
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators import window
from correlators.accumulator import Hit
from correlators.accumulator.number import numeral
from correlators.batch import Batch
from correlators.correlate import finding_id, key_of
from correlators.window import Episode
from schemas.correlation import STATISTICS, Correlation
from schemas.times import HOUR
from tests.correlators.drawn import KINDS, streams

GROUP = "ann"
SHARING = ("event_count", "temporal", "temporal_ordered")  # where hits alone, without values, count


class Told(NamedTuple):
    """An episode, with the ids of the hits that it shows."""

    id: str
    onset: int
    last: int
    first: int
    hits: int
    shown: list[tuple[int, str]]


def told(episode: Episode) -> Told:
    sample = episode.sample
    shown = [(hit.time, hit.id) for hit in sample.hits]
    return Told(episode.id, episode.onset, episode.last, episode.first, sample.count, shown)


def by_windows(rule: Correlation, hits: list[Hit], clock: int) -> list[Told]:
    """What the definition says: each time in order, deadlines before it first."""
    state, key = window.empty(rule), key_of(rule, [GROUP])
    closed: list[Episode | None] = []

    def fire(until: int) -> None:
        closed.extend(
            step.closed
            for step in window.fire(rule, state, until, lambda hit: finding_id(rule, key, hit))
        )

    for time, together in groupby(hits, key=lambda hit: hit.time):
        fire(time)
        cut, _ = window.apply(
            rule, state, time, list(together), lambda hit: finding_id(rule, key, hit)
        )
        closed.append(cut)
    fire(clock)
    return [told(one) for one in (*closed, state.episode) if one is not None]


def by_batch(
    rules: list[Correlation], hits: list[Hit], settled: list[int], clock: int, random: Random
) -> list[list[Told]]:
    """The same of each rule by one batch that settles before some of the hits.

    In between they come anyhow.
    """
    batch = Batch(rules, lambda _: {})
    takers = {name: batch.takers(name) for name in rules[0].rules}
    marks = sorted({hits[place % len(hits)].time for place in settled} if hits else ())
    for _, some in groupby(hits, key=lambda hit: sum(mark <= hit.time for mark in marks)):
        together = list(some)
        batch.settle(together[0].time)
        random.shuffle(together)
        for hit in together:
            for name in hit.names:
                for taker in takers[name]:
                    fields = {"g": GROUP, "v": hit.value}
                    assert taker.raw(fields, hit.time, hit.id, int(hit.id)) == 0
    batch.end(clock)
    return [[told(one.episode) for one in batch.closed if one.rule.id == rule.id] for rule in rules]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_batch_gives_what_windows_give(kind: str, data: st.DataObject) -> None:
    rule = data.draw(KINDS[kind]).model_copy(update={"group_by": ("g",)})
    hits = sorted(data.draw(streams(rule)), key=lambda hit: (hit.time, hit.id))
    settled = data.draw(st.lists(st.integers(0, 30), max_size=4))
    clock = max((hit.time for hit in hits), default=0)
    stated = hits
    if rule.type in STATISTICS:
        stated = [Hit(hit.time, hit.id, hit.names, numeral(hit.value)) for hit in hits]
    random = data.draw(st.randoms(use_true_random=False))
    assert by_batch([rule], hits, settled, clock, random) == [by_windows(rule, stated, clock)]


@given(data=st.data())
def test_rules_that_share_their_hits_say_what_each_says_alone(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(SHARING), min_size=2, max_size=4))
    rules = [
        data.draw(KINDS[kind]).model_copy(update={"id": f"rule{n}", "group_by": ("g",)})
        for n, kind in enumerate(kinds)
    ]
    assert len(Batch(rules, lambda _: {}).takers("a")) == 1
    hits = sorted(data.draw(streams(rules[0])), key=lambda hit: (hit.time, hit.id))
    settled = data.draw(st.lists(st.integers(0, 30), max_size=4))
    clock = max((hit.time for hit in hits), default=0)
    random = data.draw(st.randoms(use_true_random=False))
    expected = [by_windows(rule, hits, clock) for rule in rules]
    assert by_batch(rules, hits, settled, clock, random) == expected


@pytest.mark.parametrize("kind", ["event_count", "value_count", "temporal", "temporal_ordered"])
@pytest.mark.parametrize("settled", [[], [3], [3, 14, 15]])
def test_an_episode_without_pause_is_cut(kind: str, settled: list[int]) -> None:
    """After a day or ten timespans, whichever is longer."""
    condition = {} if kind.startswith("temporal") else {"gte": 2}
    rule = Correlation.model_validate(
        {
            "id": "rule",
            "title": "rule",
            "family": "rule",
            "type": kind,
            "rules": ["a", "b"],
            "group_by": ["g"],
            "timespan": 3 * HOUR,
            "fields": ["v"] if kind == "value_count" else [],
            "condition": condition,
        }
    )
    hits = [Hit(n * HOUR, f"{n:03d}", ("ab"[n % 2],), str(n)) for n in range(64)]
    clock = 63 * HOUR
    (found,) = by_batch([rule], hits, settled, clock, Random(7))
    assert found == by_windows(rule, hits, clock)
    onsets = [one.onset // HOUR for one in found]
    assert onsets == [1, 32, 63]
