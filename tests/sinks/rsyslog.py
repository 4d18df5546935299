"""A real rsyslogd on a port of its own, and certificates for it."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self

import orjson

from infra.dev.certificates import certify
from tests.conftest import absent

PATIENCE: Final = 60.0
Security = Literal["plain", "tls", "mutual"]


class Stored(NamedTuple):
    """One message as rsyslog stored it; `text` is MSG behind its BOM."""

    priority: int
    time: str
    host: str
    app: str
    msgid: str
    data: str
    text: str


class Rsyslog:
    """Listens while it is started, on the same port each time; what it stored stays.

    No queue is between its input and its file: what it has read it has stored, also if it is
    killed. `size` is its maxMessageSize, None its default.
    """

    def __init__(
        self,
        folder: Path,
        security: Security = "plain",
        *,
        udp: bool = False,
        size: str | None = None,
    ) -> None:
        if shutil.which("rsyslogd") is None:
            absent("rsyslogd is not here: apt-get install rsyslog rsyslog-gnutls")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self._out, self._security = folder / "stored.jsonl", security
        self._process: subprocess.Popen[bytes] | None = None
        if security != "plain":
            certify(folder)
        kind = "imudp" if udp else "imtcp"
        (folder / "rsyslog.conf").write_text(
            f"""
global(workDirectory="{folder}" net.enableDNS="off"{f' maxMessageSize="{size}"' if size else ""}
  defaultNetstreamDriverCAFile="{folder}/ca.pem"
  defaultNetstreamDriverCertFile="{folder}/cert.pem"
  defaultNetstreamDriverKeyFile="{folder}/key.pem")
module(load="{kind}")
template(name="stored" type="list" option.jsonf="on") {{
  property(outname="priority" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
}}
ruleset(name="store" queue.type="Direct") {{
  action(type="omfile" file="{self._out}" template="stored" flushOnTXEnd="on")
}}
input(type="{kind}" port="{self.port}" address="127.0.0.1" ruleset="store"{_driver(security)})
""",
            "utf-8",
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.resume()
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens."""
        if self._out.exists() and not self._out.read_bytes().endswith(b"\n"):
            with self._out.open("ab") as out:
                out.write(b"\n")  # a kill tore its last line
        said = (self.folder / "rsyslog.log").open("ab")
        words = ["rsyslogd", "-n", "-f", f"{self.folder}/rsyslog.conf", "-i", f"{self.folder}/pid"]
        with said:
            self._process = subprocess.Popen(words, stdout=said, stderr=said)
        try:
            wait(lambda: listens(self.port), self._process)
        except AssertionError:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it read nothing for a while."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it read on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    @property
    def entry(self) -> dict[str, object]:
        """What a sink needs to reach it."""
        told: dict[str, object] = {"name": "siem", "kind": "syslog", "host": "127.0.0.1"}
        told |= {"port": self.port, "transport": "tcp" if self._security == "plain" else "tls"}
        return told if self._security == "plain" else told | {"ca": f"{self.folder}/ca.pem"}

    def stored(self) -> list[Stored]:
        """What it has, in order; a line that a kill tore is none."""
        found: list[Stored] = []
        for line in self._out.read_bytes().splitlines() if self._out.exists() else ():
            try:
                told = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            priority, text = int(told.pop("priority")), told.pop("text").removeprefix("\ufeff")
            found.append(Stored(priority=priority, text=text, **told))
        return found

    def count(self) -> int:
        """How many lines it has."""
        if not self._out.exists():
            return 0
        with self._out.open("rb") as lines:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(2**20), b""))

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None


def client(folder: Path) -> dict[str, object]:
    """A client's certificate by the authority in `folder`, as settings of a sink."""
    key, certificate = folder / "client.key", folder / "client.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=client", "-addext", "basicConstraints=critical,CA:FALSE"]
    words += ["-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key"]
    subprocess.run([*words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return {"certificate": str(certificate), "key": str(key)}


def free_port() -> int:
    """A port that nobody has, below those that the system gives to clients."""
    for port in random.sample(range(20_001, 32_000, 2), 200):
        with socket.socket() as listener, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            try:
                listener.bind(("127.0.0.1", port))
                datagrams.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def listens(port: int) -> bool:
    """True if somebody waits there for connections or datagrams; nothing is sent to find out."""
    for kind, state in (("tcp", "0A"), ("udp", "07")):
        for line in Path(f"/proc/net/{kind}").read_text("ascii").splitlines()[1:]:
            words = line.split()
            if words[1].endswith(f":{port:04X}") and words[3] == state:
                return True
    return False


def wait(holds: Callable[[], object], process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until it holds; an AssertionError after a minute, or when the process has ended."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert process is None or process.poll() is None, "it ended"
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def _driver(security: Security) -> str:
    if security == "plain":
        return ""
    mode = 'authMode="anon"'
    if security == "mutual":
        mode = 'authMode="x509/name" permittedPeer=["client"]'
    return f' streamDriver.name="gtls" streamDriver.mode="1" streamDriver.{mode}'
