"""Splunk: alerts to the HTTP Event Collector (HEC), with or without indexer acknowledgement.

Guarantee: each revision of an alert is indexed at least once, with `ack` also if an indexer dies
behind the collector; the id of the alert and its revision tell a copy, so a search over the newest
revision has effectively once.
"""

from __future__ import annotations

import gzip
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import Field

from schemas.errors import Mistake
from schemas.rows import Result
from schemas.times import SECOND, Duration, parse
from sinks.delivery.sending import in_chunks
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer, HttpSettings, Verdict, Wire
from sinks.formats.shortening import shortened

_EVENTS: Final = "/services/collector/event"
_ACKS: Final = "/services/collector/ack"
_PAUSE, _LONGEST = 0.05, 2.0  # seconds between two questions for an acknowledgement
_NOT_HEC: Final = "; that is not how HEC answers: give its url, like https://splunk.example:8088"

# `code` of an answer: what it means, and the mend where a person has to do something
_CODES: Final[dict[int, tuple[Verdict, str]]] = {
    1: ("config", "enable the token"),
    2: ("config", "give the token as secret"),
    3: ("config", "give the token as secret, and nothing else"),
    4: ("config", "give a token of this Splunk as secret"),
    5: ("reject", ""),  # no data
    6: ("reject", ""),  # invalid data format
    7: ("config", "give an index that exists and that the token may write to"),
    8: ("retry", ""),  # internal server error
    9: ("retry", ""),  # server is busy
    10: ("config", "its token wants indexer acknowledgement: set ack = true"),
    11: ("config", "its token does not take our channel"),
    12: ("reject", ""),  # event field is required
    13: ("reject", ""),  # event field cannot be blank
    14: ("config", "its token has no indexer acknowledgement: set ack = false"),
    15: ("reject", ""),  # error in handling indexed fields
    16: ("config", "it wants the token in the url, and we do not put it there"),
    18: ("retry", ""),  # queues are full
    19: ("retry", ""),  # acknowledgement is not available
    20: ("retry", ""),  # both
    21: ("config", "give a token of this Splunk as secret"),
    22: ("config", "enable the token"),
    23: ("retry", ""),  # server is shutting down
}
_CHANNEL: Final = (10, 11)  # Splunk does not know our channel any more


class Settings(HttpSettings):
    """`url` is that of HEC, `secret` its token.

    `index`, `source`, `sourcetype` and `host` are those of the events; without `index` it is the
    token's, without `host` this machine. `ack`: an alert is delivered when it is indexed, which the
    token must have switched on; what is not acknowledged within `ack_timeout` is sent again. A
    request has at most `batch` alerts and `batch_bytes` before it is compressed.
    """

    index: str | None = None
    source: str = "barograph"
    sourcetype: str = "barograph:alert"
    host: str | None = None
    ack: bool = False
    ack_timeout: Duration = Field(default=30 * SECOND, gt=0, le=120 * SECOND)
    batch: int = Field(default=1000, gt=0, le=10_000)
    batch_bytes: int = Field(default=2**20, ge=65_536, le=100 * 2**20)


def connect(settings: Settings, folder: Path) -> Splunk:  # noqa: ARG001 - a sink without files
    """The collector of these settings."""
    if settings.secret is None:
        raise Mistake(f"sink {settings.name!r} needs the token of its HEC as secret")
    return Splunk(settings, Wire(settings), settings.secret.get_secret_value(), str(uuid.uuid4()))


