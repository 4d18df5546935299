"""PagerDuty against a strict double of Events API v2: one incident per thread, closed when over."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.config import AnySink
from schemas.errors import Mistake
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered, Sink
from tests.sinks.alerts import HOSTILE, alert
from tests.sinks.made import Sinks, verdict
from tests.sinks.receiving import Receiver, Reply, Request
from tests.sinks.storms import news_storm

KEY = "0123456789abcdef0123456789EXAMPL"
ID, OTHER = "a" * 32, "b" * 32
TOP = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links"}
PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class"}


class Service:
    """Takes what the documentation says, and nothing else; an incident per key."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.incidents: dict[str, str] = {}  # by dedup_key: how it stands
        self.opened = 0

    def answer(self, request: Request) -> Reply:
        if len(request.body) > 512 * 1024:
            return Reply(413)
        event = orjson.loads(request.body)
        errors = list(wrong(event))
        if errors:
            said = {"status": "invalid event", "message": "Event object is invalid"}
            return Reply(400, orjson.dumps(said | {"errors": errors}))
        self.events.append(event)
        key = event["dedup_key"]
        if event["event_action"] == "resolve":
            if key in self.incidents:  # else PagerDuty takes it and does nothing
                self.incidents[key] = "resolved"
        else:
            self.opened += self.incidents.get(key) != "triggered"
            self.incidents[key] = "triggered"
        return Reply(202, orjson.dumps({"status": "success", "dedup_key": key}))


def wrong(event: dict[str, Any]) -> Iterator[str]:
    """What PagerDuty would say against it."""
    if len(event["routing_key"]) != 32:
        yield "Length of 'routing_key' is incorrect (should be 32 characters)"
    if not 0 < len(event["dedup_key"]) <= 255:
        yield "Length of 'dedup_key' is incorrect"
    if set(event) - TOP:
        yield "unknown field"
    if event["event_action"] == "resolve":
        return
    if event["event_action"] != "trigger":
        yield "'event_action' is invalid"
    if any(set(link) != {"href", "text"} for link in event.get("links", ())):
        yield "'links' is invalid"
    yield from unpayable(event["payload"])


def unpayable(payload: dict[str, Any]) -> Iterator[str]:
    if set(payload) - PAYLOAD - {"custom_details"} or not payload["source"]:
        yield "'payload' is invalid"
    if not 0 < len(payload["summary"]) <= 1024:
        yield "Length of 'payload.summary' is incorrect"
    if payload["severity"] not in ("critical", "error", "warning", "info"):
        yield "'payload.severity' is invalid"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", payload["timestamp"]):
        yield "'payload.timestamp' is invalid"


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def receiver(service: Service) -> Iterator[Receiver]:
    with Receiver(service.answer) as receiver:
        yield receiver


def entry(receiver: Receiver, **more: object) -> dict[str, Any]:
    told = {"name": "pager", "kind": "pagerduty", "secret": KEY, "timeout": "2s"}
    return told | {"url": f"{receiver.url}/v2/enqueue"} | more


@pytest.fixture
def pager(receiver: Receiver, sinks: Sinks) -> Sink:
    return sinks.made(entry(receiver))


def test_an_alert_as_it_arrives(receiver: Receiver, service: Service, sinks: Sinks) -> None:
    pager = sinks.made(entry(receiver, link="https://boards.example/d/a?id={id}"))
    assert pager.write([alert(ID, thread="7be7")]) == Delivered(1)
    link = f"https://boards.example/d/a?id={ID}"
    assert service.events == [
        {
            "routing_key": KEY,
            "event_action": "trigger",
            "dedup_key": "7be7",
            "client": "Barograph",
            "client_url": link,
            "links": [{"href": link, "text": "The alert"}],
            "payload": {
                "summary": "WARNING 87 · support-bot: A poisoned tool is at work in support-bot",
                "source": "support-bot",
                "severity": "critical",
                "timestamp": "2026-01-01T13:30:00.250000Z",
                "component": "support-bot",
                "group": "tool_poisoning",
                "class": "warning",
                "custom_details": {
                    "change": "new: warning, priority 87",
                    "summary": "An injection reached an agent that may send mail; three families"
                    " agree.",
                    "why": [
                        (
                            "+2,400 points family:runtime · record"
                            " eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
                        )
                    ],
                    "next": [
                        (
                            "62 % within 24h: Exfiltration via AI Agent Tool Invocation"
                            " (AML.T0086); stopped by: Take mcp-mail/send from the agent"
                        )
                    ],
                    "actions": ["1. Take mcp-mail/send from the agent (AML.M0026): -2400 points"],
                    "times": "began 2026-01-01 12:00, last seen 2026-01-01 13:30,"
                    " expires 2026-01-02 13:30 UTC",
                    "look further": [
                        f"barograph explain {ID}",
                        f"barograph query --name ledger --param alert={ID}",
                        f"barograph verify {ID}",
                    ],
                    "priority": 87,
                    "confidence": 0.91,
                    "id": ID,
                    "revision": 1,
                },
            },
        }
    ]


