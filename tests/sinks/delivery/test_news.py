"""What is worth a message: the table of the rule, line by line."""

import pytest

from schemas.rows import Result
from sinks.delivery.news import Said, change, news
from tests.sinks.alerts import alert


def now(revision: int = 2, stage: str = "watch", priority: int = 40, how: str = "open") -> Result:
    state = "withdrawn" if how == "withdrawn" else "settled"
    status = "open" if how == "withdrawn" else how
    return alert("a", revision, state, stage=stage, priority=priority, status=status)  # type: ignore[arg-type]


OPEN = Said(1, "watch", 1, closed=False)
OVER = Said(1, "watch", 1, closed=True)

TABLE = [
    # what was told, what is, what is new, how it is said
    (None, now(), "opened", "new: watch, priority 40"),
    (None, now(how="expired"), None, "priority 40"),
    (None, now(how="withdrawn"), None, "priority 40"),
    (OVER, now(), "opened", "open again: watch, priority 40"),
    (OVER, now(1), None, "priority 40"),
    (OVER, now(how="resolved"), None, "priority 40"),
    (OPEN, now(how="withdrawn"), "withdrawn", ("withdrawn: it never held: records that came late"
     " disprove it")),
    (OPEN, now(how="expired"), "ended", "expired: it has not held for its time to live"),
    (OPEN, now(how="verified"), "ended", ("verified: it has not held for its time to live, and what"
     " it foretold happened")),
    (OPEN, now(how="resolved"), "ended", ("resolved: what it rested on was taken back, or its rule"
     " was")),
    (OPEN, now(how="superseded"), "ended", "superseded: another alert of this system covers it"),
    (OPEN, now(stage="warning"), "raised", "now warning, was watch, priority 40"),
    (OPEN, now(stage="warning", priority=90), "raised", "now warning, was watch, priority 90"),
    (OPEN, now(priority=49), None, "priority 49"),
    (OPEN, now(priority=50), "risen", "priority now 50, 50 and more"),
    (OPEN, now(priority=99), "risen", "priority now 99, 75 and more"),
    (OPEN, now(priority=1), None, "priority 1"),
    (OPEN, now(stage="outlook"), "lowered", "now outlook, was watch, priority 40"),
    (OPEN, now(1, stage="warning"), None, "priority 40"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "result", "what", "line"), TABLE)
def test_the_table(told: Said | None, result: Result, what: str | None, line: str) -> None:
    found = news(told, result)
    assert found == what
    assert change(result, found, told) == line


def test_a_priority_that_swings_around_a_bound_is_news_once() -> None:
    said, found = None, []
    for revision, priority in enumerate((49, 50, 49, 51, 74, 75, 20, 76), start=1):
        result = now(revision, priority=priority)
        what = news(said, result)
        found.append(what)
        said = Said.of(result, said)
    assert found == ["opened", "risen", None, None, None, "risen", None, None]


def test_what_covers_an_alert_is_named() -> None:
    over = alert("a", 2, "settled", status="superseded", superseded_by="b")
    said = change(over, news(OPEN, over), OPEN)
    assert said == "superseded: another alert of this system covers it: b"


def test_an_alert_that_opens_again_begins_anew() -> None:
    over = Said.of(now(2, priority=90, how="expired"), None)
    again = Said.of(now(3, priority=30), over)
    assert (over.band, again.band) == (3, 1)
    assert news(again, now(4, priority=60)) == "risen"
