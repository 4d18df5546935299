"""People are told each news once; what is not urgent waits on disk and comes together."""

import resource
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.rows import Result
from sinks.delivery.digest import MOST, Issue
from sinks.delivery.memory import Memory
from sinks.delivery.news import News, Said
from sinks.delivery.people import People, PeopleSettings
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer
from tests.sinks.alerts import alert

HOUR = 3600.0


class Heard:
    """Somebody who is told, and who is away while there are `answers` that say so."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.news: list[tuple[str, int, News | None]] = []
        self.issues: list[Issue] = []
        self.rested = 0

    def tell(self, result: Result, what: News | None, before: Said | None) -> Answer:
        assert (before is None) == (what == "opened")
        answer = self.answers.pop(0) if self.answers else Answer("ok")
        if answer.verdict == "ok":
            self.news.append((result.id, result.body["meta"]["revision"], what))
        return answer

    def gather(self, issue: Issue) -> Answer:
        answer = self.answers.pop(0) if self.answers else Answer("ok")
        if answer.verdict == "ok":
            self.issues.append(issue)
        return answer

    def rest(self) -> None:
        self.rested += 1


class Clock:
    def __init__(self) -> None:
        self.now = 1_767_268_800.0  # noon

    def __call__(self) -> float:
        return self.now


class Desk:
    """A sink over a folder; `restarted` is what a new process makes of it."""

    def __init__(self, folder: Path, clock: Clock | None = None, **settings: object) -> None:
        self.folder, self.settings, self.clock = folder, settings, clock or Clock()
        self.heard = Heard()
        self.people = People(
            self.heard,
            PeopleSettings.model_validate({"name": "soc", "kind": "slack"} | settings),
            Memory(folder / "said.sqlite"),
            self.clock,
        )
        self.people.open(None)

    def restarted(self) -> "Desk":
        return Desk(self.folder, self.clock, **self.settings)

    def take(self, *batch: Result) -> Delivered:
        return self.people.write(batch)


OLD = "2025-12-31T13:30:00.250000Z"  # a day before the alerts are emitted


def ids(entries: Sequence[object]) -> list[str]:
    return [entry.id for entry in entries]  # type: ignore[attr-defined]


def test_each_news_is_told_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    first = alert("a", 1, stage="watch")
    assert desk.take(first) == Delivered(1)
    assert desk.take(first, alert("a", 2, stage="warning")) == Delivered(2)
    again = desk.restarted()
    again.take(first, alert("a", 2, stage="warning"))
    again.take(alert("a", 3, "final", status="expired"))
    again.take(alert("a", 3, "final", status="expired"))
    assert desk.heard.news == [("a", 1, "opened"), ("a", 2, "raised")]
    assert again.heard.news == [("a", 3, "ended")]


@contextmanager
def full_disk() -> Generator[None]:
    """No file grows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_has_nothing_told_twice(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digest="1h")
    desk.take(alert("a"), low("b"))
    with full_disk():
        for _ in range(3):
            with pytest.raises(sqlite3.Error):
                desk.take(alert("c"))
    desk.take(alert("c"))
    assert desk.heard.news == [("a", 1, "opened"), ("c", 1, "opened")]
    desk.clock.now += HOUR
    with full_disk():
        for _ in range(3):
            with pytest.raises(sqlite3.Error):
                desk.people.flush()
    assert desk.people.flush() == Delivered(0)
    assert [ids(issue.open) for issue in desk.heard.issues] == [["b"]]


