"""HTTP: OTLP (`/v1/traces`, `/v1/logs`, `/v1/metrics`) and JSON of any source (`/v1/events`).

Guarantee: what was answered with 200 is on disk and will be read, whatever happens. After 429 or
503 the sender sends again.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
import orjson
from aiohttp import web

from schemas.config import InputConfig
from schemas.errors import Mistake, Unavailable
from streams.inputs.otlp_answer import JSON, PROTOBUF, failure, success
from streams.inputs.spool import Spool
from streams.records.untrusted import slices
from streams.source import HEAD, Unreadable, named, sniffed
from streams.telemetry.otlp import Signal, otlp_json

OTLP: Final = "otel"  # the source of what comes over OTLP
LINES: Final = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")
READ_TIMEOUT: Final = 30.0  # seconds for a body to arrive
AT_ONCE: Final = 16  # bodies in memory; more senders wait for their turn
RETRY_AFTER: Final = 2  # seconds, while the spool is full

# gRPC codes, which OTLP wants in the body of an error
_INVALID, _EXHAUSTED, _UNIMPLEMENTED, _UNAVAILABLE = 3, 8, 12, 14


class _Traces(msgspec.Struct):
    resourceSpans: list[msgspec.Raw] = []  # noqa: N815 - OTLP's own name


class _Logs(msgspec.Struct):
    resourceLogs: list[msgspec.Raw] = []  # noqa: N815 - OTLP's own name


class _Metrics(msgspec.Struct):
    resourceMetrics: list[msgspec.Raw] = []  # noqa: N815 - OTLP's own name


_REQUESTS: Final[dict[Signal, msgspec.json.Decoder[Any]]] = {
    "traces": msgspec.json.Decoder(_Traces),
    "logs": msgspec.json.Decoder(_Logs),
    "metrics": msgspec.json.Decoder(_Metrics),
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refusal(Exception):
    """An answer other than 200: status, gRPC code, one sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Http:
    """The listener of one input; what it takes lies in its spool, for the driver to read."""

    def __init__(self, config: InputConfig, spool: Spool) -> None:
        self._config = config
        self._spool = spool
        self._source = named(config.source).NAME if config.source else None
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._commits = GroupCommit(spool)
        self._runner: web.AppRunner | None = None

    def app(self) -> web.Application:
        """The application, for whoever serves it."""
        app = web.Application(middlewares=[_refusals])
        app.router.add_post("/v1/traces", self._traces)
        app.router.add_post("/v1/logs", self._logs)
        app.router.add_post("/v1/metrics", self._metrics)
        app.router.add_post("/v1/events", self._events)
        return app

    async def start(self) -> int:
        """Listen; returns the port. Unavailable if it is taken."""
        # Not aiohttp's own inflating: it would bound the compressed size, not what comes out.
        self._runner = web.AppRunner(self.app(), auto_decompress=False, access_log=None)
        await self._runner.setup()
        host, port = self._config.host, self._config.port
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            raise Unavailable(
                f"input {self._config.name!r} cannot listen on {host}:{port}: {error.strerror};"
                " stop what does, or give it another port"
            ) from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Answer what has arrived, then stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _traces(self, request: web.Request) -> web.Response:
        return await self._export(request, "traces")

    async def _logs(self, request: web.Request) -> web.Response:
        return await self._export(request, "logs")

    async def _metrics(self, request: web.Request) -> web.Response:
        return await self._export(request, "metrics")

    async def _export(self, request: web.Request, signal: Signal) -> web.Response:
        encoding = request.content_type
        if encoding not in (JSON, PROTOBUF):
            raise Refusal(415, _INVALID, f"send {JSON} or {PROTOBUF}, not {encoding}")
        body = await self._body(request)
        document = await asyncio.to_thread(_export, signal, encoding, body)
        await self._commits.add([document], OTLP)
        return success(encoding)

    async def _events(self, request: web.Request) -> web.Response:
        if request.content_type not in (JSON, *LINES):
            raise Refusal(
                415, _INVALID, f"send {JSON} (one document) or {LINES[0]} (one record per line)"
            )
        documents = _documents(await self._body(request), request.content_type)
        source = self._named(request) or _sniffed(documents)
        await self._commits.add(documents, source)
        return web.json_response({"accepted": len(documents)})

    def _named(self, request: web.Request) -> str | None:
        name = request.query.get("source")
        try:
            return named(name).NAME if name else self._source
        except Mistake as mistake:
            raise Refusal(400, _INVALID, str(mistake)) from None

    async def _body(self, request: web.Request) -> bytes:
        if self._spool.full:  # before the body is read: what cannot be kept need not be sent
            raise Refusal(429, _EXHAUSTED, "too much is waiting to be read; send it again later")
        limit = self._config.max_body_bytes
        if (request.content_length or 0) > limit:
            raise _too_large(limit)
        async with self._turns:
            body = bytearray()
            try:
                async with asyncio.timeout(READ_TIMEOUT):
                    async for part in request.content.iter_any():
                        body += part
                        if len(body) > limit:
                            raise _too_large(limit)
            except TimeoutError:
                raise Refusal(408, _INVALID, f"no whole body in {READ_TIMEOUT:g} s") from None
            return _inflated(bytes(body), request.headers.get("content-encoding", ""), limit)


