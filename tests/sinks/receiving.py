"""An HTTP receiver on the loopback with weather: busy, broken, slow, or gone in mid-answer."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple, Self

import orjson

Weather = Literal["fair", "busy", "broken", "slow", "cut", "lost"]
"""fair: answers. busy: 429. broken: 503. slow: a while. cut: hangs up unread. lost: takes it, then
hangs up."""
SLOW = 0.05  # seconds


class Request(NamedTuple):
    """What came: `path` with its query, header names in small letters, the body unpacked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What the receiver says."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}

    @classmethod
    def json(cls, status: int, said: object, **headers: str) -> Self:
        """What it says, in JSON."""
        return cls(status, orjson.dumps(said), {"content-type": "application/json", **headers})


class Receiver:
    """Listens on a port of its own; `answer` judges each request that the weather lets through.

    `sky` is the weather of the next requests, fair weather after them. `taken` is called with the
    number of each request that was judged, before the answer leaves: a test may kill the sender.
    """

    def __init__(
        self, answer: Callable[[Request], Reply], tls: ssl.SSLContext | None = None
    ) -> None:
        self.got: list[Request] = []
        self.sky: list[Weather] = []
        self.taken: Callable[[int], object] = lambda _: None
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                receiver._serve(self, answer)

            do_GET = do_POST = do_PUT = _serve  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def expect(self, sky: Iterable[Weather]) -> None:
        """The weather of the next requests."""
        self.sky = list(sky)

    def _serve(self, handler: BaseHTTPRequestHandler, answer: Callable[[Request], Reply]) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        data = handler.rfile.read(int(headers.get("content-length", 0)))
        if headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        with self._lock:
            weather = self.sky.pop(0) if self.sky else "fair"
        if weather == "slow":
            time.sleep(SLOW)
        if weather == "busy":
            _say(handler, Reply(429, b"slow down", {"retry-after": "0"}))
        elif weather == "broken":
            _say(handler, Reply(503, b"not now"))
        elif weather == "cut":
            handler.close_connection = True
        else:
            with self._lock:
                request = Request(handler.command, handler.path, headers, data)
                reply = answer(request)
                self.got.append(request)
                self.taken(len(self.got))
            if weather == "lost":
                handler.close_connection = True
            else:
                _say(handler, reply)


def _say(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    try:
        handler.send_response(reply.status)
        for name, value in {"content-length": str(len(reply.body)), **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)
    except OSError:
        handler.close_connection = True  # who asked is gone
