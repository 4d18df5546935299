"""Syslog: alerts as messages of RFC 5424 over TLS (RFC 5425), TCP (RFC 6587) or UDP (RFC 5426).

Guarantee over TLS and TCP: each revision of an alert was read by the receiver at least once and in
order, also if either side is killed; what the receiver has read and not yet stored is its own
affair. `id` and `revision` of the structured data tell copies. Over UDP nothing is guaranteed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self

import orjson
from pydantic import Field, model_validator

from schemas.rows import Result
from schemas.times import SECOND, Duration
from sinks.delivery.routing import AlertSettings
from sinks.delivery.sending import in_chunks
from sinks.delivery.sink import Delivered
from sinks.delivery.stream import Stream
from sinks.delivery.wire import Answer, trust
from sinks.formats.cef import cef
from sinks.formats.envelope import envelope
from sinks.formats.leef import leef
from sinks.formats.shortening import shortened
from sinks.formats.syslog import message

LOAD: Final = 1_000  # messages of one connection: so many come again if it breaks
LOAD_BYTES: Final = 2**20


class Settings(AlertSettings):
    """`host` and `port` of the receiver.

    `format`: what stands in MSG. `max_bytes` of a message: alerts that are larger are shortened,
    least needed parts first. `bom` stands before MSG, as RFC 5424 wants it of UTF-8; some
    collectors take it for text. `confirm`: see sinks/delivery/stream.py. `ca`: a PEM file of who
    may sign the receiver's certificate, instead of the system's; `certificate` and `key`: PEM files
    with which we log in.
    """

    host: str = Field(min_length=1)
    port: int = Field(default=6514, gt=0, le=65535)
    transport: Literal["tls", "tcp", "udp"] = "tls"
    format: Literal["json", "cef", "leef"] = "json"
    max_bytes: int = Field(default=8096, ge=2048, le=65_000)
    facility: int = Field(default=16, ge=0, le=23)
    bom: bool = True
    confirm: bool = True
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    timeout: Duration = Field(default=30 * SECOND, gt=0)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if self.transport != "tls" and (self.ca is not None or self.certificate is not None):
            raise ValueError('ca, certificate and key need transport = "tls"')
        return self


def connect(settings: Settings, folder: Path) -> Syslog:  # noqa: ARG001 - a sink without files
    """The receiver of these settings."""
    context, hint = None, ""
    if settings.transport == "tls":
        if settings.certificate is None:
            hint = "; if it wants to know who we are, give certificate and key"
        context = trust(settings.name, settings.ca, settings.certificate, settings.key)
    if settings.transport == "udp":
        return Syslog(settings, Datagrams(settings.host, settings.port))
    stream = Stream(
        settings.host,
        settings.port,
        context,
        timeout=settings.timeout / SECOND,
        confirm=settings.confirm,
        hint=hint,
    )
    return Syslog(settings, Framed(stream))


class Framed:
    """Octet counting: the length of each message stands before it."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def send(self, messages: Sequence[bytes]) -> Answer:
        """One load."""
        return self._stream.load(b"".join(b"%d %s" % (len(one), one) for one in messages))


class Datagrams:
    """One datagram a message. Ok: this system has sent them; nobody knows more."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    def send(self, messages: Sequence[bytes]) -> Answer:
        """Send each; an error that comes back from the last ones is seen, if it comes at once."""
        try:
            family, kind, number, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_DGRAM
            )[0]
            with socket.socket(family, kind, number) as line:
                line.connect(address)
                for one in messages:
                    line.send(one)
                code = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError as error:
            return self._lost(error.strerror or str(error))
        return self._lost(os.strerror(code)) if code else Answer("ok")

    def _lost(self, why: str) -> Answer:
        place = f"udp://{self._host}:{self._port}"
        return Answer("retry", f"{place} cannot be reached: {why}", status=0)


class Syslog:
    """One receiver."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(
        self, settings: Settings, line: Framed | Datagrams, host: str | None = None
    ) -> None:
        """`host`: our name in the messages; that of this machine if it is None."""
        self._settings, self._line = settings, line
        self._host = socket.gethostname() if host is None else host

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing to restore."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Deliver in loads of a connection each."""
        return in_chunks(batch, self._encoded, self._send, most=LOAD, most_bytes=LOAD_BYTES)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """No connection is open between two batches."""

    def _encoded(self, result: Result) -> bytes:
        return shortened(result, self._message, self._settings.max_bytes)

    def _send(self, messages: Sequence[bytes]) -> Answer:
        most = self._settings.max_bytes
        if any(len(one) > most for one in messages):
            return Answer("reject", f"even shortened it has more than {most} bytes (max_bytes)")
        return self._line.send(messages)

    def _message(self, result: Result, cut: tuple[str, ...]) -> bytes:
        match self._settings.format:
            case "json":
                text = orjson.dumps(envelope(result, cut)).decode()
            case "cef":
                text = cef(result, cut)
            case "leef":
                text = leef(result, cut)
        return message(
            result,
            text,
            facility=self._settings.facility,
            host=self._host,
            bom=self._settings.bom,
            shortened=cut,
        )
