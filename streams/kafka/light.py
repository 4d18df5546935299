"""Light: what a worker does so that a record costs it little before anybody looks at it."""

from __future__ import annotations

import atexit
import ctypes
import gc
from typing import Any, Final, cast

from aiokafka.consumer import fetcher

# Of glibc's malloc, as in its malloc.h. By default each answer of a broker is mapped anew, and the
# kernel clears all its pages: a quarter of what a consumer costs.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_MAPPED: Final = 32 * 2**20  # bytes from which on a block is mapped; the most that glibc takes
FETCH_BYTES: Final = _MAPPED // 2  # of one answer of a broker, so that it comes from the heap
_KEPT: Final = 256 * 2**20  # free bytes at the end of the heap that are not given back

_RECORDS: Final = cast("Any", fetcher).PartitionRecords  # aiokafka ships no types

# Of Python's collector: new containers until it looks for cycles among them. A batch at hand is
# some hundred thousand, and records hold no cycles: each look would walk all of them.
_YOUNG, _OLDER, _OLDEST = 1_000_000, 20, 100


def as_decoded(key: bytes | None) -> bytes | None:
    """The `key_deserializer` of consumers that take records as the decoder of batches gives them.

    Such a record has offset, timestamp, key, value and headers. It costs 0.6 us less than the
    ConsumerRecord that others get, which also has its topic, partition, sizes and checksum.
    """
    return key


def _record(self: Any, tp: Any, record: Any) -> Any:  # noqa: ANN401 - as the method it replaces
    asked = self._key_deserializer is as_decoded
    return record if asked else _usual(self, tp, record)


# There is no other way in: each answer of a broker is unpacked by a class that aiokafka names
# itself. tests/streams/kafka/test_light.py holds that who does not ask sees no difference.
_usual: Final = _RECORDS._consumer_record  # noqa: SLF001
_RECORDS._consumer_record = _record  # noqa: SLF001


def keep_memory() -> None:
    """Let the heap of this process keep what it has, and the collector pass over it.

    Of the heap does nothing where there is no glibc.
    """
    gc.collect()
    gc.freeze()  # rules and modules stay
    atexit.register(gc.unfreeze)  # else DuckDB tells at the end of all that was never collected
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _MAPPED)
        mallopt(_TRIM_THRESHOLD, _KEPT)