class GroupCommit:
    """Many requests, one sync: what came while the disk was busy is written together."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._waiting: list[tuple[Sequence[bytes], str, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, documents: Sequence[bytes], source: str) -> None:
        """Returns when the documents are on disk. Refusal if the disk refuses."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((documents, source, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            for name in dict.fromkeys(source for _, source, _ in group):
                mine = [(documents, done) for documents, source, done in group if source == name]
                together = [document for documents, _ in mine for document in documents]
                try:
                    await asyncio.to_thread(self._spool.append, together, name)
                except Exception as error:  # noqa: BLE001 - else all who wait would wait for ever
                    why = getattr(error, "strerror", None) or error
                    refusal = Refusal(503, _UNAVAILABLE, f"the disk refuses: {why}")
                    for _, done in mine:
                        _settle(done, refusal)
                else:
                    for _, done in mine:
                        _settle(done, None)
        self._writer = None


def _settle(done: asyncio.Future[None], refusal: Refusal | None) -> None:
    if done.done():  # the sender has gone
        return
    if refusal is None:
        done.set_result(None)
    else:
        done.set_exception(refusal)


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        encoding = PROTOBUF if request.content_type == PROTOBUF else JSON
        answer = failure(encoding, refusal.status, refusal.code, refusal.message)
        if refusal.status in (429, 503):
            answer.headers["retry-after"] = str(RETRY_AFTER)
        return answer


def _inflated(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() not in ("gzip", "deflate"):
        raise Refusal(415, _UNIMPLEMENTED, f"send it as gzip or plain, not {encoding[:40]}")
    data, rest = bytearray(), body
    while True:  # gzip may come in several members, as concatenated files do
        inflater = zlib.decompressobj(wbits=47)  # gzip and zlib, by their headers
        try:
            data += inflater.decompress(rest, limit + 1 - len(data))
        except zlib.error as error:
            raise Refusal(400, _INVALID, f"the body is not {encoding}: {error}") from None
        if len(data) > limit:
            raise _too_large(limit)
        if not inflater.eof:
            raise Refusal(400, _INVALID, f"the body is cut off {encoding}")
        rest = inflater.unused_data.lstrip(b"\0")  # padding
        if not rest:
            return bytes(data)


def _too_large(limit: int) -> Refusal:
    return Refusal(413, _INVALID, f"a body has at most {limit} bytes; send smaller batches")


def _export(signal: Signal, encoding: str, body: bytes) -> bytes:
    """The export request as OTLP/JSON."""
    try:
        if encoding == PROTOBUF:
            return otlp_json(body, signal)
        slices(body, _REQUESTS[signal])
    except Unreadable as error:
        raise Refusal(400, _INVALID, f"not an OTLP {signal} request: {error.detail}") from None
    return body


def _documents(body: bytes, content_type: str) -> list[bytes]:
    if content_type == JSON:
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            hint = f"for one record per line send content-type {LINES[0]}"
            raise Refusal(400, _INVALID, f"the body is not JSON ({error}); {hint}") from None
        return [body]
    documents = [line for line in map(bytes.strip, body.split(b"\n")) if line]
    if not documents:
        raise Refusal(400, _INVALID, "the body is empty")
    return documents


def _sniffed(documents: Sequence[bytes]) -> str:
    source = sniffed(documents[0][:HEAD])
    if source is None:
        raise Refusal(
            400, _INVALID, "no source knows this format; name one: /v1/events?source=NAME"
        )
    return source.NAME
