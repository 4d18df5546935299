"""A picture in fewer colours is the same picture."""

from __future__ import annotations

import struct
import zlib
from itertools import product
from pathlib import Path

import pytest

from infra.dev.pictures.small import small

BROWSER = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def parts(picture: bytes) -> dict[bytes, bytes]:
    found, place = {}, 8
    while place < len(picture):
        (size,) = struct.unpack(">I", picture[place : place + 4])
        found[picture[place + 4 : place + 8]] = picture[place + 8 : place + 8 + size]
        place += 12 + size
    return found


@pytest.mark.chromium
def test_a_picture_of_few_colours_keeps_each_pixel(tmp_path: Path) -> None:
    colours = [(17, 18, 23), (255, 0, 0), (0, 200, 100)]
    rows = [[colours[(x * y) % 3] for x in range(7)] for y in range(5)]
    lines = b"".join(b"\0" + bytes(v for pixel in row for v in pixel) for row in rows)
    picture = tmp_path / "picture.png"
    picture.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 7, 5, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )
    small(picture, (*BROWSER, f"--user-data-dir={tmp_path / 'profile'}"), tmp_path)
    found = parts(picture.read_bytes())
    assert struct.unpack(">IIBB", found[b"IHDR"][:10]) == (7, 5, 8, 3)
    palette, pixels = found[b"PLTE"], zlib.decompress(found[b"IDAT"])
    for y, x in product(range(5), range(7)):
        place = pixels[y * 8 + 1 + x]
        assert tuple(palette[3 * place : 3 * place + 3]) == rows[y][x]
