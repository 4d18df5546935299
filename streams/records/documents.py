"""Documents: the files of a source, read in bulk as lines or as one document each.

Whether a file is NDJSON, one JSON document, or several with nothing between them (as Firehose and
jq write them) is decided by what is in it, and so is its source; its name decides nothing. `.gz`
and `.zst` are known by their first bytes, gzip as text (base64) too. Positions are byte offsets in
the uncompressed text, so that reading can go on where it stopped.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec

from schemas.config import Limits
from schemas.errors import Mistake
from streams.records.lines import Lines
from streams.records.pieces import CHUNK, Pieces
from streams.records.untrusted import slices
from streams.source import HEAD, Reason, Source, Unreadable, sniffed, sources, whole

SUFFIXES: Final = (
    ".json",
    ".jsonl",
    ".ndjson",
    ".sarif",
    ".csv",
    ".gz",
    ".zst",
)  # what a folder is searched for
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_LOOK: Final = 1000  # lines by which it is decided whether lines are documents
_SOLID: Final = re.compile(r"\S")
_PIECEWISE: Final = json.JSONDecoder()  # it alone tells where a value ends that others follow
_JSON: Final = msgspec.json.Decoder(msgspec.Raw)  # checks a text without building its values


class Fault(NamedTuple):
    """A part of a file that gives no document, with hash and size of as much of it as was read."""

    reason: Reason
    detail: str
    sha256: str
    size: int


class Batch(NamedTuple):
    """Some documents in their order, then perhaps a Fault. `end` is the offset behind all of it."""

    documents: Sequence[bytes]
    end: int
    fault: Fault | None = None


class Documents:
    """One open file: iterate for its Batches, once, and close it.

    `source` is the named or sniffed one, or None; `lines` whether each line is a document.
    """

    def __init__(
        self,
        path: str | Path,
        limits: Limits,
        source: Source | None = None,
        *,
        at: int = 0,
        growing: bool = False,
    ) -> None:
        self.origin = origin(path)
        self._limits = limits
        self._growing = growing
        sources()  # a mistake in a mapping is told before a file is open
        self._pieces = Pieces(path, limits)
        head = self._pieces.head()
        self._utf16 = head.startswith(_UTF16)
        self._at = max(at, len(_BOM) if head.startswith(_BOM) else 0)
        head = head.removeprefix(_BOM)
        self.source = source or sniffed(head[:HEAD])
        self.lines = not whole(self.source) and _holds_lines(head)
        self._joined = not growing and not whole(self.source) and _joined(head)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pieces.close()

    def __iter__(self) -> Iterator[Batch]:
        if self._growing and self._pieces.empty:
            return iter(())
        if self.source is None or self._utf16:
            return iter((self._nothing(),))
        self._pieces.skip(self._at)
        return self._of_lines() if self.lines and not self._joined else self._whole()

    def _nothing(self) -> Batch:
        data = self._rest()
        fault = self._pieces.fault
        if self._utf16:
            fault = Unreadable("encoding", "the text is UTF-16; save it as UTF-8")
        elif fault is None and not data.strip():
            fault = Unreadable("empty", "there is nothing in it")
        return self._faulty(
            fault or Unreadable("unknown-format", "no source knows this format; name it"), data
        )

    def _whole(self) -> Iterator[Batch]:
        data = self._rest()
        if not data and self._at:
            return
        if self._pieces.fault is not None:
            yield self._faulty(self._pieces.fault, data)
        elif len(data) > self._limits.document_bytes:
            yield self._faulty(_too_large(self._limits), data)
        elif not data.strip():
            yield self._faulty(Unreadable("empty", "there is nothing in it"), data)
        else:
            documents = _apart(data) if self._joined else [data.strip()]
            yield Batch(documents, self._at + len(data))

    def _of_lines(self) -> Iterator[Batch]:
        lines: list[bytes] = []  # what follows the last Batch
        size = 0  # their length
        parts: list[bytes] = []  # the line behind them, which has no end yet
        held = 0  # its length
        again = b""  # of the last piece, what is still to be looked at
        while piece := again or next(self._pieces, b""):
            again = b""
            cut = piece.rfind(b"\n") + 1
            if cut:
                more = BytesIO(piece).readlines()  # twice as quick as to split
                if parts:
                    more[0] = b"".join((*parts, more[0]))
                lines += more
                size += held + cut
                parts, held = [], 0
            if cut < len(piece):
                parts.append(lines.pop() if cut else piece)
                held += len(parts[-1])
            if size + held >= CHUNK and cut:
                yield self._batch(lines, size)
                lines, size = [], 0
            if held > self._limits.document_bytes:
                yield self._batch(lines, size)
                again = yield from self._long_line(b"".join(parts))
                lines, size, parts, held = [], 0, [], 0
        last = b"".join(parts)
        if self._pieces.fault is not None:
            yield self._batch(lines, size)
            yield self._faulty(self._pieces.fault, last)
        elif self._growing:
            yield self._batch(lines, size)
        else:
            yield self._batch([*lines, last], size + held)

    def _long_line(self, start: bytes) -> Generator[Batch, None, bytes]:
        """Pass over a line that does not fit, and return what was read of the next ones."""
        hashed = sha256(start)
        size, rest = len(start), b""
        for piece in self._pieces:
            line, end, rest = piece.partition(b"\n")
            hashed.update(line)
            size += len(line) + len(end)
            if end:
                break
        self._at += size
        error = _too_large(self._limits)
        yield Batch([], self._at, Fault(error.reason, error.detail, hashed.hexdigest(), size))
        return rest

    def _batch(self, lines: list[bytes], size: int) -> Batch:
        self._at += size
        return Batch(Lines(lines), self._at)

    def _faulty(self, error: Unreadable, data: bytes) -> Batch:
        self._at += len(data)
        fault = Fault(error.reason, error.detail, sha256(data).hexdigest(), len(data))
        return Batch([], self._at, fault)

    def _rest(self) -> bytes:
        """All that follows, or as much as shows that it is too much."""
        parts: list[bytes] = []
        size = 0
        for piece in self._pieces:
            parts.append(piece)
            size += len(piece)
            if size > self._limits.document_bytes:
                break
        return b"".join(parts)


def open_documents(
    path: str | Path,
    limits: Limits,
    source: Source | None = None,
    *,
    at: int = 0,
    growing: bool = False,
) -> Documents:
    """The documents of a file, from offset `at` on; a context manager.

    `source` names its format, else it is sniffed. In a `growing` file a last line without end is
    left for later. A file that cannot be read is a Mistake.
    """
    return Documents(path, limits, source, at=at, growing=growing)


def files(paths: Iterable[str | Path]) -> Iterator[str]:
    """The files of `paths`, folders searched to the bottom for SUFFIXES, in the order of names.

    A path that is not there, or a folder without such a file, is a Mistake. Links that
    lead nowhere are passed over.
    """
    for path in map(Path, paths):
        if path.is_dir():
            named = (file for file in sorted(path.rglob("*")) if file.suffix.lower() in SUFFIXES)
            found = [str(file) for file in named if file.is_file()]
            if not found:
                raise Mistake(f"{path} holds no file named {', '.join(SUFFIXES)}; name the files")
            yield from found
        elif path.exists():
            yield str(path)
        else:
            raise Mistake(f"{path} is not there; name a file or a folder")


def origin(path: str | Path) -> str:
    """How a record says that it lay in this file. A name that is no UTF-8 is shown escaped."""
    return "file:" + os.fsencode(path).decode("utf-8", "backslashreplace")


def _holds_lines(head: bytes) -> bool:
    """True if each line is a document. `head` holds the first line whole, where it can be held."""
    first, *others = head.lstrip().split(b"\n", _LOOK)
    others = [line for line in map(bytes.strip, others[: _LOOK - 1]) if line]
    if not others:
        return True
    reason = _fault(first)
    if reason is None:
        return True
    if reason == "truncated" and first.startswith(b"["):
        return False
    if reason == "truncated" and first.startswith(b"{"):
        # Printed over several lines, unless an object starts where only a member could.
        return others[0].startswith(b"{") and _fault(others[0]) is None
    return any(line.startswith(b"{") and _fault(line) is None for line in others)


def _joined(head: bytes) -> bool:
    """True if objects follow each other with no line end between, or each over several lines."""
    if b"\n}\n{" in head or b"\n}\r\n{" in head:
        return True
    first = head.lstrip().partition(b"\n")[0]
    return b"}{" in first and _fault(first) == "not-json" and len(_apart(first)) > 1


def _apart(data: bytes) -> list[bytes]:
    """The objects that follow each other; what is none of them, up to the end, is the last."""
    text, at, found = data.decode(errors="surrogateescape"), 0, list[bytes]()
    while at < len(text):
        try:
            end = _PIECEWISE.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            end = len(text)
        found.append(text[at:end].encode(errors="surrogateescape"))
        at = next((one.start() for one in _SOLID.finditer(text, end)), len(text))
    return found


def _fault(line: bytes) -> Reason | None:
    try:
        slices(line, _JSON)
    except Unreadable as error:
        return error.reason
    return None


def _too_large(limits: Limits) -> Unreadable:
    return Unreadable("too-large", f"a document has more than {limits.document_bytes} bytes")
