"""Api: the routes under /api/v1, asked in threads, each answer bounded in rows, bytes and time."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web
from prometheus_client.core import CounterMetricFamily, Metric

from infra.api.answers import Absent, Problem
from infra.api.given import asked_for, sent
from infra.api.guard import Guard
from infra.api.openapi import document
from infra.api.route import Asked, Route, routes
from infra.reading.snapshots import Snapshots
from schemas.config import ServerConfig
from schemas.errors import Mistake, Slow, Unavailable

PREFIX: Final = "/api/v1"
THREADS: Final = 4
WAITING: Final = 32  # requests that are answered or wait for a thread
BODY: Final = 64 * 1024  # bytes of a request
ANSWER: Final = 32 * 2**20  # bytes
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_CODES: Final = ((Absent, 404), (Slow, 504))  # of a Mistake that is no other's
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """Answers from the newest snapshot. `clock`: microseconds since the epoch."""

    def __init__(
        self,
        snapshots: Snapshots,
        config: ServerConfig,
        approved: Sequence[str],
        clock: Callable[[], int],
    ) -> None:
        """`approved`: the patterns of what is no shadow AI."""
        self._snapshots, self._config, self._clock = snapshots, config, clock
        self._approved = tuple(approved)
        self._guard = Guard(config, time.monotonic)
        self._threads = ThreadPoolExecutor(THREADS, "api")
        self._busy = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[str, float] = {}
        self._routes = routes()
        self._document = orjson.dumps(document(self._routes, PREFIX))

    @property
    def open(self) -> bool:
        """False where nobody can be let in."""
        return self._guard.open

    def add_to(self, app: web.Application) -> None:
        """Put the routes into an application that takes bodies of at most BODY bytes."""
        under = web.Application(middlewares=[self._answered])
        for route in self._routes:
            under.router.add_route(route.method, route.path, partial(self._ask, route))
        under.router.add_get("/openapi.json", self._openapi, allow_head=False)
        app.add_subapp(PREFIX, under)
        app.on_cleanup.append(self._close)

    def metrics(self) -> Iterator[Metric]:
        """How often each route was asked, with what outcome, and the time that went there."""
        counts = CounterMetricFamily(
            "barograph_api_requests", "Requests to the read API.", labels=["route", "status"]
        )
        for (route, status), count in sorted(self._counts.items()):
            counts.add_metric([route, status], count)
        seconds = CounterMetricFamily(
            "barograph_api_seconds", "Seconds until the read API answered.", labels=["route"]
        )
        for route, spent in sorted(self._seconds.items()):
            seconds.add_metric([route], spent)
        yield from (counts, seconds)

    @web.middleware
    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who may ask, tell every refusal in the same shape, and count."""
        started = time.monotonic()
        response = await self._outcome(request, handler)
        resource = request.match_info.route.resource
        name = "none" if resource is None else resource.canonical
        self._counts[name, str(response.status)] += 1
        self._seconds[name] = self._seconds.get(name, 0.0) + time.monotonic() - started
        response.headers.update(_HEADERS)
        return response

    async def _outcome(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._guard.refusal(
            request.remote,
            request.headers.get("Host"),
            request.headers.get("Origin"),
            request.headers.get("Authorization"),
        )
        if refusal is not None:
            return _problem(refusal.status, refusal.error, refusal.wait)
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _of_http(request, error)
        except Unavailable as error:
            return _problem(503, str(error), 2.0)
        except Mistake as error:
            status = next((code for kind, code in _CODES if isinstance(error, kind)), 400)
            return _problem(status, str(error))
        except Exception as error:  # noqa: BLE001 - a defect of one route must not be a traceback
            return _problem(500, f"that went wrong here ({type(error).__name__}); tell us how")

    async def _ask(self, route: Route, request: web.Request) -> web.Response:
        if route.method == "post":
            given = sent(route, await self._body(request))
        else:
            given = asked_for(route, request.match_info, request.query)
        if self._busy >= WAITING:
            raise Unavailable("too much is asked at once; come again")
        self._busy += 1
        try:
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(self._threads, self._answer, route, given)
        finally:
            self._busy -= 1
        return web.Response(body=body, content_type="application/json")

    async def _body(self, request: web.Request) -> bytes:
        length = request.content_length
        if length is not None and length > BODY:  # not read to be refused
            raise web.HTTPRequestEntityTooLarge(BODY, length)
        try:
            return await asyncio.wait_for(request.read(), self._config.seconds)
        except TimeoutError:
            raise Mistake(
                f"the body did not come within {self._config.seconds:g} s; send it whole"
            ) from None

    def _answer(self, route: Route, given: object) -> bytes:
        """In a thread."""
        with self._snapshots.lease() as lease:
            asked = Asked(
                lease.reader,
                lease.path,
                lease.taken,
                self._clock(),
                self._config.rows,
                self._config.seconds,
                self._approved,
            )
            answer = route.ask(asked, given)
        if isinstance(answer, dict):
            body = orjson.dumps(answer)
        else:
            body = answer.model_dump_json(by_alias=True).encode()
        if len(body) > ANSWER:
            raise Mistake(f"the answer has more than {ANSWER // 2**20} MiB; ask for fewer rows")
        return body

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    async def _close(self, _: web.Application) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    match error:
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            response = _problem(405, f"{request.method} is not for this path; take {allowed}")
            response.headers["Allow"] = allowed
            return response
        case web.HTTPNotFound():
            return _problem(404, f"there is no such path; {PREFIX}/openapi.json lists them")
        case web.HTTPRequestEntityTooLarge():
            return _problem(413, f"a request has at most {BODY // 1024} KiB; send less")
        case _:
            return _problem(error.status, HTTPStatus(error.status).phrase)


def _problem(status: int, error: str, wait: float | None = None) -> web.Response:
    response = web.Response(
        status=status,
        body=Problem(error=error[:1_000]).model_dump_json().encode(),
        content_type="application/json",
    )
    if wait is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
