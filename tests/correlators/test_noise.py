"""Convergence never compounds noise: what is said twice, or by one family, changes nothing."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.alert import STAGES
from schemas.rows import Row
from schemas.times import MINUTE
from tests.correlators.assessing import EXPOSED, USE, alerts, fact, leg
from tests.correlators.stories import story

# One rule fills each leg; the window is ten minutes, so what comes in the first eight all holds.
STORY = story(
    {
        "use": USE,
        "deploy": {"class": "change"},
        "sale": {"class": "runtime", "alone": "watch"},
        "weak": EXPOSED,
    }
)
UNTIL = 9
FAMILIES = ["f", "g", "h"]

signals = st.builds(
    lambda minute, of, family: leg(minute, of, family=family),
    st.integers(1, 8),
    st.sampled_from(["use", "deploy", "sale"]),
    st.sampled_from(FAMILIES),
)
facts = st.builds(fact, st.integers(1, 8))


def unique(rows: list[Row]) -> list[Row]:
    """One row of each id: an upsert is no second finding."""
    return list({(row.time, row.id): row for row in rows}.values())


evidence = st.lists(st.one_of(signals, facts), min_size=1, max_size=6).map(unique)


def outcome(rows: list[Row]) -> tuple[int, int, int]:
    """Stage, peak stage and priority of the one alert; all below everything if there is none."""
    found = alerts(*rows, stories=[STORY], until=UNTIL)
    assert len(found) <= 1
    for alert in found:
        return STAGES.index(alert["stage"]), STAGES.index(alert["peak_stage"]), alert["priority"]
    return -1, -1, 0


def another(row: Row, name: str, minute: int | None = None) -> Row:
    """A signal like `row` from a record of its own, at its time or another."""
    time = row.time if minute is None else minute * MINUTE
    body = {"leg": name, "signals": [name], "evidence": [[name, "1" * 64]], "at": time}
    return msgspec.structs.replace(row, time=time, id=name, body=row.body | body)


@given(rows=evidence, data=st.data())
def test_evidence_that_is_delivered_twice_changes_nothing(
    rows: list[Row], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(rows)))
    assert outcome(data.draw(st.permutations(rows + again))) == outcome(rows)


@given(rows=evidence, data=st.data())
def test_a_second_finding_of_the_same_family_changes_neither_stage_nor_score(
    rows: list[Row], data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(rows), max_size=4))
    more = [another(row, f"second-{n}") for n, row in enumerate(chosen) if row.kind == "leg"]
    assert outcome(rows + more) == outcome(rows)


@given(rows=evidence, data=st.data())
def test_a_later_finding_of_the_same_family_does_not_change_the_stage(
    rows: list[Row], data: st.DataObject
) -> None:
    """The score is that of the last time that the alert held: then it is fresher."""
    chosen = data.draw(st.lists(st.sampled_from(rows), max_size=4))
    more = [
        another(row, f"later-{n}", data.draw(st.integers(row.time // MINUTE, 8)))
        for n, row in enumerate(chosen)
        if row.kind == "leg"
    ]
    assert outcome(rows + more)[:2] == outcome(rows)[:2]


@given(rows=evidence, of=st.sampled_from(["use", "deploy", "sale"]), minute=st.integers(1, 8))
def test_a_new_independent_family_never_lowers_stage_or_score(
    rows: list[Row], of: str, minute: int
) -> None:
    more = another(leg(minute, of, family="new"), "new")
    before, after = outcome(rows), outcome([*rows, more])
    assert all(new >= old for old, new in zip(before, after, strict=True)), (before, after)
