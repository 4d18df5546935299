"""An HTTP Event Collector that keeps the documented contract: codes, channels, acknowledgements."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson

from tests.sinks.receiving import Reply, Request
from tests.sinks.storms import Told

STATUSES: Final = {
    0: (200, "Success"),
    1: (403, "Token disabled"),
    2: (401, "Token is required"),
    3: (401, "Invalid authorization"),
    4: (403, "Invalid token"),
    5: (400, "No data"),
    6: (400, "Invalid data format"),
    7: (400, "Incorrect index"),
    8: (500, "Internal server error"),
    9: (503, "Server is busy"),
    10: (400, "Data channel is missing"),
    11: (400, "Invalid data channel"),
    12: (400, "Event field is required"),
    13: (400, "Event field cannot be blank"),
    14: (400, "ACK is disabled"),
    15: (400, "Error in handling indexed fields"),
    16: (400, "Query string authorization is not enabled"),
    18: (503, "HEC is unhealthy, queues are full"),
    19: (503, "HEC is unhealthy, ack service unavailable"),
    20: (503, "HEC is unhealthy, queues are full, ack service unavailable"),
    21: (400, "Invalid token"),
    22: (400, "Token disabled"),
    23: (503, "Server is shutting down"),
    99: (400, "A code of a later Splunk"),
}
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME: Final = re.compile(rb'^\{"time":\d+(\.\d+)?,')
KNOWN: Final = frozenset(
    ("time", "host", "source", "sourcetype", "index", "event", "fields")  # anything else is code 6
)


class Collector:
    """One token, `indexes` it may write to, with `ack` or without.

    `odd`: ids of alerts whose event is answered with a code. `said`: what it says to the next
    requests. An acknowledgement comes with the question after `late` ones; `forgets`: numbers of
    requests of which neither the events nor the acknowledgement are ever seen again.
    """

    def __init__(self, token: str, indexes: tuple[str, ...] = ("main",), *, ack: bool) -> None:
        self._token, self._indexes, self._ack = token, indexes, ack
        self.late = 1
        self.forgets: set[int] = set()
        self.odd: dict[str, int] = {}
        self.said: list[Reply] = []
        self.events: list[dict[str, Any]] = []
        self.told: list[Told] = []
        self.asked: list[int] = []
        self._channels: dict[str, dict[int, int]] = {}
        self._requests = 0

    def answer(self, request: Request) -> Reply:
        """What HEC answers."""
        word, _, token = request.headers.get("authorization", "").partition(" ")
        if word != "Splunk" or token != self._token:
            return code(4 if word == "Splunk" else 3)
        if self.said:
            return self.said.pop(0)
        url = urlsplit(request.path)
        channel = request.headers.get("x-splunk-request-channel", "")
        if url.path == "/services/collector/event" and request.method == "POST":
            return self._events(request.body, channel)
        if url.path == "/services/collector/ack" and request.method == "POST":
            return self._acks(orjson.loads(request.body)["acks"], parse_qs(url.query), channel)
        return Reply(404, b'{"text":"The requested URL was not found on this server.","code":404}')

    def restart(self) -> None:
        """Forget all channels, as a Splunk that comes up again."""
        self._channels.clear()

    def _events(self, body: bytes, channel: str) -> Reply:
        if self._ack and not channel:
            return code(10)
        if self._ack and not _GUID.fullmatch(channel):
            return code(11)
        events = list(apart(body))
        if not events:
            return code(5)
        for number, (raw, event) in enumerate(events):
            if wrong := self._wrong(raw, event):
                # Of an index its number is one too high, as in Splunk 10.
                return code(wrong, number + (wrong == 7))
        return self._keep([event for _, event in events], channel)

    def _keep(self, events: list[dict[str, Any]], channel: str) -> Reply:
        number, self._requests = self._requests, self._requests + 1
        if number not in self.forgets:
            self.events.extend(events)
            self.told.extend(map(state, events))
            if self._ack:
                self._channels.setdefault(channel, {})[number] = self.late
        if not self._ack:
            return code(0)
        return Reply(200, orjson.dumps({"text": "Success", "code": 0, "ackId": number}))

    def _wrong(self, raw: bytes, event: dict[str, Any]) -> int:
        """The code for what is wrong with an event; 0 if nothing is."""
        flat = event.get("fields", {}).values()
        found = {
            12: "event" not in event,
            13: event.get("event") == "",
            6: not set(event) <= KNOWN,
            7: event.get("index", "main") not in self._indexes,
            15: not _TIME.match(raw) or not all(isinstance(value, str) for value in flat),
        }
        odd = self.odd.get(event.get("event", {}).get("id", ""), 0)
        return next((number for number, holds in found.items() if holds), odd)

    def _acks(self, asked: list[int], query: dict[str, list[str]], channel: str) -> Reply:
        if not self._ack:
            return code(14)
        if query.get("channel") != [channel] or not channel:
            return code(10)
        known = self._channels.get(channel, {})
        self.asked.extend(asked)
        done = {}
        for number in asked:
            left = known.get(number)
            done[str(number)] = left == 0
            if left:
                known[number] = left - 1
            elif left == 0:
                del known[number]  # said once, never again
        return Reply(200, orjson.dumps({"acks": done}))


def apart(body: bytes) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """The objects of a body, one behind the other, with nothing between them."""
    decoder, text, start = json.JSONDecoder(), body.decode(), 0
    while start < len(text):
        event, end = decoder.raw_decode(text, start)
        yield text[start:end].encode(), event
        start = end


def code(number: int, event: int | None = None) -> Reply:
    """The answer with this code."""
    status, text = STATUSES[number]
    said: dict[str, Any] = {"text": text, "code": number}
    if event is not None:
        said["invalid-event-number"] = event
    return Reply(status, orjson.dumps(said))


def state(event: dict[str, Any]) -> Told:
    """The state of an alert that an event shows."""
    fields = event["fields"]
    closed = fields["alert_status"] != "open"
    return Told(fields["alert_id"], int(fields["alert_revision"]), closed)
