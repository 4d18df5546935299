"""A real Kafka broker on loopback: python -m infra.dev.broker start | ready | stop | wipe."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import SystemRandom
from string import Template
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.dev.certificates import certify
from infra.dev.jars import KAFKA, jars, java
from infra.exits import Exit
from schemas.errors import Mistake, Unavailable
from streams.kafka.connection import begun

_HOST: Final = "127.0.0.1"
_CLUSTER: Final = "MkU3OEVBNTcwNTJENDM2Qk"  # an id that Kafka's storage must have
_PATIENCE: Final = 90.0  # seconds for a start or a stop; each takes some 5 of them
# G1, which Java would take, marks such a small heap all the time beside us: requests are large.
_HEAP: Final = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC")
_BRIEF: Final = 3  # seconds for one answer
_PLAIN_WORD: Final = re.compile(r"[\w.-]+", re.ASCII)  # what needs no quotes in Kafka's settings


class Broker:
    """A broker whose data, settings and log are in `folder`; it outlives this process.

    `port` 0 is that of the last start in `folder`, else a free one; the port above it is taken too.
    With `users` (name -> password, `admin` among them) it wants TLS and SCRAM-SHA-512, `admin` may
    do everything and the others what ACLs allow; they are those of the first start in `folder`.
    Without, everybody may do everything. Nothing but loopback reaches it. `settings` are Kafka's
    own and win over ours: with those of a quorum it is one broker of several.
    """

    def __init__(
        self,
        folder: Path | str,
        port: int = 0,
        users: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        words = [word for user in (users or {}).items() for word in user]
        if users is not None and (
            "admin" not in users or not all(map(_PLAIN_WORD.fullmatch, words))
        ):
            raise Mistake("users of a broker: name admin too, and use letters, digits, _ . - only")
        if not 0 <= port < 65_535:
            raise Mistake(
                f"{port} cannot be the port of a broker; name one up to 65534 with --port"
            )
        self.folder = Path(folder).absolute()
        self.users = dict(users or {})
        self._more = dict(settings or {})
        self.ca = self.folder / "tls" / "ca.pem"
        self._pid = self.folder / "broker.pid"
        self._log = self.folder / "broker.log"
        self._settings = self.folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        last = self._last_port() if port == 0 or self.running else None
        self.port: Final = last or port or _free_port()

    @property
    def bootstrap(self) -> str:
        """The address for clients, as `bootstrap.servers` takes it."""
        return f"{_HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether a process of ours has `folder`, whoever started it, paused or not yet ready."""
        try:
            with self._pid.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def client(self, user: str = "admin") -> dict[str, Any]:
        """Keyword arguments by which clients of kafka-python and aiokafka connect as `user`."""
        if not self.users:
            return {"bootstrap_servers": self.bootstrap}
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_SSL",
            "ssl_context": ssl.create_default_context(cafile=str(self.ca)),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": user,
            "sasl_plain_password": self.users[user],
        }

    def start(self) -> None:
        """Start it and wait until it is ready; one that runs stays. Unavailable if it cannot."""
        if not self.running:
            self._prepare()
            self._launch()
        self.ready()

    def ready(self) -> None:
        """Wait until it takes requests; Unavailable, with the reason, if none runs or it ends."""
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            if not self.running:
                raise Unavailable(f"no broker runs in {self.folder}: {_reason(self._log)}")
            if time.monotonic() > end:
                raise Unavailable(
                    f"the broker at {self.bootstrap} does not answer; see {self._log}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in good order, if it runs; its data stays."""
        self._signal(signal.SIGTERM, signal.SIGCONT)
        self._ended()

    def kill(self) -> None:
        """End it as a power cut would, if it runs; its data stays."""
        self._signal(signal.SIGKILL)
        self._ended()

    def pause(self) -> None:
        """Halt it: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Remove `folder`; a Mistake if a broker runs there or never did."""
        if self.running:
            raise Mistake(f"a broker runs in {self.folder}; stop it first")
        if self.folder.exists():
            self._own()
            shutil.rmtree(self.folder)

    def _own(self) -> None:
        """A Mistake if `folder` holds anything that is not ours."""
        if any(self.folder.iterdir()) and not self._pid.exists():
            raise Mistake(
                f"{self.folder} is not the folder of a broker; name another with --folder"
            )

    def _prepare(self) -> None:
        """Write the settings and, the first time, the certificates and the storage."""
        for port in (self.port, self.port + 1):
            if not _free(port):
                raise Unavailable(f"port {port} of {_HOST} is taken; name another with --port")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own()
        self._pid.touch()
        parts = ["plain.properties"]
        if self.users:
            parts.append("secure.properties")  # of a name said twice, Kafka takes the last
            certify(self.ca.parent)
        values = {"port": self.port, "controller": self.port + 1}
        text = "".join((KAFKA.folder / part).read_text("utf-8") for part in parts)
        text = Template(text).substitute(values, password=self.users.get("admin"))
        more = "".join(f"{name}={value}\n" for name, value in self._more.items())
        self._settings.write_text(text + more, "utf-8")
        if not (self.folder / "data" / "meta.properties").exists():
            self._format()

    def _format(self) -> None:
        scram = [f"SCRAM-SHA-512=[name={name},password={key}]" for name, key in self.users.items()]
        options = [part for user in scram for part in ("--add-scram", user)]
        command = _command("-Xmx128m", "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c")
        with self._log.open("wb") as log:
            done = subprocess.run(  # noqa: S603 - the Java found, our arguments
                [*command, self._settings.name, *options],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                check=False,
            )
        if done.returncode != 0:
            raise Unavailable(f"Kafka could not make its storage: {_reason(self._log)}")

    def _launch(self) -> None:
        """Start the process with the lock of its pid file in its hands: it has it until it ends."""
        command = _command(*_HEAP, "kafka.Kafka", self._settings.name)
        with self._pid.open("r+b") as pid, self._log.open("wb") as log:
            try:
                fcntl.flock(pid, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # another start was quicker
            self._process = subprocess.Popen(  # noqa: S603 - the Java found, our arguments
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[pid.fileno()],
                start_new_session=True,  # Ctrl-C is not meant for it
            )
            pid.truncate()
            pid.write(b"%d\n" % self._process.pid)

    def _answers(self) -> bool:
        """Whether it takes requests now; known within seconds, also of a paused one."""
        options = self.client()
        try:
            with socket.create_connection((_HOST, self.port), _BRIEF) as connection:
                # kafka-python would wait for ever for a handshake that nobody answers.
                if self.users:
                    options["ssl_context"].wrap_socket(connection, server_hostname=_HOST).close()
            options |= dict.fromkeys(("bootstrap_timeout_ms", "request_timeout_ms"), _BRIEF * 1000)
            with contextlib.closing(begun(KafkaAdminClient, **options)) as admin:
                # Until the node itself is in the list, topics cannot be made.
                return bool(admin.describe_cluster()["brokers"])
        except (OSError, KafkaError):
            return False

    def _signal(self, *signals: signal.Signals) -> None:
        if self.running:
            pid = int(self._pid.read_text("ascii"))
            for one in signals:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.kill(pid, one)

    def _ended(self) -> None:
        end = time.monotonic() + _PATIENCE
        while self.running:
            if time.monotonic() > end:
                raise Unavailable(f"the broker in {self.folder} does not stop; see {self._log}")
            time.sleep(0.02)
        if self._process is not None:
            self._process.wait()

    def _last_port(self) -> int | None:
        try:
            said = re.search(r"(?m)^listeners=.*?:(\d+),", self._settings.read_text("utf-8"))
        except FileNotFoundError:
            return None
        return int(said[1]) if said else None


def _command(*arguments: str) -> list[str]:
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    dated = "-Dorg.slf4j.simpleLogger.showDateTime=true"
    clock = "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"
    return [java(), quiet, dated, clock, "-cp", f"{jars()}/*", *arguments]


def _free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            listener.bind((_HOST, port))
            return True
    return False


def _free_port() -> int:
    """A free port with a free one above it.

    Below those that the system gives to clients: one of these could have it while we restart.
    """
    ports = SystemRandom().sample(range(20_000, 32_000, 2), 200)
    for port in ports:
        if _free(port) and _free(port + 1):
            return port
    raise Unavailable(f"no port of {_HOST} from 20000 to 32000 is free; name another one")


def _reason(log: Path) -> str:
    """What the log of the last start says about its end, and where it is; else the mend."""
    lines = log.read_text("utf-8", errors="replace").splitlines() if log.exists() else []
    told = [line.strip()[:300] for line in lines if re.search("(Exception|Error):", line)]
    return f"{told[0]}; see {log}" if told else "start one"


def main(arguments: Sequence[str]) -> Exit:
    """Do what the first argument says to the broker in --folder; its address goes to stdout."""
    parser = argparse.ArgumentParser(prog="python -m infra.dev.broker", description=__doc__)
    parser.add_argument("verb", choices=["fetch", *_VERBS])
    parser.add_argument("--folder", type=Path, default=Path(".kafka"), help="default: .kafka")
    parser.add_argument("--port", type=int, default=9092, help="default: 9092; 0: a free one")
    args = parser.parse_args(arguments)
    try:
        if args.verb == "fetch":
            jars()
        else:
            _VERBS[args.verb](Broker(args.folder, args.port))
    except (Mistake, Unavailable) as error:
        print(f"barograph: {error}", file=sys.stderr)
        return Exit.USAGE if isinstance(error, Mistake) else Exit.UNAVAILABLE
    except OSError as error:
        sentence = f"{args.folder} cannot be used: {error.strerror}; name another with --folder"
        print(f"barograph: {sentence}", file=sys.stderr)
        return Exit.UNAVAILABLE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.OK


def _start(broker: Broker) -> None:
    if broker.running:
        print(f"a broker already runs in {broker.folder}", file=sys.stderr)
    broker.start()
    print(broker.bootstrap)


_VERBS: Final[dict[str, Callable[[Broker], None]]] = {
    "start": _start,
    "ready": Broker.ready,
    "stop": Broker.stop,
    "wipe": Broker.wipe,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
