"""Splunk: every code of HEC, with and without acknowledgement, against one that keeps its word."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import AnySink
from schemas.errors import Mistake
from schemas.rows import Result
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered, Sink
from sinks.delivery.wire import Wire
from sinks.splunk import Settings, Splunk
from tests.sinks.alerts import HOSTILE, LATER, NOON, alert, lives
from tests.sinks.hec import STATUSES, Collector, apart, code
from tests.sinks.receiving import Receiver, Reply
from tests.sinks.storms import storm

A, B, C, D = "a" * 64, "b" * 64, "c" * 64, "d" * 64
TOKEN = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - nobody's
CHANNEL = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def collector() -> Collector:
    return Collector(TOKEN, ack=False)


@pytest.fixture
def receiver(collector: Collector) -> Iterator[Receiver]:
    with Receiver(collector.answer) as receiver:
        yield receiver


def entry(receiver: Receiver, **more: object) -> dict[str, object]:
    told = {"name": "soc", "kind": "splunk", "url": receiver.url, "secret": TOKEN}
    return {**told, "host": "sensor-1", **more}


def sink(receiver: Receiver, **more: object) -> Sink:
    return connect(AnySink.model_validate(entry(receiver, **more)), Path())


def sent(target: Sink, *batch: Result) -> Delivered:
    delivered = target.write(batch)
    target.flush()
    return delivered


def fields(id_: str, **more: str) -> dict[str, str]:
    return {
        "alert_id": id_,
        "alert_revision": "1",
        "alert_status": "open",
        "alert_stage": "warning",
        "alert_severity": "critical",
        "alert_priority": "87",
        "alert_system": "support-bot",
        "alert_convergence": "tool_poisoning",
    } | more


def test_alerts_are_events_one_behind_the_other(receiver: Receiver, collector: Collector) -> None:
    batch = [
        alert(A),
        alert(A, 2, "final", status="resolved"),
        alert(B, 3, "withdrawn", last_time=NOON),
        alert(C, title=HOSTILE, system=HOSTILE),
    ]
    assert sent(sink(receiver, index="main"), *batch) == Delivered(4)
    (request,) = receiver.got
    assert (request.method, request.path) == ("POST", "/services/collector/event")
    assert request.headers["authorization"] == f"Splunk {TOKEN}"
    assert request.headers["content-encoding"] == "gzip"
    assert "x-splunk-request-channel" not in request.headers
    about = {
        "index": "main",
        "host": "sensor-1",
        "source": "barograph",
        "sourcetype": "barograph:alert",
    }
    assert [event for _, event in apart(request.body)] == [
        {"time": 1767274200.25, **about, "event": batch[0].body, "fields": fields(A)},
        {
            "time": 1767274200.25,
            **about,
            "event": batch[1].body,
            "fields": fields(A, alert_revision="2", alert_status="resolved"),
        },
        {
            "time": 1767268800,
            **about,
            "event": batch[2].body,
            "fields": fields(B, alert_revision="3", alert_status="withdrawn"),
        },
        {
            "time": 1767274200.25,
            **about,
            "event": batch[3].body,
            "fields": fields(C, alert_system=HOSTILE),
        },
    ]
    assert not set(fields(A)) & set(batch[0].body)
    assert collector.events == [event for _, event in apart(request.body)]


def test_without_index_and_host_it_is_the_tokens_and_this_machines(receiver: Receiver) -> None:
    assert sent(sink(receiver, host=None), alert(A)) == Delivered(1)
    ((_, event),) = apart(receiver.got[0].body)
    assert "index" not in event
    assert event["host"] == socket.gethostname()


VERDICTS = {
    "config": {1, 2, 3, 4, 7, 10, 11, 14, 16, 21, 22},
    "retry": {8, 9, 18, 19, 20, 23},
    "reject": {5, 6, 12, 13, 15},
}


def test_every_code_is_judged() -> None:
    assert set().union(*VERDICTS.values()) == set(STATUSES) - {0, 99}


@pytest.mark.parametrize("number", sorted(set(STATUSES) - {0, 99}))
def test_every_code_has_its_verdict(receiver: Receiver, collector: Collector, number: int) -> None:
    target = sink(receiver)
    collector.said = [code(number)]
    delivered = sent(target, alert(A))
    if number in VERDICTS["reject"]:
        ((result, why),) = delivered.refused
        assert (delivered.taken, delivered.problem, result.id) == (1, None, A)
        assert STATUSES[number][1] in why
        return
    assert (delivered.taken, delivered.refused) == (0, ())
    assert delivered.misconfigured == (number in VERDICTS["config"])
    assert STATUSES[number][1] in str(delivered.problem)
    assert delivered.misconfigured == ("; " in str(delivered.problem))  # the mend
    assert sent(target, alert(A)) == Delivered(1)


@pytest.mark.parametrize(
    ("reply", "config", "wait", "reason"),
    [
        (Reply(429, b"", {"retry-after": "7"}), False, 7.0, "429"),
        (Reply(503, b'{"text":"Server is busy","code":9}', {"retry-after": "3"}), False, 3.0, "9"),
        (Reply(502, b"<html>bad gateway"), False, 0.0, "bad gateway"),
        (Reply(200, b'{"text":"Server is busy","code":9}'), False, 0.0, "Server is busy"),
        (Reply(200, b'{"text":"Invalid token","code":4}'), True, 0.0, "give a token of this"),
        (Reply(200, b'{"text":"new","code":99}'), False, 0.0, "new"),
        (Reply(200, b"<html>log in"), True, 0.0, "that is not how HEC answers: give its url"),
        (Reply(200, b""), True, 0.0, "that is not how HEC answers: give its url"),
        (Reply(200, b'{"code":[0]}'), True, 0.0, "that is not how HEC answers: give its url"),
        (Reply(404, b'{"text":"not found","code":404}'), True, 0.0, "not found"),
        (Reply(400, b'{"text":"new","code":99}'), True, 0.0, "new"),
        (Reply(400, b'{"error":"no handler"}'), True, 0.0, "that is not how HEC answers"),
        (Reply(422, b"<html>a proxy"), True, 0.0, "that is not how HEC answers"),
        (Reply(301, b"", {"location": "http://elsewhere.example/"}), True, 0.0, "301"),
    ],
)
def test_an_answer_without_a_code_of_hec_has_its_verdict(
    receiver: Receiver,
    collector: Collector,
    *,
    reply: Reply,
    config: bool,
    wait: float,
    reason: str,
) -> None:
    target = sink(receiver)
    collector.said = [reply]
    delivered = sent(target, alert(A))
    assert (delivered.taken, delivered.refused, delivered.wait) == (0, (), wait)
    assert delivered.misconfigured == config
    assert reason in str(delivered.problem)


@pytest.mark.parametrize("number", [6, 12, 13, 15, 99])
def test_one_bad_event_is_found_by_its_number(
    receiver: Receiver, collector: Collector, number: int
) -> None:
    collector.odd = {C: number}
    delivered = sent(sink(receiver), alert(A), alert(B), alert(C), alert(D))
    ((result, why),) = delivered.refused
    assert (delivered.taken, delivered.problem, result.id) == (4, None, C)
    assert STATUSES[number][1] in why
    assert [one.id for one in collector.told] == [A, B, D]
    assert len(receiver.got) == 4


def test_a_bad_event_without_a_number_is_found_by_halving(
    receiver: Receiver, collector: Collector
) -> None:
    collector.said = [code(6), code(6, 99)]
    collector.odd = {B: 6}
    delivered = sent(sink(receiver), alert(A), alert(B), alert(C), alert(D))
    assert [one.result.id for one in delivered.refused] == [B]
    assert [one.id for one in collector.told] == [A, C, D]


def test_a_wrong_index_keeps_all_alerts(receiver: Receiver, collector: Collector) -> None:
    delivered = sent(sink(receiver, index="soc"), alert(A), alert(B))
    assert (delivered.taken, delivered.refused, delivered.misconfigured) == (0, (), True)
    assert "give an index that exists and that the token may write to" in str(delivered.problem)
    assert collector.told == []


def test_a_wrong_token_is_not_told_to_anybody(receiver: Receiver, collector: Collector) -> None:
    delivered = sent(sink(receiver, secret="not-the-token"), alert(A))  # noqa: S106 - nobody's
    assert (delivered.taken, delivered.misconfigured) == (0, True)
    assert "not-the-token" not in str(delivered.problem)
    collector.said = [Reply(403, f"who sent {TOKEN}?".encode())]
    delivered = sent(sink(receiver), alert(A))
    assert str(delivered.problem).endswith("who sent [secret]?")


def test_requests_are_bounded_by_count_and_bytes(receiver: Receiver) -> None:
    assert sent(sink(receiver, batch=7), *lives(20, 1)) == Delivered(20)
    assert [len(list(apart(one.body))) for one in receiver.got] == [7, 7, 6]
    assert sent(sink(receiver, batch_bytes=65_536), *lives(40, 1)) == Delivered(40)
    sizes = [len(one.body) for one in receiver.got[3:]]
    assert len(sizes) > 1
    assert max(sizes) <= 65_536


def test_an_alert_that_is_too_large_is_shortened_and_says_so(receiver: Receiver) -> None:
    timeline = [{"time": LATER, "text": f"{number} {'x' * 7000}"} for number in range(12)]
    path = alert(A).body["path"] * 800
    target = sink(receiver, batch_bytes=65_536)
    assert sent(target, alert(A, timeline=timeline, path=path)) == Delivered(1)
    ((_, event),) = apart(receiver.got[0].body)
    assert event["event"]["shortened"] == ["timeline", "path"]
    assert event["event"]["timeline"] == timeline[-1:]
    assert event["event"]["path"] == []
    assert event["event"]["why"] == alert(A).body["why"]
    delivered = sent(target, alert(B, system="y" * 70_000), alert(C))
    ((result, why),) = delivered.refused
    assert (delivered.taken, result.id, why) == (2, B, "it has more than 65536 bytes")


def test_too_much_at_once_is_halved(receiver: Receiver, collector: Collector) -> None:
    collector.said = [Reply(413)]
    assert sent(sink(receiver), *lives(4, 1)) == Delivered(4)
    assert [len(list(apart(one.body))) for one in receiver.got] == [4, 2, 2]


class Patience:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def acking() -> Collector:
    return Collector(TOKEN, ack=True)


def waiting(receiver: Receiver, patience: Patience, **more: object) -> Splunk:
    settings = Settings.model_validate(entry(receiver, ack=True, **more))
    wire, pause = Wire(settings), patience.pause
    return Splunk(settings, wire, TOKEN, CHANNEL, clock=lambda: patience.now, pause=pause)


def test_an_alert_is_delivered_when_it_is_indexed(acking: Collector) -> None:
    acking.late, patience = 3, Patience()
    with Receiver(acking.answer) as receiver:
        assert sent(waiting(receiver, patience), alert(A), alert(B)) == Delivered(2)
    assert [one.path for one in receiver.got] == [
        "/services/collector/event",
        *[f"/services/collector/ack?channel={CHANNEL}"] * 4,
    ]
    assert {one.headers["x-splunk-request-channel"] for one in receiver.got} == {CHANNEL}
    assert acking.asked == [0, 0, 0, 0]
    assert patience.waits == [0.05, 0.1, 0.2]


def test_what_is_never_acknowledged_is_sent_again(acking: Collector) -> None:
    acking.forgets, patience = {1}, Patience()
    with Receiver(acking.answer) as receiver:
        target = waiting(receiver, patience, batch=2, ack_timeout="7s")
        delivered = sent(target, alert(A), alert(B), alert(C), alert(D))
        assert (delivered.taken, delivered.misconfigured) == (2, False)
        assert str(delivered.problem).endswith(
            "did not acknowledge it within 7 s; it is sent again"
        )
        assert sum(patience.waits) - 0.05 == pytest.approx(7.0)
        assert sent(target, alert(C), alert(D)) == Delivered(2)
    assert [one.id for one in acking.told] == [A, B, C, D]


def test_a_splunk_that_restarts_is_sent_it_again(acking: Collector) -> None:
    patience = Patience()
    with Receiver(acking.answer) as receiver:
        target = waiting(receiver, patience)
        receiver.taken = lambda number: acking.restart() if number == 1 else None
        assert sent(target, alert(A)).taken == 0
        assert sent(target, alert(A)) == Delivered(1)
    assert [(one.id, one.revision) for one in acking.told] == [(A, 1), (A, 1)]


@pytest.mark.parametrize("reply", [code(9), code(8), Reply(502), Reply(429), Reply(200, b"{}x")])
def test_a_question_that_fails_is_asked_again(acking: Collector, reply: Reply) -> None:
    with Receiver(acking.answer) as receiver:
        receiver.taken = lambda number: acking.said.append(reply) if number == 1 else None
        delivered = sent(waiting(receiver, Patience()), alert(A))
    assert (delivered == Delivered(1)) == (reply.status != 200)
    assert len(acking.told) == 1


@pytest.mark.parametrize(("number", "config"), [(1, True), (4, True), (14, True), (11, False)])
def test_a_question_that_is_refused_ends_the_asking(
    acking: Collector, *, number: int, config: bool
) -> None:
    with Receiver(acking.answer) as receiver:
        receiver.taken = lambda count: acking.said.append(code(number)) if count == 1 else None
        delivered = sent(waiting(receiver, Patience()), alert(A))
        assert (delivered.taken, delivered.misconfigured) == (0, config)
        assert len(receiver.got) == 2


def test_a_token_and_a_sink_agree_on_acknowledgement(receiver: Receiver, acking: Collector) -> None:
    delivered = sent(sink(receiver, ack=True), alert(A))
    assert "its token has no indexer acknowledgement: set ack = false" in str(delivered.problem)
    assert delivered.misconfigured
    with Receiver(acking.answer) as other:
        delivered = sent(sink(other), alert(A))
    assert "its token wants indexer acknowledgement: set ack = true" in str(delivered.problem)
    assert delivered.misconfigured


def test_a_sink_without_token_is_a_mistake() -> None:
    told = {"name": "soc", "kind": "splunk", "url": "https://splunk.example:8088"}
    with pytest.raises(Mistake, match="sink 'soc' needs the token of its HEC as secret"):
        connect(AnySink.model_validate(told), Path())


@pytest.mark.parametrize("more", [{"ack_timeout": "1h"}, {"batch": 0}, {"batch_bytes": 10}])
def test_settings_that_cannot_be_are_a_mistake(more: dict[str, Any]) -> None:
    told = {"name": "soc", "kind": "splunk", "url": "https://splunk.example:8088", "secret": "x"}
    with pytest.raises(Mistake, match=f"sink 'soc' has a wrong '{next(iter(more))}'"):
        connect(AnySink.model_validate(told | more), Path())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1, 30) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "ackId", "acks", "invalid-event-number"]), inner)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=20) | JSON.map(orjson.dumps), st.sampled_from([200, 401, 429, 500]))
def test_nothing_that_is_answered_breaks_it_or_counts_as_taken(said: bytes, status: int) -> None:
    with Receiver(lambda _: Reply(status, said)) as receiver:
        delivered = sent(waiting(receiver, Patience()), alert(A), alert(B))
    refused = [one.result.id for one in delivered.refused]
    assert (delivered.taken, refused) in ((0, []), (2, [A, B]))
    assert delivered.problem or refused


@pytest.mark.parametrize("ack", [False, True], ids=["no ack", "ack"])
def test_a_storm(tmp_path: Path, *, ack: bool) -> None:
    collector = Collector(TOKEN, ack=ack)
    collector.forgets = {2, 5} if ack else set()
    with Receiver(collector.answer) as receiver:
        settings = entry(receiver, timeout="2s", ack=ack, ack_timeout="1s", batch=10)
        figures = storm(receiver, tmp_path, settings, lambda: collector.told, every=4)
    assert figures.kills > 0
