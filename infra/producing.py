"""Producing: the documents of files become records of a topic, at a rate if one is asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Final

import orjson

from correlators.sigma.values import is_object, lookup
from schemas.config import KafkaConfig
from streams.finite import FiniteFile
from streams.kafka.producing import Compression, Letter, Producer
from streams.records.documents import Fault

PORTION: Final = 1000  # records handed on at once, at most
STEPS: Final = 20  # portions a second, where a rate is kept
MAX_KEY: Final = 4096  # characters; a longer key is cut, which keeps equal ones together
Watch = Callable[[], None]


class Loading:
    """The documents of some files as Letters.

    `key`: dotted path of the value that becomes the key of a record; a document without a text or
    number there gets none. `read`, `size`, `faults`: records, their bytes, and parts of files that
    held no document, up to now.
    """

    def __init__(self, inputs: Sequence[FiniteFile], key: str | None = None) -> None:
        self.read = self.size = 0
        self.faults: list[tuple[str, Fault]] = []
        self._inputs, self._key = inputs, key

    def portions(self, most: int = PORTION) -> Iterator[list[Letter]]:
        """At most so many Letters at a time, in the order of the files."""
        for file in self._inputs:
            places = count(1)
            while (chunk := file.read()) is not None:
                for start in range(0, len(chunk.documents), most):
                    letters = [
                        Letter(document, self._key_of(document), f"{file.name}#{next(places)}")
                        for document in chunk.documents[start : start + most]
                    ]
                    self.read += len(letters)
                    self.size += sum(len(letter.value) for letter in letters)
                    yield letters
                if chunk.fault is not None:
                    self.faults.append((f"{file.name}#{next(places)}", chunk.fault))

    def _key_of(self, document: bytes) -> bytes | None:
        if self._key is None:
            return None
        try:
            record = orjson.loads(document)
        except orjson.JSONDecodeError:
            return None
        value = lookup(record, self._key) if is_object(record) else None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        return str(value)[:MAX_KEY].encode("utf-8", "surrogatepass")


async def write(
    loading: Loading,
    config: KafkaConfig,
    topic: str,
    compression: Compression = "none",
    rate: float = 0,
    watch: Watch | None = None,
) -> None:
    """Write all to the topic, `rate` records a second (0: as many as it takes).

    The first record that the broker refuses ends it; what was written before stays.
    """
    started = time.monotonic()
    most = max(1, min(PORTION, int(rate / STEPS))) if rate else PORTION
    async with Producer(config, topic, compression) as producer:
        for letters in loading.portions(most):
            await producer.write(letters)
            if rate:
                due = started + loading.read / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            if watch is not None:
                watch()
        await producer.flush()
