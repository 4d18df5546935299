from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.config import AnySink
from schemas.errors import Mistake
from sinks.alertmanager import Alertmanager, Settings
from sinks.delivery.kinds import connect
from sinks.delivery.memory import Memory
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Wire
from tests.sinks.alerts import HOSTILE, alert
from tests.sinks.receiving import Receiver, Reply, Request
from tests.sinks.storms import Told, storm

ID = "ab" * 32
WORD = "hush"
NOW = 1_767_274_300.0  # 2026-01-01T13:31:40Z
# What an alert says besides its labels, whatever it has become.
SAID = {
    "summary": "A poisoned tool is at work in support-bot",
    "description": "An injection reached an agent that may send mail; three families agree.",
    "stage": "warning",
    "priority": "87",
    "confidence": "0.91",
    "thread": "6f99264f1fa5cb9e3a21f8d1adad1bf6",
    "action": "Take mcp-mail/send from the agent",
    "next": "AML.T0086 Exfiltration via AI Agent Tool Invocation",
}
LABELS = {
    "alertname": "tool_poisoning",
    "alert_id": ID,
    "system": "support-bot",
    "severity": "critical",
    "peak_stage": "warning",
}


class Clock:
    """Says what it is told."""

    now = NOW

    def __call__(self) -> float:
        return self.now


def manager(folder: Path, url: str, clock: Clock | None = None, **more: object) -> Alertmanager:
    settings = Settings.model_validate({"name": "am", "kind": "alertmanager", "url": url} | more)
    memory = Memory(folder / "sink-am.firing.sqlite")
    found = Alertmanager(settings, Wire(settings), memory, clock or Clock())
    found.open(None)
    return found


def payload(revision: int, status: str, ends: str, **labels: str) -> dict[str, Any]:
    """The whole of one alert as it is posted."""
    return {
        "labels": LABELS | labels,
        "annotations": SAID | {"status": status, "revision": str(revision)},
        "startsAt": "2026-01-01T12:00:00.000000Z",
        "endsAt": ends,
    }


def posted(receiver: Receiver) -> list[list[dict[str, Any]]]:
    return [orjson.loads(request.body) for request in receiver.got]


@contextmanager
def taking(answer: Reply | None = None) -> Generator[Receiver]:
    with Receiver(lambda _: answer or Reply(200)) as receiver:
        yield receiver


def test_an_alert_fires_and_ends(tmp_path: Path) -> None:
    with taking() as receiver:
        am = manager(tmp_path, receiver.url + "/prefix/", labels={"team": "ai"}, secret=WORD)
        assert am.write([alert(ID)]) == Delivered(1)
        assert am.write([alert(ID, 2, "final", status="resolved")]) == Delivered(1)
        assert am.write([alert(ID, 3, "withdrawn")]) == Delivered(1)
        am.close()
    sent = [alerts[0] for alerts in posted(receiver)]
    assert sent[0] == payload(1, "open", "2026-01-01T13:36:40.000000Z", team="ai")
    assert payload(2, "resolved", "2026-01-01T13:31:40.000000Z", team="ai") in sent
    assert sent[-1] == payload(3, "withdrawn", "2026-01-01T13:31:40.000000Z", team="ai")
    assert {request.path for request in receiver.got} == {"/prefix/api/v2/alerts"}
    assert receiver.got[0].headers["authorization"] == "Bearer hush"
    assert receiver.got[0].headers["content-type"] == "application/json"


def test_a_new_severity_ends_the_old_labels(tmp_path: Path) -> None:
    with taking() as receiver:
        am = manager(tmp_path, receiver.url, username="barograph", secret=WORD)
        am.write([alert(ID, severity="high")])
        am.write([alert(ID, 2, severity="critical")])
        am.close()
    old, new = posted(receiver)[-1]
    assert old == payload(1, "open", "2026-01-01T13:31:40.000000Z", severity="high")
    assert new == payload(2, "open", "2026-01-01T13:36:40.000000Z")
    assert receiver.got[0].headers["authorization"] == "Basic YmFyb2dyYXBoOmh1c2g="


def test_labels_hold_no_score_and_no_time(tmp_path: Path) -> None:
    with taking() as receiver:
        am = manager(tmp_path, receiver.url)
        moved: dict[str, Any] = {"priority": 12, "confidence": 0.123, "stage": "watch"}
        moved |= {"last_time": "2026-01-01T23:59:59.000000Z"}
        am.write([alert(ID), alert(ID, 2, **moved)])
        am.close()
    (first, second), *_ = posted(receiver)
    assert first["labels"] == second["labels"] == LABELS
    assert first["startsAt"] == second["startsAt"]
    assert (second["annotations"]["priority"], second["annotations"]["stage"]) == ("12", "watch")


