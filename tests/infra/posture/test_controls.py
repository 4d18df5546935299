"""The gauge of controls: time ends an answer, also while no snapshot comes."""

from __future__ import annotations

from infra.posture.controls import Controls
from schemas.times import DAY, SECOND

ROWS = [
    ("ai_act", "fail", None),
    ("ai_act", "pass", 2 * DAY),
    ("ai_act", "pass", 5 * DAY),
    ("nist", "fail", 3 * DAY),
    ("nist", "not_assessed", None),
]


def counted(now: int) -> dict[tuple[str, str], float]:
    (metric,) = Controls(ROWS).metrics(now)
    return {
        (sample.labels["framework"], sample.labels["status"]): sample.value
        for sample in metric.samples
    }


def test_what_held_until_a_time_before_is_not_assessed() -> None:
    assert counted(2 * DAY) == {
        ("ai_act", "fail"): 1,
        ("ai_act", "not_assessed"): 0,
        ("ai_act", "pass"): 2,
        ("nist", "fail"): 1,
        ("nist", "not_assessed"): 1,
        ("nist", "pass"): 0,
    }
    later = counted(2 * DAY + SECOND)
    assert (later["ai_act", "pass"], later["ai_act", "not_assessed"]) == (1, 1)
    last = counted(9 * DAY)
    assert {key: value for key, value in last.items() if value} == {
        ("ai_act", "fail"): 1,  # only news ends it
        ("ai_act", "not_assessed"): 2,
        ("nist", "not_assessed"): 2,
    }


def test_without_rows_there_is_no_sample() -> None:
    (metric,) = Controls([]).metrics(DAY)
    assert metric.samples == []
