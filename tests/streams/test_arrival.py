"""Final results do not depend on arrival: the real stages against the nasty driver.

Each rule that makes it so, broken alone, is noticed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import msgspec
import pytest

from correlators.keyed import COPIED, Changes, Clock, Keyed
from correlators.ruleset import Ruleset
from correlators.slot import Slot
from schemas.rows import Delete, Output, Result, Row, Tick
from schemas.times import BEGINNING, SECOND
from streams.ingest import Ingest, Progress
from streams.input import Chunk
from tests.streams.estate import LATENESS, START, ruleset
from tests.streams.nasty import Cluster, trial

# Of 4 nasty runs each; `make arrival` plays 500.
TRIALS = int(os.environ.get("BAROGRAPH_TRIALS", "40"))
FOUND = (195,)  # seeds that once found something


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    return ruleset()


def test_final_results_are_a_function_of_events_and_time(rules: Ruleset) -> None:
    total = {"bad": 0, "runs": 0, "results": 0, "withdrawn": 0, "revisions": 0}
    for seed in (*FOUND, *range(TRIALS)):
        for name, count in trial(Cluster, rules, seed).items():
            total[name] += count
        assert total["bad"] == 0, f"counterexample at seed {seed}"
    assert total["results"] > TRIALS, total  # the estates do say something
    assert total["withdrawn"] > 0, total  # and what is said early is sometimes taken back


class FirstCopyWins(Keyed):
    """Breaks rule 5 of `correlators.keyed`: of copies that differ the first is kept."""

    def _take(self, slot: Slot, record: Row | Delete) -> None:
        known = (record.time, record.id) in slot.tail
        if not (known and isinstance(record, Row) and record.kind in COPIED):
            super()._take(slot, record)


class ForgetsSilentInputs(Keyed):
    """Breaks rule 1: an input from which nothing came yet is left out of the minimum."""

    def step(self, batch: Iterable[Row | Delete | Tick]) -> tuple[Changes, list[Output]]:
        batch = list(batch)
        heard = {r.input for r in batch if isinstance(r, Tick)}
        ticks = {n: t for n, t in self.clock.ticks.items() if t.watermark > BEGINNING or n in heard}
        full, self.clock = self.clock, Clock(ticks, self.clock.watermark, self.clock.clock)
        changes, outputs = super().step(
            [r for r in batch if isinstance(r, Tick) or r.time >= full.watermark]
        )
        self.clock = full
        merged = Clock(
            full.ticks | changes.clock.ticks, changes.clock.watermark, changes.clock.clock
        )
        return Changes(merged, changes.slots), outputs


class TailIsFinal(Keyed):
    """Breaks rule 2: what the tail says is taken for final."""

    def step(self, batch: Iterable[Row | Delete | Tick]) -> tuple[Changes, list[Output]]:
        changes, outputs = super().step(batch)
        early = [
            Result(o.kind, o.id, o.time, "final", o.body)
            if isinstance(o, Result) and o.state == "settled"
            else o
            for o in outputs
            if not (isinstance(o, Result) and o.state == "final")
        ]
        return changes, early


class LatenessByBatch(Ingest):
    """Breaks the first law of ingest: a whole batch is judged by its latest record."""

    def step(self, progress: Progress, chunk: Chunk) -> tuple[Progress, list[Output]]:
        times = [msgspec.json.decode(document)["time"] for document in chunk.documents]
        watermark = START + (max(times) - LATENESS[chunk.source]) * SECOND
        judged = msgspec.structs.replace(progress, watermark=max(progress.watermark, watermark))
        return super().step(judged, chunk)


def _noticed(rules: Ruleset, **broken: object) -> bool:
    cluster = type("Broken", (Cluster,), broken)
    for seed in range(60):
        try:
            if trial(cluster, rules, seed)["bad"]:
                return True
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("broken", [FirstCopyWins, ForgetsSilentInputs, TailIsFinal])
def test_a_broken_rule_of_the_fold_is_noticed(rules: Ruleset, broken: type[Keyed]) -> None:
    assert _noticed(rules, keyed=broken)


def test_lateness_judged_by_batch_is_noticed(rules: Ruleset) -> None:
    assert _noticed(rules, ingest=LatenessByBatch)
