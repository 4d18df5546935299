"""Producing: documents into a raw topic, one a record; every one acknowledged by the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple, Self

from aiokafka import errors

from schemas.config import KafkaConfig
from schemas.errors import Mistake, Unavailable
from streams.kafka import untyped
from streams.kafka.connection import answering, client, lacks, reach

Compression = Literal["none", "gzip", "lz4", "snappy", "zstd"]
Headers = Sequence[tuple[str, bytes]]
BATCH: Final = 256 * 1024  # bytes; no topic takes less by default
LINGER_MS: Final = 20
AHEAD: Final = 20_000  # records that wait for the broker, at most


class Letter(NamedTuple):
    """One record on its way, and where it came from, for who has to mend it."""

    value: bytes
    key: bytes | None
    origin: str
    headers: Headers = ()


class Producer:
    """Writes to one topic; a context manager. Delivery: each once and in order, by idempotence."""

    def __init__(self, config: KafkaConfig, topic: str, compression: Compression = "none") -> None:
        self.written = 0  # records that the broker has acknowledged
        self._config, self._topic = config, topic
        self._compression = None if compression == "none" else compression
        self._waiting: list[tuple[asyncio.Future[object], Letter]] = []
        self._producer: Any = None

    async def __aenter__(self) -> Self:
        await reach(self._config)
        self._producer = untyped.Producer(
            **client(self._config),
            enable_idempotence=True,
            compression_type=self._compression,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH,
            max_request_size=self._config.message_bytes,
        )
        with answering(self._config):
            await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def write(self, letters: Iterable[Letter]) -> None:
        """Hand the records on. Raises for one that was refused, in this call or in a later one."""
        for letter in letters:
            try:
                future = await self._producer.send(
                    self._topic, letter.value, letter.key, headers=list(letter.headers)
                )
            except errors.KafkaError as error:
                raise self._refused(letter, error) from error
            self._waiting.append((future, letter))
        if len(self._waiting) >= AHEAD:
            await self.flush()

    async def flush(self) -> None:
        """Wait until the broker has acknowledged all, or raise for the first that it refused."""
        waiting, self._waiting = self._waiting, []
        futures = [future for future, _ in waiting]
        answers = await asyncio.gather(*futures, return_exceptions=True)
        refused: list[tuple[Letter, Exception]] = []
        for answer, (_, letter) in zip(answers, waiting, strict=True):
            if not isinstance(answer, BaseException):
                self.written += 1
            elif not isinstance(answer, Exception):
                raise answer
            else:
                refused.append((letter, answer))
        if refused:
            raise self._refused(*refused[0])

    def _refused(self, letter: Letter, error: Exception) -> Exception:
        after = f"; {self.written} others were written"
        if isinstance(error, errors.MessageSizeTooLargeError | errors.RecordTooLargeError):
            return Mistake(
                f"{letter.origin} has {len(letter.value)} bytes, more than topic {self._topic} "
                f"takes; raise its max.message.bytes and kafka.message_bytes{after}"
            )
        if isinstance(error, errors.TopicAuthorizationFailedError):
            return lacks(self._config, "WRITE", self._topic)
        said = str(error) or type(error).__name__
        return Unavailable(f"{letter.origin} was not written to {self._topic}: {said}{after}")
