"""Forwarding: alerts to rsyslog over TLS and to an HTTP receiver, rate and memory over time.

`python benchmarks/forwarding.py 1000000`: a journal of so many alerts, then a process of its own
for each row, from the journal through the courier to a real rsyslogd (no queue, a file) or to a
receiver that reads and answers 204. Beside them rsyslog itself as the sender: omfwd over TLS, from
a file of the same messages.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import orjson

from schemas.config import AnySink
from sinks.delivery.courier import Courier
from sinks.delivery.kinds import connect
from sinks.delivery.letters import DeadLetters
from streams.journal import Journal
from tests.sinks.alerts import body
from tests.sinks.rsyslog import Rsyslog

ROOT = Path(__file__).parents[1]
ROWS = ("json", "cef", "peer", "http")
COMMIT = 5_000
LOOKS = 8  # at memory, over the whole way
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("alerts", type=int, nargs="?", default=20_000)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--forward", nargs=2, metavar=("FOLDER", "ENTRY"), help="one row")
    parser.add_argument("--receive", action="store_true", help="the receiver of HTTP")
    args = parser.parse_args()
    if args.receive:
        receive()
    if args.forward:
        forward(Path(args.forward[0]), orjson.loads(args.forward[1]), args.alerts)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print("| run | alerts | s | alerts/s | processor s | MB of memory over time |")
        print("|---|---|---|---|---|---|")
        fill(folder, ["siem-json", "siem-cef", "soc"], args.alerts)
        for format_ in sorted({"json", "cef"} & set(args.rows)):
            with Rsyslog(folder / f"siem-{format_}", "tls") as rsyslog:
                entry = rsyslog.entry | {"format": format_, "name": f"siem-{format_}"}
                row(f"rsyslog, TLS, {format_}", folder, entry, args.alerts)
                if rsyslog.count() != args.alerts:
                    raise SystemExit(f"rsyslog has stored {rsyslog.count()} of {args.alerts}")
                if "peer" in args.rows:
                    peer(folder, rsyslog, args.alerts)
                (rsyslog.folder / "stored.jsonl").unlink()
        if "http" in args.rows:
            with receiver() as port:
                entry = {"name": "soc", "kind": "webhook", "url": f"http://127.0.0.1:{port}/"}
                row("HTTP, a request per alert", folder, entry, args.alerts)


def row(name: str, folder: Path, entry: dict[str, Any], alerts: int) -> None:
    """One process that carries it all."""
    words = [sys.executable, __file__, str(alerts), "--forward", str(folder)]
    done = subprocess.run(
        [*words, orjson.dumps(entry).decode()], check=True, stdout=subprocess.PIPE, cwd=ROOT
    )
    told = orjson.loads(done.stdout)
    memory = " ".join(str(mb) for mb in told["memory"])
    print(
        f"| {name} | {alerts:,} | {told['seconds']:.1f} | {alerts / told['seconds']:,.0f} |"
        f" {told['processor']:.1f} | {memory} |",
        flush=True,
    )


def fill(where: Path, sinks: Sequence[str], alerts: int) -> None:
    """Put the alerts where the couriers find them, as the engine does it."""
    with Journal(where / "journal.sqlite") as journal:
        journal.subscribe({name: ["alert"] for name in sinks})
        for start in range(0, alerts, COMMIT):
            numbers = range(start, min(start + COMMIT, alerts))
            journal.commit({}, {}, [packed(number) for number in numbers])


def packed(number: int) -> bytes:
    """One alert, of 2.3 KB as JSON."""
    told = body(f"{number:064x}")
    del told["meta"]
    return msgspec.msgpack.encode(
        ("result", "alert", told["id"], 1_767_274_200_250_000, "provisional", told)
    )


def forward(where: Path, entry: dict[str, Any], alerts: int) -> None:
    """Carry all that waits; print seconds, processor seconds and memory over the way."""
    sink = connect(AnySink.model_validate(entry), where)
    memory: list[int] = []
    with Journal(where / "journal.sqlite") as journal:
        courier = Courier(
            entry["name"], sink, journal, DeadLetters(where / "dead", lambda: 0), jitter=lambda: 0.0
        )
        start, worked = time.perf_counter(), time.process_time()
        while courier.status.delivered < alerts:
            wait_ = courier.step()
            if courier.status.problem:
                raise SystemExit(courier.status.problem)
            if wait_:
                time.sleep(wait_)
            if courier.status.delivered >= len(memory) * alerts / LOOKS:
                memory.append(resident())
        seconds, worked = time.perf_counter() - start, time.process_time() - worked
    told = {"seconds": seconds, "processor": worked, "memory": memory}
    print(orjson.dumps(told).decode())


def resident() -> int:
    """MB that this process has at the moment."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() // 2**20


def peer(folder: Path, siem: Rsyslog, alerts: int) -> None:
    """The same messages, which `siem` has stored, sent by rsyslog itself to another rsyslog."""
    mine = folder / f"omfwd-{siem.folder.name}"
    with Rsyslog(mine / "receiver", "tls") as receiver_:
        texts = mine / "messages"
        with texts.open("wb") as out:
            for one in siem.stored():
                out.write(one.text.encode() + b"\n")
        (mine / "sender").mkdir()
        conf = mine / "sender" / "rsyslog.conf"
        conf.write_text(
            f"""
global(workDirectory="{mine}/sender" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="{receiver_.folder}/ca.pem")
module(load="imfile")
input(type="imfile" file="{texts}" tag="barograph:" ruleset="send")
ruleset(name="send") {{ action(type="omfwd" target="127.0.0.1" port="{receiver_.port}"
  protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
  StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid") }}
""",
            "utf-8",
        )
        start = time.perf_counter()
        words = ["rsyslogd", "-n", "-f", str(conf), "-i", str(mine / "sender" / "pid")]
        with subprocess.Popen(words, stderr=subprocess.DEVNULL) as sender:
            memory: list[str] = []
            while (count := receiver_.count()) < alerts:
                if count >= len(memory) * alerts / LOOKS:
                    pages = Path(f"/proc/{sender.pid}/statm").read_text("ascii").split()[1]
                    memory.append(str(int(pages) * resource.getpagesize() // 2**20))
                time.sleep(0.2)
            seconds = time.perf_counter() - start
            ticks = Path(f"/proc/{sender.pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
            worked = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
            sender.terminate()
        print(
            f"| rsyslog's omfwd, TLS, the same messages | {alerts:,} | {seconds:.1f} |"
            f" {alerts / seconds:,.0f} | {worked:.1f} | {' '.join(memory)} |",
            flush=True,
        )


@contextmanager
def receiver() -> Generator[int]:
    """A process that reads each request and says 204, as small as can be; its port."""
    words = [sys.executable, __file__, "--receive"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise SystemExit("the receiver says nothing")
        yield int(process.stdout.readline())
        process.kill()


def receive() -> None:
    """Be that receiver."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                while size := length(lines):
                    lines.read(size)
                    connection.sendall(NO_CONTENT)


def length(lines: BinaryIO) -> int:
    """The bytes of the body whose headers come; 0 at the end."""
    found = 0
    for line in lines:
        if line.lower().startswith(b"content-length:"):
            found = int(line[15:])
        if line == b"\r\n":
            break
    return found


if __name__ == "__main__":
    main()
