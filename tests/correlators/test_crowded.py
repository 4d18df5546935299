"""A partition with too many keys: quiet ones go, nearest to their end first, and are counted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from correlators.correlate import Correlate
from schemas.times import SECOND
from tests.correlators.stage import Stage, results_of
from tests.correlators.test_correlate import RULES, hits, logic

MOST = 128


class Small(Correlate):
    most = MOST


@pytest.fixture
def stage() -> Stage:
    return Stage(Small(RULES.correlations, logic().routes))


def flood(stage: Stage, second: int, count: int) -> None:
    """One hit of each of many users, all within four seconds."""
    for number in range(count):
        (row,) = hits(second + number % 4)
        stage.take(replace(row, key=row.key.replace("ann", f"ann-{number}")))


def test_as_many_as_there_is_room_for_stay(stage: Stage) -> None:
    flood(stage, 0, MOST)
    stage.pass_to(5 * SECOND)
    assert (len(stage.keyed.slots), stage.keyed.crowded_out) == (MOST, 0)


def test_of_more_those_go_that_are_nearest_to_be_forgotten(stage: Stage) -> None:
    flood(stage, 0, MOST)
    stage.pass_to(5 * SECOND)
    oldest = {key for key in stage.keyed.slots if stage.keyed.slots[key].compact.latest == 0}
    stage.take(*hits(6))
    gone = MOST + 1 - len(stage.keyed.slots)
    assert gone == stage.keyed.crowded_out == 1 + MOST // 64
    assert sum(key not in stage.keyed.slots for key in oldest) == gone


def test_what_is_unsettled_or_open_stays(stage: Stage) -> None:
    stage.take(*hits(1, 2, 3))  # an episode
    stage.pass_to(5 * SECOND)
    flood(stage, 8, 2 * MOST)  # of which none is settled
    assert stage.keyed.crowded_out == 0
    (finding,) = results_of(stage.pass_to(60 * SECOND), "finding")
    assert finding.body["count"] == 3
