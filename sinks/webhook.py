"""Webhook: alerts to an HTTP receiver, signed (https://www.standardwebhooks.com).

Guarantee: each revision of an alert arrives at least once and in order; `webhook-id` is the alert's
id and revision, so a receiver that remembers it has effectively once.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import orjson

from schemas.errors import Mistake
from schemas.rows import Result
from sinks.delivery.sending import one_by_one
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer, HttpSettings, Wire
from sinks.formats.envelope import envelope
from sinks.formats.ocsf import detection_finding


class Settings(HttpSettings):
    """`url` is the receiver, `secret` (`whsec_` and base64) signs.

    `format`: the alert in an envelope that says what happened, or a Detection Finding of OCSF 1.8.
    """

    format: Literal["alert", "ocsf"] = "alert"


def connect(settings: Settings, folder: Path) -> Webhook:  # noqa: ARG001 - a sink without files
    """The receiver of these settings."""
    key = None
    if settings.secret is not None:
        key = _key(settings.name, settings.secret.get_secret_value())
    return Webhook(Wire(settings), key, ocsf=settings.format == "ocsf")


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Version 1: HMAC-SHA256 over `id.timestamp.body`, base64."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


class Webhook:
    """One receiver."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(
        self,
        wire: Wire,
        key: bytes | None,
        clock: Callable[[], float] = time.time,
        *,
        ocsf: bool = False,
    ) -> None:
        self._wire, self._key, self._clock, self._ocsf = wire, key, clock, ocsf

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing to restore: the receiver knows what it has by `webhook-id`."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Send one request per alert."""
        return one_by_one(batch, self._send)

    def flush(self) -> None:
        """Nothing waits: hang up."""
        self._wire.close()

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def _send(self, result: Result) -> Answer:
        meta = result.body["meta"]
        message_id = f"{result.id}-{meta['revision']}"
        said = detection_finding(result.body) if self._ocsf else envelope(result)
        body = orjson.dumps(said)
        timestamp = int(self._clock())
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
        }
        if self._key is not None:
            headers["webhook-signature"] = signature(self._key, message_id, timestamp, body)
        return self._wire.send(body, headers)


def _key(name: str, secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise Mistake(
            f"sink {name!r} has a secret that is not `whsec_` and base64; make one with"
            " `openssl rand -base64 32`"
        ) from None
