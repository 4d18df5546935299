"""Lines of a file that may still grow."""

from __future__ import annotations

import os
from typing import NamedTuple


class Lines(NamedTuple):
    """Complete lines, stripped, blank ones left out, and the offset behind the last."""

    documents: list[bytes]
    offset: int


def complete_lines(
    file: int, offset: int, end: int, limit_records: int, limit_bytes: int, longest: int
) -> Lines:
    """The complete lines of descriptor `file` from `offset` on, of the bytes before `end`.

    At most `limit_records` lines and `limit_bytes` bytes, but one line if there is one. What
    follows the last newline waits for its own; of a line longer than `longest` come pieces of one
    byte more, which are rejected as too large.
    """
    block = os.pread(file, min(limit_bytes, end - offset), offset)
    cut = block.rfind(b"\n") + 1
    if not cut and len(block) == limit_bytes:
        block = os.pread(file, min(longest + 1, end - offset), offset)
        cut = block.find(b"\n") + 1 or (len(block) if len(block) > longest else 0)
    if not cut:
        return Lines([], offset)
    lines = block[:cut].split(b"\n", limit_records)
    if len(lines) > limit_records:
        cut -= len(lines.pop())
    return Lines([line for line in map(bytes.strip, lines) if line], offset + cut)