def test_hostile_texts_stay_what_they_are(tmp_path: Path) -> None:
    with taking() as receiver:
        am = manager(tmp_path, receiver.url)
        am.write([alert(ID, system=HOSTILE, title=HOSTILE, summary="=" * 5000)])
        am.close()
    told = posted(receiver)[0][0]
    assert (told["labels"]["system"], told["annotations"]["summary"]) == (HOSTILE, HOSTILE)
    assert told["annotations"]["description"] == "=" * 3999 + "\u2026"


def test_what_fires_is_said_again_and_what_has_ended_for_five_minutes(tmp_path: Path) -> None:
    clock = Clock()
    with taking() as receiver:
        am = manager(tmp_path, receiver.url, clock, resend="1m")
        am.write([alert("a"), alert("b"), alert("b", 2, "final", status="expired")])
        receiver.got.clear()
        am.flush()
        assert receiver.got == []
        clock.now += 60
        am.flush()
        am.flush()
        ((first, second),) = posted(receiver)
        assert (first["labels"]["alert_id"], second["labels"]["alert_id"]) == ("a", "b")
        assert first["endsAt"] == "2026-01-01T13:37:40.000000Z"
        assert second["endsAt"] == "2026-01-01T13:31:40.000000Z"
        clock.now += 300
        am.flush()
        assert [one["labels"]["alert_id"] for one in posted(receiver)[-1]] == ["a"]
        am.close()
        receiver.got.clear()
        with closing(manager(tmp_path, receiver.url, clock)) as again:
            again.flush()
        assert [one["labels"]["alert_id"] for one in posted(receiver)[-1]] == ["a"]


def test_a_copy_changes_nothing(tmp_path: Path) -> None:
    with taking() as receiver:
        am = manager(tmp_path, receiver.url)
        batch = [alert(ID, severity="low"), alert(ID, 2), alert(ID, 3, "withdrawn")]
        am.write(batch)
        am.close()
        receiver.got.clear()
        with closing(manager(tmp_path, receiver.url)) as again:
            assert again.write(batch) == Delivered(3)
    (resent,) = posted(receiver)  # a start says all again that fires or has just ended
    assert [one["annotations"]["status"] for one in resent] == ["open", "withdrawn"]
    assert {one["endsAt"] for one in resent} == {"2026-01-01T13:31:40.000000Z"}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "ok"),
        (400, "refused"),
        (401, "misconfigured"),
        (403, "misconfigured"),
        (404, "misconfigured"),
        (422, "refused"),
        (429, "again"),
        (500, "again"),
        (503, "again"),
    ],
)
def test_every_answer_has_its_verdict(tmp_path: Path, status: int, verdict: str) -> None:
    with taking(Reply(status, b'"why"')) as receiver:
        am = manager(tmp_path, receiver.url, secret=WORD)
        delivered = am.write([alert("a"), alert("b")])
        am.close()
    found = (delivered.taken, len(delivered.refused), delivered.misconfigured)
    match verdict:
        case "ok":
            assert found == (2, 0, False)
        case "refused":
            assert found == (2, 2, False)
        case _:
            assert found == (0, 0, verdict == "misconfigured")
            assert delivered.problem is not None
            assert delivered.problem.endswith('"why"')
    assert "hush" not in repr(delivered)


def test_one_that_is_refused_does_not_hold_the_others(tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        bad = [one for one in orjson.loads(request.body) if one["labels"]["alert_id"] == "b"]
        return Reply(400, b'"no"') if bad else Reply(200)

    with Receiver(answer) as receiver:
        am = manager(tmp_path, receiver.url)
        delivered = am.write([alert(id_) for id_ in "abcd"])
        assert (delivered.taken, [one.result.id for one in delivered.refused]) == (4, ["b"])
        am.close()
        firing = Memory(tmp_path / "sink-am.firing.sqlite")
        assert set(firing.beginning("")) == {"a", "c", "d"}
        firing.close()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"labels": {"bad-name": "x"}}, "'bad-name' is no name of a label"),
        ({"labels": {"severity": "x"}}, "the label 'severity' is ours"),
        ({"resend": "0s"}, "wrong 'resend'"),
        ({"url": "am.example"}, "no usable url"),
    ],
)
def test_settings_that_cannot_be_are_a_mistake(
    tmp_path: Path, more: dict[str, object], why: str
) -> None:
    entry = {"name": "am", "kind": "alertmanager", "url": "https://am.example"} | more
    with pytest.raises(Mistake, match=why):
        connect(AnySink.model_validate(entry), tmp_path)


def told(receiver: Receiver) -> list[Told]:
    """All states that it took, in order."""
    return [
        Told(
            one["labels"]["alert_id"],
            int(one["annotations"]["revision"]),
            one["annotations"]["status"] != "open",
        )
        for alerts in posted(receiver)
        for one in alerts
    ]


def test_a_storm(tmp_path: Path) -> None:
    with taking() as receiver:
        entry = {"name": "am", "kind": "alertmanager", "url": receiver.url, "timeout": "2s"}
        storm(receiver, tmp_path, entry, lambda: told(receiver), alerts=150, every=1)