def test_of_a_batch_the_newest_revision_alone_counts(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(
        alert("a", 1, stage="watch"),
        alert("b", 1),
        alert("a", 2, stage="warning"),
        alert("b", 2, "withdrawn"),
        alert("c", 1),
    )
    assert desk.heard.news == [("a", 2, "opened"), ("c", 1, "opened")]


def test_a_change_without_news_may_still_be_shown(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(alert("a", 1))
    desk.take(alert("a", 2, priority=86))
    assert desk.heard.news[1:] == [("a", 2, None)]


def test_who_is_away_is_told_later_and_in_order(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.heard.answers = [Answer("ok"), Answer("retry", "away", 7.0, 503)]
    batch = [alert("a"), alert("b"), alert("c")]
    assert desk.take(*batch) == Delivered(1, problem="away", wait=7.0)
    assert desk.take(*batch[1:]) == Delivered(2)
    assert [id_ for id_, _, _ in desk.heard.news] == ["a", "b", "c"]


def test_a_refused_alert_is_refused_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.heard.answers = [Answer("reject", "no", status=400)]
    delivered = desk.take(alert("a"))
    assert [(one.result.id, one.reason) for one in delivered.refused] == [("a", "no")]
    assert desk.take(alert("a")) == Delivered(1)
    assert desk.heard.news == []


def test_what_is_not_urgent_comes_together_at_the_end_of_the_hour(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digest="1h", link="https://b.example/{id}")
    desk.take(
        alert("a", peak_stage="watch", stage="watch", priority=30),
        alert("b"),
        alert("c", peak_stage="outlook", stage="outlook", priority=60),
    )
    assert desk.people.flush() is None
    desk.take(alert("a", 2, peak_stage="watch", stage="watch", priority=70))
    desk.clock.now += HOUR - 1
    assert desk.people.flush() is None
    desk.clock.now += 1
    assert desk.people.flush() == Delivered(0)
    assert desk.people.flush() is None
    assert desk.heard.news == [("b", 1, "opened")]
    (issue,) = desk.heard.issues
    assert issue.title == "2 alerts with news"
    assert issue.open[0]._replace(said=()) == (
        "a", 2, 70, "opened",
        "WATCH 70 · support-bot: A poisoned tool is at work in support-bot",
        "1. Take mcp-mail/send from the agent (AML.M0026): -2400 points",
        "barograph explain a", "https://b.example/a", (),
    )  # fmt: skip
    assert ids(issue.open) == ["a", "c"]
    assert (issue.more, issue.ended, issue.faded) == (0, (), 0)


def low(id_: str, revision: int = 1, state: str = "settled", **more: object) -> Result:
    quiet = {"peak_stage": "watch", "stage": "watch", "priority": 30, "title": id_}
    return alert(id_, revision, state, **quiet | more)  # type: ignore[arg-type]


def test_a_clock_that_was_ahead_keeps_no_digest_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digest="1h")
    desk.clock.now += 365 * 24 * HOUR
    desk.take(low("a"), alert("b", 1, expires_at=OLD))
    desk.clock.now -= 365 * 24 * HOUR
    assert desk.people.flush() == Delivered(0)
    assert desk.people.flush() == Delivered(0)
    digest, past = desk.heard.issues
    assert (ids(digest.open), past.past) == (["a"], 1)


def test_what_ends_meanwhile_is_one_line_and_what_was_never_so_none(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digest="1h")
    desk.take(low("told"))
    desk.clock.now += HOUR
    desk.people.flush()
    desk.take(low("came"), low("never"), low("stays"), low("calm"))
    desk.take(
        low("told", 2, status="expired"),
        low("came", 2, status="resolved"),
        low("never", 2, "withdrawn"),
        low("calm", 2, "withdrawn"),
        low("unseen", 1, status="expired"),
    )
    desk.clock.now += HOUR
    desk.people.flush()
    _, issue = desk.heard.issues
    assert ids(issue.open) == ["stays"]
    assert issue.ended == (
        "WATCH RESOLVED 30 · support-bot: came",
        "WATCH EXPIRED 30 · support-bot: told",
    )
    assert issue.title == "1 alert with news, 2 over"


def test_nothing_in_it_is_nothing_sent(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digest="1h")
    desk.take(low("a"))
    desk.clock.now += HOUR
    desk.people.flush()
    desk.take(low("a", 2, priority=31))
    desk.take(low("a", 3, stage="outlook"))
    desk.take(low("b"))
    desk.take(low("b", 2, "withdrawn"))
    desk.clock.now += HOUR
    assert desk.people.flush() is None
    assert len(desk.heard.issues) == 1


def test_what_becomes_urgent_goes_at_once_and_leaves_the_digest(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digest="1h")
    desk.take(low("a"))
    desk.take(low("a", 2, stage="warning", peak_stage="warning"))
    desk.take(low("a", 3, peak_stage="warning", status="expired"))
    desk.clock.now += HOUR
    assert desk.people.flush() is None
    assert desk.heard.news == [("a", 2, "opened"), ("a", 3, "ended")]


def test_a_digest_is_bounded(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digest="1h")
    desk.take(*(low(f"{n:03}", priority=n % 100) for n in range(130)))
    desk.clock.now += HOUR
    desk.people.flush()
    desk.take(*(low(f"{n:03}", 2, status="expired", priority=n % 100) for n in range(130)))
    desk.clock.now += HOUR
    desk.people.flush()
    opened, over = desk.heard.issues
    assert (len(opened.open), opened.more, opened.ended) == (MOST, 110, ())
    assert [entry.priority for entry in opened.open[:3]] == [99, 98, 97]
    assert (over.open, len(over.ended), over.faded) == ((), MOST, 110)
    assert (opened.title, over.title) == ("130 alerts with news", "130 over")


def test_a_digest_survives_a_kill_and_is_the_same_until_it_was_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digest="1h")
    desk.take(low("a"), low("b"))
    desk.clock.now += HOUR
    desk.heard.answers = [Answer("retry", "away", 5.0, 503)]
    assert desk.people.flush() == Delivered(0, problem="away", wait=5.0)
    after = desk.restarted()
    after.heard.answers = [Answer("config", "who are you", status=401)]
    assert after.take(low("c")) == Delivered(0, problem="who are you", misconfigured=True)
    last = after.restarted()
    assert last.take(low("c")) == Delivered(1)
    (issue,) = last.heard.issues
    assert ids(issue.open) == ["a", "b"]
    assert last.restarted().people.flush() is None
    last.clock.now += HOUR
    final = last.restarted()
    assert final.people.flush() == Delivered(0)
    assert [ids(issue.open) for issue in final.heard.issues] == [["c"]]


def test_a_kill_before_a_told_digest_is_forgotten_does_not_tell_it_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digest="1h")
    desk.take(low("a"))
    desk.clock.now += HOUR
    memory = Memory(tmp_path / "said.sqlite")
    desk.heard.answers = [Answer("retry", "away")]
    desk.people.flush()
    memory.put({"said:a": memory.get("issue")["said"]["a"]})  # told, noted, killed
    after = desk.restarted()
    assert after.people.flush() is None
    assert after.heard.issues == []


