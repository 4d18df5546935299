"""OTLP answers: what an exporter is told, in the encoding in which it asked.

Format: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

from typing import Final

import orjson
from aiohttp import web

JSON: Final = "application/json"
PROTOBUF: Final = "application/x-protobuf"


def success(encoding: str) -> web.Response:
    """200, all was kept: a response without a partial success, in protobuf the empty message.

    A record that turns out to be unreadable need not be sent again by anybody: it goes to the dead
    letters.
    """
    body = b"" if encoding == PROTOBUF else b'{"partialSuccess":{}}'
    return web.Response(body=body, content_type=encoding)


def failure(encoding: str, status: int, code: int, message: str) -> web.Response:
    """An answer other than 200: a google.rpc.Status with its gRPC code."""
    if encoding == PROTOBUF:
        text = message.encode()[:500]
        body = b"\x08" + _varint(code) + b"\x12" + _varint(len(text)) + text
        return web.Response(status=status, body=body, content_type=PROTOBUF)
    body = orjson.dumps({"code": code, "message": message})
    return web.Response(status=status, body=body, content_type=JSON)


def _varint(number: int) -> bytes:
    low = bytearray()
    while number > 0x7F:
        low.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*low, number))
