"""Health: /healthz, /readyz with reasons, and /metrics for Prometheus."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from infra.service.inputs import Live
from infra.service.loop import Loop, lag
from schemas.config import ServerConfig
from schemas.errors import Unavailable
from sinks.delivery.courier import Courier
from streams.embedded import Embedded
from streams.journal import Journal


class Health:
    """What the process says of itself."""

    def __init__(
        self,
        engine: Embedded,
        journal: Journal,
        loop: Loop,
        inputs: Mapping[str, Live],
        couriers: list[Courier],
        alive: Callable[[], bool],
        clock: Callable[[], int],
    ) -> None:
        """`alive`: the engine's thread runs."""
        self._engine, self._journal, self._loop, self._inputs = engine, journal, loop, inputs
        self._couriers, self._alive, self._clock = couriers, alive, clock
        self._metrics_of = CollectorRegistry()
        self._metrics_of.register(self)

    async def start(self, config: ServerConfig) -> tuple[web.AppRunner, int]:
        """Listen; returns the runner, to be cleaned up, and the port."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, config.host, config.port).start()
        except OSError as error:
            await runner.cleanup()
            raise Unavailable(
                f"cannot listen on {config.host}:{config.port}: {os.strerror(error.errno or 0)};"
                " set another [server] port"
            ) from error
        return runner, int(runner.addresses[0][1])

    def reasons(self) -> list[str]:
        """Why the service is not ready; empty if it is."""
        found = [] if self._alive() else ["the engine has stopped"]
        if self._loop.problem:
            found.append(self._loop.problem)
        if self._loop.holding:
            found.append("reading is held back until sinks have taken more from the outbox")
        return found + [
            f"input {name}: {live.problem}" for name, live in self._inputs.items() if live.problem
        ]

    def collect(self) -> Iterator[Metric]:
        """The metrics, asked anew at each scrape."""
        for name, count in self._engine.counts().items():
            counter = CounterMetricFamily(
                f"barograph_records_{name}", f"Records {name} since the data folder was made."
            )
            counter.add_metric([], count)
            yield counter
        delay = GaugeMetricFamily(
            "barograph_watermark_delay_seconds",
            "Wall clock minus the watermark of an input.",
            labels=["input"],
        )
        for name, seconds in lag(self._engine, self._clock()).items():
            delay.add_metric([name], seconds)
        yield delay
        keys = GaugeMetricFamily(
            "barograph_state_keys", "Keys that a stage holds.", labels=["stage"]
        )
        for name, stage in self._engine.keyed.items():
            keys.add_metric([name], len(stage.slots))
        yield keys
        yield GaugeMetricFamily(
            "barograph_outbox_results",
            "Results that wait for sinks.",
            value=self._journal.outbox_size(),
        )
        taken = CounterMetricFamily(
            "barograph_sink_delivered", "Results that a sink has taken.", labels=["sink"]
        )
        refused = CounterMetricFamily(
            "barograph_sink_refused", "Results in the dead letters of a sink.", labels=["sink"]
        )
        failing = GaugeMetricFamily(
            "barograph_sink_failures", "Failed attempts in a row.", labels=["sink"]
        )
        for courier in self._couriers:
            taken.add_metric([courier.name], courier.status.delivered)
            refused.add_metric([courier.name], courier.status.refused)
            failing.add_metric([courier.name], courier.status.failures)
        yield from (taken, refused, failing)

    async def _healthz(self, _: web.Request) -> web.Response:
        return (
            web.Response(text="ok\n")
            if self._alive()
            else web.Response(status=503, text="the engine has stopped\n")
        )

    async def _readyz(self, _: web.Request) -> web.Response:
        reasons = self.reasons()
        sinks: dict[str, Any] = {c.name: c.status.problem or "ok" for c in self._couriers}
        body = {"ready": not reasons, "reasons": reasons, "sinks": sinks}
        return web.json_response(body, status=200 if not reasons else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        # Not in the loop that takes requests: it waits for the journal.
        text = await asyncio.to_thread(generate_latest, self._metrics_of)
        return web.Response(
            body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )
