"""Webhook: alerts to an HTTP receiver, signed (https://www.standardwebhooks.com).

Guarantee: each revision of an alert arrives at least once and in order; `webhook-id` is the alert's
id and revision, so a receiver that remembers it has effectively once.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import http.client
import ssl
import time
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

import orjson

from schemas.config import SinkConfig
from schemas.errors import Mistake
from schemas.rows import Result
from schemas.times import SECOND
from sinks.delivery.sink import Delivered, Refused

MAX_ANSWER = (
    4096  # bytes of an answer that are read; its start goes into the reason of a dead letter
)

Verdict = Literal["ok", "retry", "reject", "config"]


class Answer(NamedTuple):
    """What became of one request. `wait`: the seconds that the receiver asked for."""

    verdict: Verdict
    reason: str = ""
    wait: float = 0.0


def connect(config: SinkConfig, folder: Path) -> Webhook:  # noqa: ARG001 - a sink without files
    """`url` is the receiver, `secret` (`whsec_` and base64) signs; `stages` choose the alerts."""
    url = urlsplit(config.url or "")
    if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc:
        raise Mistake(
            f"sink {config.name!r} has no usable url; give it one like https://receiver.example/hook"
        )
    key = None
    if config.secret is not None:
        key = _key(config.name, config.secret.get_secret_value())
    return Webhook(url, key, frozenset(config.stages), config.timeout / SECOND)


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Version 1: HMAC-SHA256 over `id.timestamp.body`, base64."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def judged(status: int, reason: str, wait: float) -> Answer:
    """Whether the record is taken, comes again, never will be, or a person has to do something."""
    match status:
        case _ if 200 <= status < 300:
            return Answer("ok")
        case 408 | 425 | 429:
            return Answer("retry", reason, wait)
        case 401 | 403 | 404 | 405 | 407 | 410:
            return Answer("config", reason)
        case _ if (
            300 <= status < 400
        ):  # following it would send the alert where nobody decided to send it
            return Answer("config", reason)
        case _ if 400 <= status < 500:
            return Answer("reject", reason)
        case _:
            return Answer("retry", reason, wait)


class Webhook:
    """One receiver. An alert is sent from the time that it reached one of `stages`, to its end."""

    local = False

    def __init__(
        self,
        url: SplitResult,
        key: bytes | None,
        stages: frozenset[str],
        timeout: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.kinds = frozenset(("alert",))
        self._url = url
        self._key = key
        self._stages = stages
        self._clock = clock
        port = f":{url.port}" if url.port else ""
        self._target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._place = (
            f"{url.scheme}://{url.hostname}{port}{url.path}"  # without credentials and query
        )
        self._connection: http.client.HTTPConnection
        if url.scheme == "https":
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(
                url.hostname or "", url.port, timeout=timeout, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(
                url.hostname or "", url.port, timeout=timeout
            )

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing to restore: the receiver knows what it has by `webhook-id`."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Send one request per alert, in order, up to the first that has to be tried again."""
        refused: list[Refused] = []
        for taken, result in enumerate(batch):
            if result.body["peak_stage"] not in self._stages:
                continue
            answer = self._send(result)
            match answer.verdict:
                case "ok":
                    pass
                case "reject":
                    refused.append(Refused(result, answer.reason))
                case "retry" | "config":
                    return Delivered(
                        taken,
                        tuple(refused),
                        problem=answer.reason,
                        wait=answer.wait,
                        misconfigured=answer.verdict == "config",
                    )
        return Delivered(len(batch), tuple(refused))

    def flush(self) -> None:
        """Nothing waits: hang up, before the receiver does it in the middle of the next request."""
        self._connection.close()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _send(self, result: Result) -> Answer:
        meta = result.body["meta"]
        message_id = f"{result.id}-{meta['revision']}"
        body = orjson.dumps(
            {"type": f"alert.{_change(result)}", "timestamp": meta["emitted"], "data": result.body}
        )
        timestamp = int(self._clock())
        headers = {
            "content-type": "application/json",
            "user-agent": "barograph",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
        }
        if self._key is not None:
            headers["webhook-signature"] = signature(self._key, message_id, timestamp, body)
        try:
            self._connection.request("POST", self._target, body, headers)
            response = self._connection.getresponse()
            text = response.read(MAX_ANSWER)
            if not response.isclosed():  # more than we read: the connection cannot be used again
                self._connection.close()
        except ssl.SSLCertVerificationError as error:
            self._connection.close()
            return Answer(
                "config",
                f"{self._place} has a certificate that is not trusted: {error.verify_message}",
            )
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Answer(
                "retry", f"{self._place} cannot be reached: {str(error) or type(error).__name__}"
            )
        said = text.decode(errors="replace").strip()[:200]
        reason = f"{self._place} answered {response.status} {response.reason}"
        reason += f": {said}" if said else ""
        return judged(response.status, reason, self._asked(response.headers.get("retry-after")))

    def _asked(self, retry_after: str | None) -> float:
        """Seconds of a Retry-After header: a number or a date; 0 where it is neither."""
        if retry_after is None:
            return 0.0
        if retry_after.strip().isdecimal():
            return float(retry_after)
        try:
            moment = parsedate_to_datetime(retry_after)
        except ValueError:
            return 0.0
        if moment.tzinfo is None:
            return 0.0
        return max(0.0, moment.timestamp() - self._clock())


def _change(result: Result) -> str:
    if result.state == "withdrawn":
        return "withdrawn"
    if result.body["status"] != "open":
        return str(result.body["status"])
    return "opened" if result.body["meta"]["revision"] == 1 else "updated"


def _key(name: str, secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise Mistake(
            f"sink {name!r} has a secret that is not `whsec_` and base64; make one with"
            " `openssl rand -base64 32`"
        ) from None
