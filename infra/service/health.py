"""Health: /healthz, /readyz with reasons, /metrics for Prometheus, and POST /-/reload."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from infra.api.api import BODY, Api
from infra.api.guard import here
from infra.posture.posture import Posture
from infra.service.process import clock
from infra.service.reload import Outcome
from schemas.config import ServerConfig
from schemas.errors import Mistake, Unavailable
from sinks.delivery.courier import Courier


class Vitals(Protocol):
    """What a driver says of itself; asked from any thread."""

    @property
    def alive(self) -> bool:
        """False once it can only be started anew."""
        ...

    def reasons(self) -> list[str]:
        """Why it is not ready, in sentences; empty if it is."""
        ...

    def rules(self) -> dict[str, Any]:
        """Which rules run."""
        ...

    def metrics(self) -> Iterator[Metric]:
        """Its metrics, looked up now."""
        ...


class Health:
    """What the process says of itself and its store: vitals, those of its sinks, the posture."""

    def __init__(
        self,
        vitals: Vitals,
        couriers: Sequence[Courier],
        posture: Posture,
        api: Api,
        reload: Callable[[], Awaitable[Outcome]],
    ) -> None:
        """`reload` reads the rules anew."""
        self._vitals, self._couriers, self._reload = vitals, couriers, reload
        self._posture, self._api = posture, api
        self._metrics_of = CollectorRegistry()
        self._metrics_of.register(self)

    async def start(self, config: ServerConfig) -> tuple[web.AppRunner, int]:
        """Listen; returns the runner, to be cleaned up, and the port."""
        app = web.Application(client_max_size=BODY)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/-/reload", self._reloaded)
        self._api.add_to(app)
        server_logger.addFilter(_worth_saying)
        tls = _tls(config)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, config.host, config.port, ssl_context=tls).start()
        except OSError as error:
            await runner.cleanup()
            raise Unavailable(
                f"cannot listen on {config.host}:{config.port}: {os.strerror(error.errno or 0)};"
                " set another [server] port"
            ) from error
        return runner, int(runner.addresses[0][1])

    def collect(self) -> Iterator[Metric]:
        """The metrics, asked anew at each scrape."""
        yield GaugeMetricFamily(
            "barograph_ready",
            "1 while /readyz has no reason against it, else 0.",
            value=float(not self._vitals.reasons()),
        )
        yield from self._vitals.metrics()
        taken = CounterMetricFamily(
            "barograph_sink_delivered",
            "Results that a sink has done with: delivered, refused, or not for it by its routing.",
            labels=["sink"],
        )
        refused = CounterMetricFamily(
            "barograph_sink_refused", "Results in the dead letters of a sink.", labels=["sink"]
        )
        failing = GaugeMetricFamily(
            "barograph_sink_failures", "Failed attempts in a row.", labels=["sink"]
        )
        waiting = GaugeMetricFamily(
            "barograph_sink_waiting", "Results that a sink has still to take.", labels=["sink"]
        )
        for courier in self._couriers:
            taken.add_metric([courier.name], courier.status.delivered)
            refused.add_metric([courier.name], courier.status.refused)
            failing.add_metric([courier.name], courier.status.failures)
            waiting.add_metric([courier.name], courier.waiting)
        yield from (taken, refused, failing, waiting)
        yield from self._posture.metrics(clock())
        yield from self._api.metrics()

    async def _healthz(self, _: web.Request) -> web.Response:
        return (
            web.Response(text="ok\n")
            if self._vitals.alive
            else web.Response(status=503, text="the engine has stopped\n")
        )

    async def _readyz(self, _: web.Request) -> web.Response:
        reasons = self._vitals.reasons()
        sinks: dict[str, Any] = {c.name: c.status.problem or "ok" for c in self._couriers}
        body = {
            "ready": not reasons,
            "reasons": reasons,
            "rules": self._vitals.rules(),
            "sinks": sinks,
        }
        return web.json_response(body, status=200 if not reasons else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        # Not in the loop that takes requests: it waits for the journal.
        text = await asyncio.to_thread(generate_latest, self._metrics_of)
        return web.Response(
            body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    async def _reloaded(self, request: web.Request) -> web.Response:
        # Whoever may read /metrics from elsewhere has no say in it, nor has a page in a browser.
        if "Origin" in request.headers or not here(request.remote):
            return web.Response(status=403, text="reload from this machine, or send SIGHUP\n")
        outcome = await self._reload()
        body = {"reloaded": outcome.done, "said": outcome.said}
        return web.json_response(body, status=200 if outcome.done else 422)


def _worth_saying(record: logging.LogRecord) -> bool:
    """Not what strangers send that is no HTTP: they could fill a log with it."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def scheme(config: ServerConfig) -> str:
    """What its URLs begin with."""
    return "http" if config.certificate is None else "https"


def _tls(config: ServerConfig) -> ssl.SSLContext | None:
    """The certificate that is shown to clients; None where nothing is encrypted."""
    if config.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(config.certificate, config.key)
    except OSError as error:  # ssl.SSLError is one
        reason = getattr(error, "reason", None) or error.strerror or error
        raise Mistake(
            f"[server] certificate {config.certificate} and key {config.key} cannot be used:"
            f" {reason}; give a PEM file with the chain, and one with its key"
        ) from error
    return context
