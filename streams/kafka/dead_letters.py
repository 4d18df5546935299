"""Dead letters: read them, and put the records back into the topics that they came from."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson
from aiokafka import errors

from correlators.sigma.values import is_object
from schemas.config import KafkaConfig
from schemas.errors import Unavailable
from schemas.times import rfc3339
from schemas.topics import DEAD_LETTERS, RAW
from streams.kafka.connection import answering, client, hang_up
from streams.kafka.log import Entry, Log
from streams.kafka.topics import able
from streams.kafka.untyped import Producer
from streams.kafka.wire import SCHEMA, Record

REPLAYED: Final = "barograph-replayed"  # header of a record that was put back: its first origin
_MARK: Final = b"replayed"  # schema of what says in the dead letters that it was
_AT_ONCE: Final = 100  # records in one transaction
_PATIENCE: Final = 60.0  # seconds for one
_ORIGIN: Final = re.compile(r"kafka:([A-Za-z0-9._-]{1,249})/(\d{1,10})/(\d{1,19})(#\d{1,10})?")
_FENCED: Final = (errors.ProducerFenced, errors.IllegalOperation)

Waiting = list[tuple[str, Entry]]  # messages by their origin


class DeadLetter(NamedTuple):
    """A record that could not be read. `record` is all of it, None if it was cut."""

    origin: str
    sha256: str
    source: str
    reason: str
    detail: str
    size: int
    time: int
    record: bytes | None

    @property
    def message(self) -> str:
        """The origin of the message that held it."""
        return self.origin.partition("#")[0]


class Choice(NamedTuple):
    """Which dead letters are meant; None: all."""

    reason: str | None = None
    source: str | None = None

    def holds(self, letter: DeadLetter) -> bool:
        """True if the letter is meant."""
        return self.reason in (None, letter.reason) and self.source in (None, letter.source)


async def read(log: Log, config: KafkaConfig) -> AsyncGenerator[DeadLetter | str]:
    """The dead letters up to now, and in between the origin of each that was put back.

    What is neither is passed over: others may have written it.
    """
    topic = config.prefix + DEAD_LETTERS
    state = await asyncio.to_thread(able, config, topic, "READ")
    async for entry in log.entries(topic, state.partitions, "beginning"):
        schema = dict(entry.headers).get(SCHEMA)
        if schema == _MARK and entry.key is not None:
            yield entry.key.decode("utf-8", "backslashreplace")
        elif schema == b"reject" and (letter := _letter(entry)) is not None:
            yield letter


class Replay:
    """Puts dead letters back. Delivery: effectively once.

    The record and a mark in the dead letters topic (key: the origin of the message, header
    `barograph-schema: replayed`) are written in one transaction: what has its mark was put back,
    what has none was not. Who replays at the same time is fenced by the transactional id. The mark
    is younger than its letter and so outlives it.

    The message is written as it was, with its key and headers and `barograph-replayed: <origin>`,
    while its topic still holds it; else the letter's copy is, if it is whole. Other records of the
    same message come again with it. `inputs` are topics beside `<prefix>raw.*` that may be written.
    """

    def __init__(
        self, config: KafkaConfig, inputs: Collection[str], *, again: bool, dry: bool
    ) -> None:
        self.counts: Counter[str] = Counter(replayed=0, already=0, lost=0, elsewhere=0)
        self._config, self._inputs = config, inputs
        self._again, self._dry = again, dry
        self._topics: set[str] = set()  # those that we know we may write
        self._done: set[str] = set()
        self._producer: Any = None

    async def run(self, choice: Choice, tell: Callable[[str], None] = lambda _: None) -> None:
        """Put back those of the choice, each told when it is written.

        counts: `replayed`, `already` put back, `lost` (no longer held whole anywhere), `elsewhere`
        (from no topic that may be written).
        """
        async with Log(self._config) as letters, Log(self._config) as sources:
            if not self._dry:
                await self._start()
            try:
                if not self._again:
                    marks = read(letters, self._config)
                    self._done = {mark async for mark in marks if isinstance(mark, str)}
                await self._all(letters, sources, choice, tell)
            finally:
                if self._producer is not None:
                    await self._stop()

    async def _start(self) -> None:
        self._producer = Producer(
            **client(self._config),
            transactional_id=f"{self._config.prefix}{DEAD_LETTERS}-replay",
            max_request_size=self._config.message_bytes,
        )
        with answering(self._config):
            await self._producer.start()  # which fences who had the id before

    async def _stop(self) -> None:
        """Close; of one that was fenced aiokafka may leave the connections open."""
        try:
            with suppress(errors.KafkaError):  # what was written is decided by now
                await hang_up(self._producer)
        finally:
            await self._producer.client.close()

    async def _all(
        self, letters: Log, sources: Log, choice: Choice, tell: Callable[[str], None]
    ) -> None:
        waiting: Waiting = []
        async for letter in read(letters, self._config):
            if isinstance(letter, str) or not choice.holds(letter):
                continue
            if letter.message in self._done:
                self.counts["already"] += 1
                continue
            found = await self._found(sources, letter)
            if found is not None:
                self._done.add(letter.message)
                waiting.append((letter.message, found))
            if len(waiting) >= _AT_ONCE:
                await self._write(waiting, tell)
                waiting = []
        await self._write(waiting, tell)

    async def _found(self, sources: Log, letter: DeadLetter) -> Entry | None:
        """The message as it is to be written again."""
        place = _ORIGIN.fullmatch(letter.origin)
        topic = place[1] if place else ""
        # A letter is data: it must not lead records into other topics.
        if place is None or not (
            topic.startswith(self._config.prefix + RAW) or topic in self._inputs
        ):
            self.counts["elsewhere"] += 1
            return None
        if topic not in self._topics:
            await asyncio.to_thread(able, self._config, topic, "READ" if self._dry else "WRITE")
            self._topics.add(topic)
        partition, offset = int(place[2]), int(place[3])
        held = await sources.at(topic, partition, offset)
        whole = place[4] is None  # the record is the message
        if (
            held is not None
            and held.value is not None
            and not (whole and _differs(letter, held.value))
        ):
            return held
        if letter.record is None or _differs(letter, letter.record):
            self.counts["lost"] += 1
            return None
        return Entry(topic, partition, offset, letter.time, None, letter.record, ())

    async def _write(self, waiting: Waiting, tell: Callable[[str], None]) -> None:
        if waiting and not self._dry:
            try:
                with answering(self._config):
                    async with asyncio.timeout(_PATIENCE):
                        await self._transact(waiting)
            except _FENCED as error:
                raise _overtaken() from error
            except Unavailable as error:
                if isinstance(error.__cause__, _FENCED):
                    raise _overtaken() from error
                raise
        for origin, _ in waiting:
            self.counts["replayed"] += 1
            tell(origin)

    async def _transact(self, waiting: Waiting) -> None:
        """One transaction. After an error none is aborted: the next owner of the id does that.

        To abort after having been fenced would wait for ever, now and then.
        """
        await self._producer.begin_transaction()
        futures: list[asyncio.Future[object]] = []
        try:
            for origin, entry in waiting:
                for topic, record in self._records(origin, entry):
                    sending = self._producer.send(
                        topic, record.value, record.key, headers=list(record.headers)
                    )
                    futures.append(await sending)
        finally:
            # aiokafka commits although a record was refused, unless each is awaited.
            answers = await asyncio.gather(*futures, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        await self._producer.commit_transaction()

    def _records(self, origin: str, entry: Entry) -> Iterator[tuple[str, Record]]:
        """The message as it is written again, and the mark that it was."""
        back = (REPLAYED, origin.encode())
        others = [header for header in entry.headers if header[0] != REPLAYED]
        yield entry.topic, Record(entry.key, entry.value, (*others, back))
        told = orjson.dumps({"origin": origin, "replayed": rfc3339(time.time_ns() // 1000)})
        mark = Record(origin.encode(), told, ((SCHEMA, _MARK), back))
        yield self._config.prefix + DEAD_LETTERS, mark


def _overtaken() -> Unavailable:
    return Unavailable("another dead-letters replay took over; let it end, then run this one again")


def _differs(letter: DeadLetter, data: bytes) -> bool:
    return sha256(data).hexdigest() != letter.sha256


def _letter(entry: Entry) -> DeadLetter | None:
    try:
        value = orjson.loads(entry.value or b"")
        if not is_object(value):
            return None
        return DeadLetter(
            str(value["origin"]),
            str(value["sha256"]),
            str(value["source"]),
            str(value["reason"]),
            str(value["detail"]),
            int(value["size"]),
            entry.time,
            None if value.get("truncated") else _record(value),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _record(value: dict[str, Any]) -> bytes | None:
    if "record_base64" in value:
        return base64.b64decode(value["record_base64"])
    return None if "record" not in value else str(value["record"]).encode()