@pytest.mark.parametrize("end", [{"status": "expired"}, {"state": "withdrawn"}])
def test_what_is_over_is_resolved(pager: Sink, service: Service, end: dict[str, Any]) -> None:
    pager.write([alert(ID, thread="7be7")])
    pager.write([alert(ID, 2, thread="7be7", priority=86)])
    pager.write([alert(ID, 3, thread="7be7", **end)])
    assert service.events[1:] == [
        {"routing_key": KEY, "event_action": "resolve", "dedup_key": "7be7"}
    ]
    assert service.incidents == {"7be7": "resolved"}


def test_only_what_is_worse_is_an_event(pager: Sink, service: Service) -> None:
    for revision, (stage, priority) in enumerate(
        [("watch", 40), ("watch", 41), ("warning", 41), ("watch", 41), ("watch", 80)], start=1
    ):
        pager.write([alert(ID, revision, stage=stage, priority=priority)])
    assert [event["payload"]["custom_details"]["change"] for event in service.events] == [
        "new: watch, priority 40",
        "now warning, was watch, priority 41",
        "priority now 80, 75 and more",
    ]


def test_an_incident_stays_open_while_another_episode_of_its_thread_is(
    pager: Sink, service: Service
) -> None:
    pager.write([alert(ID, thread="t"), alert(OTHER, thread="t")])
    pager.write([alert(ID, 2, thread="t", status="superseded")])
    assert service.incidents == {"t": "triggered"}
    pager.write([alert(OTHER, 2, thread="t", status="expired")])
    assert service.incidents == {"t": "resolved"}
    pager.write([alert("c" * 32, thread="t")])
    assert (service.incidents, service.opened) == ({"t": "triggered"}, 2)


def test_unless_told_otherwise_only_warnings_wake(pager: Sink, service: Service) -> None:
    pager.write([alert(ID, stage="watch", peak_stage="watch")])
    pager.write([alert(OTHER, stage="watch", peak_stage="warning")])
    assert [event["payload"]["class"] for event in service.events] == ["watch"]


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        ("critical", "critical"),
        ("high", "error"),
        ("medium", "warning"),
        ("low", "info"),
        ("informational", "info"),
    ],
)
def test_severities(pager: Sink, service: Service, level: str, severity: str) -> None:
    pager.write([alert(ID, severity=level)])
    assert service.events[0]["payload"]["severity"] == severity


def test_hostile_texts_stay_in_their_limits(
    pager: Sink, service: Service, receiver: Receiver
) -> None:
    long = HOSTILE * 4000
    why = [{"term": long, "value": 1, "weight": 1, "points": 1, "evidence": []}] * 500
    hostile = alert(ID, title=long, summary=long, system=long, convergence=long, why=why)
    assert pager.write([hostile]) == Delivered(1)
    assert len(receiver.got[0].body) < 16 * 1024
    summary = service.events[0]["payload"]["summary"]
    system, _, title = summary.removeprefix("WARNING 87 · ").partition(": ")
    seen = '<b>"O\'Brien"|=]\\   \\x00\\x1b[31m %s {{7*7}} ${x} \\u202e\u00fc\U0001f480'
    assert system == f"{seen}<b…"
    assert title == f"{seen}<b>\"O'B…"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(202), "ok"),
        (Reply(200, b"a proxy's page"), "config"),
        (Reply(400, b'{"status":"invalid event","errors":["x"]}'), "reject"),
        (Reply(400, b'{"errors":["Length of \'routing_key\' is incorrect"]}'), "config"),
        (Reply(400, b'{"errors":["Invalid routing_key: %s"]}' % KEY.encode()), "config"),
        (Reply(401), "config"),
        (Reply(403), "config"),
        (Reply(404), "config"),
        (Reply(408), "retry"),
        (Reply(413), "reject"),
        (Reply(429, b"", {"retry-after": "60"}), "retry"),
        (Reply(500), "retry"),
        (Reply(502), "retry"),
        (Reply(503), "retry"),
        (Reply(504), "retry"),
    ],
)
def test_an_answer(sinks: Sinks, reply: Reply, expected: str) -> None:
    with Receiver(lambda _: reply) as receiver:
        delivered = sinks.made(entry(receiver)).write([alert(ID)])
    assert verdict(delivered) == expected
    assert delivered.wait == (60.0 if reply.status == 429 else 0.0)
    assert KEY not in f"{delivered.problem}{[one.reason for one in delivered.refused]}"


@pytest.mark.parametrize("secret", [None, "short", "x" * 33, "x" * 31 + "\n"])
def test_a_key_that_cannot_be_one(secret: str | None, tmp_path: Path) -> None:
    told = {"name": "pager", "kind": "pagerduty", "secret": secret}
    with pytest.raises(Mistake, match="needs the integration key of a service") as caught:
        connect(AnySink.model_validate(told), tmp_path)
    assert secret is None or secret not in str(caught.value)


def test_a_storm(receiver: Receiver, service: Service, tmp_path: Path) -> None:
    results = news_storm(receiver, tmp_path, entry(receiver))
    over = {n for n in range(20) if n % 5 == 0 or n % 3 == 0}
    threads = [one.body["thread"] for one in results[:20]]
    assert service.incidents == {
        thread: "resolved" if number in over else "triggered"
        for number, thread in enumerate(threads)
    }
    assert service.opened == 20
