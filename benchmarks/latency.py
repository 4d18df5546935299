"""Latency: from the HTTP POST of the last leg to the alert at a webhook, through a live run.

    python benchmarks/latency.py [TRIALS]

Prints p50, p90 and p99 in milliseconds. Everything is on loopback and on disk: POST, spool with
fsync, all stages, the journal's transaction, the webhook.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from aiohttp import ClientSession, web

RECON = ("ListFoundationModels", "GetFoundationModelAvailability", "GetUseCaseForModelAccess")
CONFIG = """
data = "{data}"
[server]
port = {health}
[[input]]
name = "http"
kind = "http"
port = {port}
[[sink]]
name = "hook"
kind = "webhook"
url = "http://127.0.0.1:{hook}/"
"""


def record(call: str, key: str, number: int) -> dict[str, Any]:
    """One CloudTrail record of now."""
    return {
        "eventVersion": "1.11",
        "eventID": f"{key}-{call}-{number}",
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventSource": "bedrock.amazonaws.com",
        "eventName": call,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.9",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::111122223333:user/{key.lower()}",
            "accountId": "111122223333",
            "accessKeyId": key,
        },
        "requestParameters": {"modelId": "anthropic.claude-3-haiku-20240307-v1:0"},
        "recipientAccountId": "111122223333",
    }


class Hook:
    """The receiver: notes when an alert of a system first came as more than an outlook."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self.came: dict[str, asyncio.Event] = {}
        self.at: dict[str, float] = {}

    async def post(self, request: web.Request) -> web.Response:
        """Take one delivery."""
        body = await request.json()
        alert = body.get("data", body)
        system = str(alert.get("system", ""))
        if alert.get("stage") != "outlook" and system not in self.at:
            self.at[system] = time.perf_counter()
            self.came.setdefault(system, asyncio.Event()).set()
        return web.Response(status=204)


async def measure(trials: int) -> list[float]:
    """Seconds from POST to webhook, one for each trial."""
    hook, app = Hook(), web.Application()
    app.router.add_post("/", hook.post)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook_port, port, health = runner.addresses[0][1], 45180, 45181
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "barograph.toml"
        config.write_text(
            CONFIG.format(data=f"{folder}/data", hook=hook_port, port=port, health=health)
        )
        command = [sys.executable, "-m", "infra", "--config", str(config), "run"]
        process = await asyncio.create_subprocess_exec(
            *command, env=os.environ | {"PYTHONUNBUFFERED": "1"}
        )
        try:
            async with ClientSession(f"http://127.0.0.1:{port}") as session:
                await _ready(session, f"http://127.0.0.1:{health}/readyz")
                return [await _trial(session, hook, n) for n in range(trials)]
        finally:
            process.terminate()
            await process.wait()
            await runner.cleanup()


async def _ready(session: ClientSession, url: str) -> None:
    for _ in range(200):
        try:
            async with session.get(url) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        await asyncio.sleep(0.1)
    raise SystemExit("the service did not become ready")


async def _trial(session: ClientSession, hook: Hook, number: int) -> float:
    key = f"AKIAEXAMPLE{number:06d}"
    came = hook.came.setdefault(f"apikey:{key}", asyncio.Event())
    await _post(session, [record(call, key, number) for call in RECON])
    await asyncio.sleep(0.05)
    started = time.perf_counter()
    await _post(session, [record("InvokeModel", key, number)])
    await asyncio.wait_for(came.wait(), 30)
    return hook.at[f"apikey:{key}"] - started


async def _post(session: ClientSession, records: list[dict[str, Any]]) -> None:
    data = "\n".join(map(json.dumps, records))
    async with session.post(
        "/v1/events?source=cloudtrail", data=data, headers={"Content-Type": "application/x-ndjson"}
    ) as answer:
        if answer.status != 200:
            raise SystemExit(f"POST answered {answer.status}: {await answer.text()}")


if __name__ == "__main__":
    taken = asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
    cuts = quantiles(taken, n=100)
    print("| trials | p50 ms | p90 ms | p99 ms | max ms |\n|---|---|---|---|---|")
    figures = (cuts[49], cuts[89], cuts[98], max(taken))
    print(f"| {len(taken)} |", " | ".join(f"{seconds * 1e3:.0f}" for seconds in figures), "|")