@pytest.mark.parametrize("digest", [None, "1d", "1m"])
def test_what_waits_is_told_though_the_digest_changes(tmp_path: Path, digest: str | None) -> None:
    desk = Desk(tmp_path, digest="1h")
    desk.take(low("a"))
    desk.clock.now += 24 * HOUR
    after = Desk(tmp_path, desk.clock, digest=digest)
    assert after.people.flush() == Delivered(0)
    assert [ids(issue.open) for issue in after.heard.issues] == [["a"]]


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"digest": "5s"}, "greater than or equal"), ({"link": "x"}, "a link is like")],
)
def test_settings_that_cannot_be(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        PeopleSettings.model_validate({"name": "soc", "kind": "slack"} | settings)


def test_what_was_over_long_ago_is_told_to_nobody_but_counted_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(
        alert("a", 1, expires_at=OLD),
        alert("b", 1, expires_at=OLD),
        alert("c", 1, expires_at="2025-12-31T13:30:00.250001Z"),
    )
    assert desk.heard.news == [("c", 1, "opened")]
    desk.clock.now += 59
    assert desk.people.flush() is None
    desk.take(alert("a", 2, expires_at=OLD, status="expired"), alert("d", 1, expires_at=OLD))
    desk.clock.now += 59  # one more has come: it may not be all yet
    assert desk.people.flush() is None
    desk.clock.now += 1
    assert desk.people.flush() == Delivered(0)
    (issue,) = desk.heard.issues
    assert (issue.title, issue.past) == ("3 alerts of the past", 3)
    assert desk.heard.news == [("c", 1, "opened")]
    again = desk.restarted()
    again.take(alert("b", 2, expires_at=OLD, status="expired"))
    again.clock.now += 3600
    assert again.people.flush() is None
    assert again.heard.news == []


def test_the_past_comes_alive_when_it_holds_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(alert("a", 1, expires_at=OLD))
    desk.take(alert("a", 2))
    assert desk.heard.news == [("a", 2, "opened")]
    desk.clock.now += 60
    assert desk.people.flush() is None  # nothing was passed over in the end


def test_what_never_held_is_not_counted(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(alert("a", 1, expires_at=OLD), alert("b", 1, expires_at=OLD))
    desk.take(alert("a", 2, "withdrawn", expires_at=OLD))
    desk.clock.now += 60
    assert desk.people.flush() == Delivered(0)
    assert [issue.past for issue in desk.heard.issues] == [1]


def test_what_people_know_of_is_told_to_its_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(alert("a", 1))
    desk.take(alert("a", 2, "final", status="expired", expires_at=OLD))
    assert desk.heard.news == [("a", 1, "opened"), ("a", 2, "ended")]


def test_how_much_past_is_told_can_be_set(tmp_path: Path) -> None:
    desk = Desk(tmp_path, past="2d")
    desk.take(alert("a", 1, expires_at=OLD))
    assert desk.heard.news == [("a", 1, "opened")]
    strict = Desk(tmp_path / "strict", past="0s")
    strict.take(alert("a", 1, expires_at="2026-01-01T13:30:00.250000Z"))
    assert strict.heard.news == []


def test_the_count_survives_a_kill_and_a_receiver_that_is_away(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(alert("a", 1, expires_at=OLD), alert("w", 1, "withdrawn", expires_at=OLD))
    again = desk.restarted()
    again.take(alert("b", 1, expires_at=OLD))
    again.clock.now += 60
    again.heard.answers = [Answer("retry", "away")]
    assert again.people.flush() == Delivered(0, problem="away")
    assert again.people.flush() == Delivered(0)
    assert [(issue.title, issue.past) for issue in again.heard.issues] == [
        ("2 alerts of the past", 2)
    ]
    assert "old logs" in again.heard.issues[0].note
    assert again.people.flush() is None
