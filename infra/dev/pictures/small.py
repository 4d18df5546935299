"""Small: a PNG in 256 colours, a third of the size; the browser decodes it and counts."""

from __future__ import annotations

import base64
import re
import struct
import subprocess
import zlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import infra.dev.pictures


def small(picture: Path, browser: Sequence[str], scratch: Path) -> None:
    """Write the picture over with fewer colours; `browser` are its words without a page."""
    template = files(infra.dev.pictures).joinpath("small.html").read_text(encoding="utf-8")
    page = scratch / "small.html"
    page.write_text(template.replace("PICTURE", base64.b64encode(picture.read_bytes()).decode()))
    words = (*browser, "--virtual-time-budget=60000", "--dump-dom", page.as_uri())
    said = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603 - of ours
    found = dict(re.findall(r'data-(\w+)="(\w+)"', said.stdout))
    width, height = int(found["width"]), int(found["height"])
    pixels = bytes.fromhex(found["pixels"])
    lines = b"".join(b"\0" + pixels[y * width : (y + 1) * width] for y in range(height))
    picture.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", bytes.fromhex(found["palette"]))
        + _chunk(b"IDAT", zlib.compress(lines, 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
