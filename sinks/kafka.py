"""Kafka: alerts into a topic of somebody else's cluster, the alert's id as the key.

Guarantee: each revision of an alert is acknowledged by all replicas in sync, at least once and in
order, since one is sent only when the broker has the one before it. Copies come after a kill; the
headers tell them. It does not make the topic.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self, cast

import aiokafka
import aiokafka.conn
import orjson
from aiokafka import errors
from pydantic import Field, model_validator

from schemas.config import BROKER, TOPIC_NAME
from schemas.rows import Result
from schemas.times import SECOND, Duration
from sinks.delivery.routing import AlertSettings
from sinks.delivery.sink import Delivered, Refused
from sinks.delivery.wire import trust
from sinks.formats.envelope import change, envelope
from sinks.formats.ocsf import detection_finding
from sinks.formats.shortening import shortened

# aiokafka logs what it raises as well; without a handler Python would print that on stderr.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

OVERHEAD: Final = 16 * 1024  # bytes of a record batch beyond its value, at most
CLOSING: Final = 1.0  # seconds for a connection to end in good order
_PRODUCER: Final[Any] = cast("Any", aiokafka).AIOKafkaProducer  # neither of the two has types
_CONNECTION: Final[Any] = cast("Any", aiokafka.conn).AIOKafkaConnection
_LARGE: Final = (errors.MessageSizeTooLargeError, errors.RecordTooLargeError)
# What no time mends, and who has to do what.
_RIGHTS: Final = "give the user the rights to write and to describe the topic"
_LOGIN: Final = "mend username, secret or mechanism"
_MENDS: Final[dict[type[Exception], str]] = {
    errors.AuthenticationFailedError: _LOGIN,
    errors.SaslAuthenticationFailed: _LOGIN,
    errors.UnsupportedSaslMechanismError: _LOGIN,
    errors.IllegalSaslStateError: _LOGIN,
    errors.TopicAuthorizationFailedError: _RIGHTS,
    errors.ClusterAuthorizationFailedError: _RIGHTS,
    errors.UnknownTopicOrPartitionError: "make the topic",
    errors.InvalidTopicError: "mend its name",
    ssl.SSLCertVerificationError: "name the file of its authority in ca",
}
_FAILURES: Final[tuple[type[Exception], ...]] = (errors.KafkaError, OSError, TimeoutError)


class Settings(AlertSettings):
    """`bootstrap` is host:port, or several with commas between.

    `format`: the alert in an envelope that says what happened, or a Detection Finding of OCSF 1.8.
    `max_bytes` of a value: alerts that are larger are shortened, least needed parts first. With
    `username` the secret is the password; `certificate` and `key` are PEM files with which we log
    in by TLS, `ca` is that of who signed the broker's.
    """

    bootstrap: str
    topic: str = Field(pattern=TOPIC_NAME)
    format: Literal["alert", "ocsf"] = "alert"
    max_bytes: int = Field(default=1_000_000, ge=2048, le=2**30)
    compression: Literal["none", "gzip", "zstd", "lz4", "snappy"] = "none"
    tls: bool = False
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    username: str | None = None
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    timeout: Duration = Field(default=30 * SECOND, ge=SECOND)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not all(map(BROKER.fullmatch, self.bootstrap.split(","))):
            raise ValueError("bootstrap is host:port, or several with commas between")
        if (self.username is None) != (self.secret is None):
            raise ValueError("username and secret go together")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if not self.tls and (self.ca is not None or self.certificate is not None):
            raise ValueError("ca, certificate and key need tls = true")
        return self


def connect(settings: Settings, folder: Path) -> Kafka:  # noqa: ARG001 - a sink without files
    """The topic of these settings."""
    secured = "SSL" if settings.tls else "PLAINTEXT"
    client: dict[str, Any] = {
        "client_id": "barograph",
        "security_protocol": secured if settings.username is None else f"SASL_{secured}",
        "request_timeout_ms": settings.timeout * 500 // SECOND,  # half: the library speaks first
    }
    if settings.tls:
        client["ssl_context"] = trust(
            settings.name, settings.ca, settings.certificate, settings.key
        )
    if settings.username is not None and settings.secret is not None:
        client["sasl_mechanism"] = settings.mechanism
        client["sasl_plain_username"] = settings.username
        client["sasl_plain_password"] = settings.secret.get_secret_value()
    return Kafka(settings, client)


class Kafka:
    """One topic. The connection lasts from the first batch until nothing waits."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(self, settings: Settings, client: dict[str, Any]) -> None:
        self._settings, self._client = settings, client
        self._timeout = settings.timeout / SECOND
        self._runner: asyncio.Runner | None = None
        self._producer: Any = None

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing to restore."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Produce, and wait for the broker's word on each."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(self._written(batch))

    def flush(self) -> None:
        """Nothing waits: hang up."""
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._runner is not None:
            self._runner.run(self._ended())
            self._runner.close()
            self._runner = None

    async def _written(self, batch: Sequence[Result]) -> Delivered:
        refused: list[Refused] = []
        taken = 0
        for run in _runs(batch):
            problem = await self._run(run)
            if isinstance(problem, _LARGE) and len(run) > 1:  # of which one, the broker hid
                for place, result in enumerate(run):
                    problem = await self._run([result])
                    if isinstance(problem, _LARGE):
                        refused.append(Refused(result, self._too_large()))
                    elif problem is not None:
                        return await self._stopped(taken + place, refused, problem)
            elif isinstance(problem, _LARGE):
                refused.append(Refused(run[0], self._too_large()))
            elif problem is not None:
                return await self._stopped(taken, refused, problem)
            taken += len(run)
        return Delivered(taken, tuple(refused))

    async def _run(self, run: Sequence[Result]) -> BaseException | None:
        """Send these, none of which may be told twice; what went wrong, if anything did."""
        values = [shortened(result, self._value, self._settings.max_bytes) for result in run]
        if any(len(value) > self._settings.max_bytes for value in values):
            large: Exception = errors.MessageSizeTooLargeError()
            return large
        try:
            async with asyncio.timeout(self._timeout):
                if self._producer is None:
                    self._producer = await self._started()
                waiting = [
                    await self._producer.send(
                        self._settings.topic, value, result.id.encode(), headers=_headers(result)
                    )
                    for result, value in zip(run, values, strict=True)
                ]
                answers = await asyncio.gather(*waiting, return_exceptions=True)
        except _FAILURES as error:
            await self._ended()
            return error
        failed = [one for one in answers if isinstance(one, BaseException)]
        if not failed:
            return None
        await self._ended()  # the numbers of its records have a gap now
        return next((one for one in failed if isinstance(one, _LARGE)), failed[0])

    async def _started(self) -> Any:  # noqa: ANN401 - an AIOKafkaProducer
        compression = self._settings.compression
        producer = _PRODUCER(
            **self._client,
            bootstrap_servers=self._settings.bootstrap.split(","),
            enable_idempotence=True,
            compression_type=None if compression == "none" else compression,
            max_request_size=self._settings.max_bytes + OVERHEAD,
            linger_ms=5,
        )
        try:
            await producer.start()
        except BaseException:
            await _closed(producer.stop())
            raise
        return producer

    async def _stopped(
        self, taken: int, refused: Sequence[Refused], error: BaseException
    ) -> Delivered:
        if isinstance(error, errors.KafkaConnectionError):  # which says not why
            error = await self._reason() or error
        where = f"topic {self._settings.topic} at {self._settings.bootstrap}"
        if isinstance(error, TimeoutError):
            said = f"no answer for {self._timeout:g} s"
        else:
            word = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
            said = str(word or error) or type(error).__name__
        mend = next((mend for kind, mend in _MENDS.items() if isinstance(error, kind)), None)
        problem = f"{where}: {said}" + (f"; {mend}" if mend else "")
        return Delivered(taken, tuple(refused), problem=problem, misconfigured=mend is not None)

    async def _reason(self) -> BaseException | None:
        """Why the last broker of `bootstrap` does not let us in."""
        host, _, port = self._settings.bootstrap.rpartition(",")[2].rpartition(":")
        connection = _CONNECTION(host.strip("[]"), int(port), **self._client)
        try:
            await connection.connect()
        except _FAILURES as error:
            return error
        finally:
            await asyncio.wait([connection.close()], timeout=CLOSING)
        return None

    async def _ended(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await _closed(producer.stop())

    def _value(self, result: Result, cut: tuple[str, ...]) -> bytes:
        if self._settings.format == "ocsf":
            return orjson.dumps(detection_finding(result.body, cut))
        return orjson.dumps(envelope(result, cut))

    def _too_large(self) -> str:
        return (
            f"even shortened it is larger than topic {self._settings.topic} or max_bytes"
            f" ({self._settings.max_bytes}) allows"
        )


def _runs(batch: Sequence[Result]) -> Iterator[Sequence[Result]]:
    """Parts of the batch in which no alert is told twice."""
    start = 0
    seen: set[str] = set()
    for place, result in enumerate(batch):
        if result.id in seen:
            yield batch[start:place]
            start = place
            seen.clear()
        seen.add(result.id)
    if start < len(batch):
        yield batch[start:]


def _headers(result: Result) -> list[tuple[str, bytes]]:
    return [
        ("content-type", b"application/json"),
        ("barograph-type", f"alert.{change(result)}".encode()),
        ("barograph-revision", str(result.body["meta"]["revision"]).encode()),
    ]


async def _closed(stopping: Any) -> None:  # noqa: ANN401 - a coroutine of aiokafka
    """End it, in good order if that is quick."""
    with contextlib.suppress(TimeoutError, *_FAILURES):
        await asyncio.wait_for(stopping, CLOSING)
