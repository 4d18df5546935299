"""Final results do not depend on arrival, kills or restores: the parts of the Kafka driver."""

from __future__ import annotations

import os

import pytest

from correlators.ruleset import Ruleset
from streams.kafka.keyed_part import KeyedPart
from streams.kafka.part import Fetched, Part
from tests.streams.estate import ruleset
from tests.streams.kafka.logs import LogCluster
from tests.streams.nasty import trial

TRIALS = int(os.environ.get("BAROGRAPH_TRIALS", "40")) // 4  # each is slower than in memory


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    return ruleset()


def test_final_results_are_a_function_of_events_and_time(rules: Ruleset) -> None:
    total = {"bad": 0, "runs": 0, "results": 0, "withdrawn": 0, "revisions": 0}
    for seed in range(TRIALS):
        for name, count in trial(LogCluster, rules, seed).items():
            total[name] += count
        assert total["bad"] == 0, f"counterexample at seed {seed}"
    assert total["results"] > TRIALS, total
    assert total["withdrawn"] > 0, total


class ForgetsTheTail(LogCluster):
    """Goes on behind what was saved, and does not read the unsettled rest again."""

    def _restored(self, name: str) -> Part:
        part = super()._restored(name)
        if part.between and part.positions != part.again:
            fresh = self._new(name)
            state = {r.key or b"": r.value for r in self.logs.get(part.state, ())}
            list(fresh.restore((k, value) for k, value in state.items() if value is not None))
            return fresh
        return part


class ReadsTheTailFromTheEnd(LogCluster):
    """Reads only the last of the unsettled rows again."""

    def _new(self, name: str) -> Part:
        part = super()._new(name)
        if isinstance(part, KeyedPart):
            reread = part.reread

            def last(fetched: Fetched) -> None:
                reread({tp: records[-1:] for tp, records in fetched.items()})

            part.reread = last  # type: ignore[method-assign]
        return part


@pytest.mark.parametrize("broken", [ForgetsTheTail, ReadsTheTailFromTheEnd])
def test_a_recovery_that_reads_too_little_is_noticed(
    broken: type[LogCluster], rules: Ruleset
) -> None:
    assert any(_noticed(broken, rules, seed) for seed in range(100))


def _noticed(broken: type[LogCluster], rules: Ruleset, seed: int) -> bool:
    """True if results differ, or a stage finds itself in a place where it cannot be."""
    try:
        return trial(broken, rules, seed)["bad"] > 0
    except AssertionError as error:
        return "behind the watermark" in str(error)
