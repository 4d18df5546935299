"""State: what a partition of a stage saves in its compacted topic, and reads back at a start.

A value that is too large for a record is compressed, and cut into numbered pieces if that is not
enough. What has not changed is not written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Final

import zstandard

from streams.kafka.wire import Record

PIECE: Final = 512 * 1024  # bytes of one record, at most
_PLAIN, _PACKED = b"p", b"z"
_MORE: Final = b"\x00piece\x00"  # before the key of what follows the first piece
_COUNT: Final = 4  # bytes of a number


class Saved:
    """The values of one partition, as they were last saved: their hashes and lengths only."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[bytes, int]] = {}

    def loaded(self, records: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        """The keys and values of all records of the partition that are there now, one by one."""
        found = dict(records)
        for key, data in found.items():
            if key.startswith(_MORE):
                continue
            count = int.from_bytes(data[1 : 1 + _COUNT])
            pieces = [data[1 + _COUNT :], *(found[_piece(key, n)] for n in range(1, count))]
            whole = b"".join(pieces)
            value = whole if data[:1] == _PLAIN else zstandard.decompress(whole)
            self._known[key] = _hash(value), count
            yield key, value

    def changes(self, values: Mapping[bytes, bytes | None]) -> Iterator[Record]:
        """The records that save these values; None forgets one. Takes them for saved from now on.

        A driver that cannot save them reads the partition anew.
        """
        for key, value in values.items():
            hashed, pieces = self._known.get(key, (b"", 0))
            if value is None:
                if self._known.pop(key, None) is not None:
                    yield from (Record(_piece(key, n), None) for n in range(pieces))
                continue
            if (fresh := _hash(value)) == hashed:
                continue
            cut = _cut(value)
            self._known[key] = fresh, len(cut)
            for n, piece in enumerate(cut):
                yield Record(_piece(key, n), piece)
            yield from (Record(_piece(key, n), None) for n in range(len(cut), pieces))

    def __contains__(self, key: bytes) -> bool:
        return key in self._known

    def __len__(self) -> int:
        return len(self._known)


def _cut(value: bytes) -> list[bytes]:
    form = _PLAIN
    if len(value) > PIECE:
        value, form = zstandard.compress(value, 3), _PACKED
    pieces = [value[n : n + PIECE] for n in range(0, len(value), PIECE)] or [b""]
    return [form + len(pieces).to_bytes(_COUNT) + pieces[0], *pieces[1:]]


def _piece(key: bytes, number: int) -> bytes:
    return key if number == 0 else _MORE + number.to_bytes(_COUNT) + key


def _hash(value: bytes) -> bytes:
    return blake2b(value, digest_size=12).digest()