class Splunk:
    """One collector; `channel` is a GUID for the acknowledgements of this process."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(
        self,
        settings: Settings,
        wire: Wire,
        token: str,
        channel: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._wire, self._channel = settings, wire, channel
        self._clock, self._pause = clock, pause
        self._above = wire.target.partition("?")[0].rstrip("/").removesuffix(_EVENTS)
        self._headers = {"authorization": f"Splunk {token}", "content-type": "application/json"}
        if settings.ack:
            self._headers["x-splunk-request-channel"] = channel
        about = {"index": settings.index, "host": settings.host or socket.gethostname()}
        about |= {"source": settings.source, "sourcetype": settings.sourcetype}
        self._about = {name: value for name, value in about.items() if value is not None}

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing to restore: what was not acknowledged comes again."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Send the batch in a few requests, each indexed before the next one if `ack` says so."""
        most, most_bytes = self._settings.batch, self._settings.batch_bytes
        return in_chunks(batch, self._event, self._send, most=most, most_bytes=most_bytes)

    def flush(self) -> None:
        """Nothing waits: hang up."""
        self._wire.close()

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def _event(self, result: Result) -> bytes:
        """One event. Its time is a plain decimal number: HEC refuses an exponent."""
        body = result.body
        seconds = Decimal(parse(body["last_time"])) / SECOND
        about = orjson.dumps({**self._about, "fields": _fields(body)})
        head = b'{"time":%s,%s,"event":' % (f"{seconds:f}".encode(), about[1:-1])

        def told(result: Result, cut: tuple[str, ...]) -> bytes:
            more = {"shortened": list(cut)} if cut else {}
            return orjson.dumps({**result.body, **more})

        return head + shortened(result, told, self._settings.batch_bytes - len(head) - 1) + b"}"

    def _send(self, events: Sequence[bytes]) -> Answer:
        answer = self._wire.send(
            gzip.compress(b"".join(events), 5, mtime=0),
            {**self._headers, "content-encoding": "gzip"},
            target=self._above + _EVENTS,
        )
        answer = _judged(answer)
        if answer.verdict != "ok" or not self._settings.ack:
            return answer
        number = answer.told().get("ackId")
        if not isinstance(number, int):
            verdict, mend = _CODES[14]
            return answer._replace(verdict=verdict, reason=f"{answer.reason}; {mend}")
        return self._indexed(number)

    def _indexed(self, number: int) -> Answer:
        """Ask until the request of this number is indexed, or the time for it is over."""
        place, patience = self._wire.place, self._settings.ack_timeout / SECOND
        question = orjson.dumps({"acks": [number]})
        target = f"{self._above}{_ACKS}?channel={self._channel}"
        end, wait = self._clock() + patience, _PAUSE
        while True:
            answer = self._wire.send(question, self._headers, target=target)
            said = answer.told()
            acks: Any = said.get("acks")
            if isinstance(acks, dict):  # false: not yet, or Splunk has forgotten it
                if (str(number), True) in acks.items():
                    return Answer("ok")
            elif said.get("code") in _CHANNEL:
                return answer._replace(verdict="retry")
            elif (judged := _judged(answer)).verdict == "config":
                return judged
            left = end - self._clock()
            if left <= 0:
                why = f"{place} did not acknowledge it within {patience:g} s; it is sent again"
                return Answer("retry", why)
            self._pause(min(wait, left))
            wait = min(2 * wait, _LONGEST)


def _fields(body: dict[str, Any]) -> dict[str, str]:
    """What is indexed beside the event, for tstats; named unlike what is in it."""
    meta = body["meta"]
    withdrawn = meta["state"] == "withdrawn"
    return {
        "alert_id": body["id"],
        "alert_revision": str(meta["revision"]),
        "alert_status": "withdrawn" if withdrawn else body["status"],
        "alert_stage": body["stage"],
        "alert_severity": body["severity"],
        "alert_priority": str(body["priority"]),
        "alert_system": body["system"],
        "alert_convergence": body["convergence"],
    }


def _judged(answer: Answer) -> Answer:
    """The answer in the light of HEC's own code; only with one is it a success or a refusal."""
    said = answer.told()
    code, at = said.get("code"), said.get("invalid-event-number")
    if not isinstance(code, int):
        if answer.verdict in ("ok", "reject"):
            return answer._replace(verdict="config", reason=answer.reason + _NOT_HEC)
        return answer
    if answer.verdict == "ok" and code == 0:
        return answer
    at = at if isinstance(at, int) else None
    verdict, mend = _CODES.get(code, (_unheard_of(answer.verdict, at), ""))
    reason = f"{answer.reason}; {mend}" if mend else answer.reason
    return answer._replace(verdict=verdict, reason=reason, at=at)


def _unheard_of(verdict: Verdict, at: int | None) -> Verdict:
    """What an answer means that has a code of a later Splunk."""
    if verdict == "ok":
        return "retry"
    return "config" if verdict == "reject" and at is None else verdict
