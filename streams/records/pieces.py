"""Pieces: the bytes of a file, inflated where it is compressed, never more at once than is safe."""

from __future__ import annotations

import base64
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO, Final, NamedTuple, Protocol, Self

import zstandard

from schemas.config import Limits
from schemas.errors import Mistake
from streams.source import HEAD, Unreadable

CHUNK: Final = 256 * 1024  # larger blocks are mapped and cleared anew each time: twice the cost
_FOLD: Final = 200  # logs shrink 10 to 50 times; what grows more than this was made to hurt


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _Format(NamedTuple):
    """`sip`: so many compressed bytes become at most some 16 MB in one step."""

    new: Callable[[], _Inflater]
    sip: int


_FORMATS: Final = {
    b"\x1f\x8b": _Format(lambda: zlib.decompressobj(wbits=31), 16 * 1024),
    b"\x28\xb5\x2f\xfd": _Format(lambda: zstandard.ZstdDecompressor().decompressobj(), 512),
}
_START: Final = 512  # bytes by which it is known whether a file is packed
# Base64 of gzip: of CloudWatch Logs as Kinesis holds it, a Lambda and Firehose are given it.
_TEXT: Final = re.compile(
    rb"""\s*(?:\{\s*"(?:awslogs"|invocationId"|Records"\s*:\s*\[\s*\{\s*"kinesis")"""
    rb"""[^}]{0,400}?"data"\s*:\s*")?H4sI"""
)
_PACKED: Final = re.compile(rb"H4sI(?:[A-Za-z0-9+/]|\s+(?!H4sI))*={0,2}")


def is_packed(head: bytes) -> bool:
    """True of the start of a file that is inflated before it is read."""
    return head.startswith(tuple(_FORMATS)) or _TEXT.match(head[:_START]) is not None


class Pieces:
    """An iterator over the pieces of a file. `fault` says, once they end, why they ended early.

    A file that cannot be opened or read is a Mistake.
    """

    def __init__(self, path: str | Path, limits: Limits) -> None:
        self.fault: Unreadable | None = None
        self._path = path
        self._limits = limits
        self._ahead: deque[bytes] = deque()
        self._file = self._opened()
        start = self._read(_START)
        if _TEXT.match(start):
            start = self._decoded(start)
        formats = [one for magic, one in _FORMATS.items() if start.startswith(magic)]
        self._compressed = bool(formats)
        plain = chain((start,) if start else (), iter(lambda: self._read(CHUNK), b""))
        self._pieces: Iterator[bytes] = plain
        if formats:
            self._pieces = self._inflated(start, formats[0])

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._ahead:
            return self._ahead.popleft()
        try:
            return next(self._pieces)
        except Unreadable as fault:
            self.fault = fault
            raise StopIteration from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def head(self) -> bytes:
        """The start: HEAD bytes, and on to the end of the first line if it may be a document.

        What is looked at is still to come.
        """
        seen: list[bytes] = []
        size, ended = 0, False
        while size < HEAD or not ended:
            piece = next(self, b"")
            if not piece or size > self._limits.document_bytes:
                self._ahead.extend((piece,) if piece else ())
                break
            seen.append(piece)
            size += len(piece)
            ended = ended or b"\n" in piece
        head = b"".join(seen)
        self._ahead.extendleft((head,) if head else ())
        return head

    @property
    def empty(self) -> bool:
        """True if, after `head`, there is nothing to read."""
        return not self._ahead and self.fault is None

    def skip(self, size: int) -> None:
        """Go to offset `size` from the start; to be called before the first piece is taken."""
        if size and not self._compressed and self._file.seekable():
            self._ahead.clear()
            self._file.seek(size)
            self._pieces = iter(lambda: self._read(CHUNK), b"")
            return
        while size > 0:
            piece = next(self, b"")
            if not piece:
                break
            if len(piece) > size:
                self._ahead.appendleft(piece[size:])
            size -= len(piece)

    def _inflated(self, start: bytes, packed: _Format) -> Iterator[bytes]:
        inflater: _Inflater | None = None
        taken = given = 0
        for sip in chain((start,), iter(lambda: self._read(packed.sip), b"")):
            taken += len(sip)
            data = sip
            while data := data if inflater else data.lstrip(b"\0"):  # padding between members
                inflater = inflater or packed.new()
                try:
                    piece = inflater.decompress(data)
                except (zlib.error, zstandard.ZstdError) as error:
                    raise Unreadable("encoding", f"the compression is damaged: {error}") from None
                data, inflater = (inflater.unused_data, None) if inflater.eof else (b"", inflater)
                given += len(piece)
                if piece:
                    yield piece
                if given > self._limits.document_bytes and given > _FOLD * taken:
                    raise Unreadable("too-large", f"it inflates over {_FOLD}-fold; not read on")
        if inflater is not None:
            raise Unreadable("truncated", "the compressed file has no end")

    def _decoded(self, start: bytes) -> bytes:
        """The start of what all of the file says in base64."""
        text = start + self._read(2 * self._limits.document_bytes)
        self._file.close()
        try:
            parts = [base64.b64decode(part) for part in _PACKED.findall(text)]
        except ValueError:
            parts = [text]
        self._file = BytesIO(b"".join(parts))
        return self._read(_START)

    def _opened(self) -> IO[bytes]:
        try:
            return Path(self._path).open("rb")
        except (OSError, ValueError) as error:
            raise self._mistake(error) from None

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise self._mistake(error) from None

    def _mistake(self, error: Exception) -> Mistake:
        reason = error.strerror if isinstance(error, OSError) else error
        return Mistake(f"cannot read {self._path}: {reason}; name a readable file")
