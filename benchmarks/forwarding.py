"""Forwarding: alerts to rsyslog over TLS and to an HTTP receiver, rate and memory over time.

`python benchmarks/forwarding.py 1000000`: a journal of so many alerts, then a process of its own
for each row, from the journal through the courier to a real rsyslogd (no queue, a file) or to a
receiver that reads and answers 204. Beside it the floor, bytes that are ready, and rsyslog itself
as the sender: omfwd over TLS, from a file of the same messages.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson

from schemas.config import AnySink
from sinks.delivery.courier import Courier
from sinks.delivery.kinds import connect
from sinks.delivery.letters import DeadLetters
from streams.journal import Journal
from tests.sinks.alerts import body
from tests.sinks.rsyslog import Rsyslog, wait

ROOT = Path(__file__).parents[1]
COMMIT = 5_000
LOOKS = 8  # at memory, over the whole way
TEN = b"HTTP/1.1 204 No Content\r\n\r\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("alerts", type=int, nargs="?", default=20_000)
    parser.add_argument("--forward", nargs=2, metavar=("FOLDER", "ENTRY"), help="one row")
    args = parser.parse_args()
    if args.forward:
        forward(Path(args.forward[0]), orjson.loads(args.forward[1]), args.alerts)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print("| run | alerts | s | alerts/s | MB/s | processor s | MB of memory over time |")
        print("|---|---|---|---|---|---|---|")
        for format_ in ("json", "cef"):
            with Rsyslog(folder / f"siem-{format_}", "tls") as rsyslog:
                row(f"rsyslog, TLS, {format_}", folder, rsyslog.entry | {"format": format_}, args.alerts)
                wait(lambda rsyslog=rsyslog: rsyslog.count() == args.alerts)
                if format_ == "cef":
                    peer(folder, rsyslog, args.alerts)
                (rsyslog.folder / "stored.jsonl").unlink()
        with receiver() as port:
            entry = {"name": "soc", "kind": "webhook", "url": f"http://127.0.0.1:{port}/"}
            row("HTTP, a request per alert", folder, entry, args.alerts)


def row(name: str, folder: Path, entry: dict[str, Any], alerts: int) -> None:
    """One process that carries it all."""
    where = folder / entry["kind"]
    fill(where, entry["name"], alerts)
    words = [sys.executable, __file__, str(alerts), "--forward", str(where)]
    done = subprocess.run(
        [*words, orjson.dumps(entry).decode()], check=True, capture_output=True, cwd=ROOT
    )
    told = orjson.loads(done.stdout)
    memory = " ".join(str(mb) for mb in told["memory"])
    print(
        f"| {name} | {alerts:,} | {told['seconds']:.1f} | {alerts / told['seconds']:,.0f} |"
        f" {told['bytes'] / told['seconds'] / 1e6:.1f} | {told['processor']:.1f} | {memory} |",
        flush=True,
    )
