from typing import Any

from infra.terminal.conditions import MAX_ENDED, Condition, Conditions, News, gravest
from schemas.finding import State
from schemas.rows import Result

APP = "application:claims"


def alert(
    id_: str,
    time: int,
    state: State = "provisional",
    **body: Any,  # noqa: ANN401 - JSON
) -> Result:
    said = {"system": APP, "status": "open", "stage": "watch", "peak_stage": "watch"}
    return Result("alert", id_, time, state, {**said, "priority": 50, "title": "T", **body})


def test_gravest() -> None:
    assert gravest(["watch", "outlook", "warning", "watch"]) == "warning"
    assert gravest([]) is None


def test_a_known_system_without_alert_is_calm() -> None:
    conditions = Conditions()
    assert conditions.take([Result("system", APP, 5, "final", {})]) == []
    assert conditions.systems() == [Condition(APP, None, 0, None)]


def test_news_are_changes_of_stage_and_ends() -> None:
    conditions = Conditions()
    rising = [alert("1", 10), alert("1", 11, priority=60), alert("1", 12, stage="warning")]
    assert [news.word for news in conditions.take(rising)] == ["watch", "warning"]
    assert conditions.systems() == [Condition(APP, "warning", 50, 12)]
    ended = alert("1", 90, status="expired", peak_stage="warning")
    assert conditions.take([ended, ended]) == [News(90, "warning expired", APP, 50, "T")]
    assert conditions.systems() == [Condition(APP, None, 0, 90)]


def test_a_withdrawn_alert_is_taken_back() -> None:
    conditions = Conditions()
    conditions.take([alert("1", 10)])
    assert [n.word for n in conditions.take([alert("1", 10, "withdrawn")])] == ["watch withdrawn"]
    assert conditions.open == {}
    assert [n.word for n in conditions.take([alert("1", 10)])] == ["watch"]


def test_the_gravest_system_comes_first() -> None:
    conditions = Conditions()
    conditions.take(
        [
            Result("system", "application:calm", 1, "final", {}),
            alert("1", 1, system="application:b", stage="outlook", priority=20),
            alert("2", 1, system="application:b", stage="watch", priority=40),
            alert("3", 1, system="application:a", stage="watch", priority=60),
        ]
    )
    assert [(c.system, c.stage, c.priority) for c in conditions.systems()] == [
        ("application:a", "watch", 60),
        ("application:b", "watch", 40),
        ("application:calm", None, 0),
    ]


def test_ended_alerts_are_forgotten_in_the_end() -> None:
    conditions = Conditions()
    for number in range(MAX_ENDED + 5):
        conditions.take([alert(str(number), number, status="expired")])
    assert [n.word for n in conditions.take([alert("0", 0, status="expired")])] == ["watch expired"]
    assert conditions.take([alert(str(MAX_ENDED), 0, status="expired")]) == []
