"""Chaos: workers as processes over a real broker, and the faults that strike them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any, Final, NamedTuple, cast
from urllib.error import URLError
from urllib.request import urlopen

import kafka
from kafka import errors

from tests.streams.kafka.site import Feed, Site, line

_KAFKA: Final = cast("Any", kafka)  # ships no types

UNTIL: Final = "2026-03-04T00:00:00Z"
PATIENCE: Final = 300.0  # seconds until something that must happen is taken for lost
SOON: Final = 12.0  # seconds to wait for the moment at which a fault is to strike


class Worker:
    """A `barograph run` of its own; `ready` is the seconds from its start to its stages' work."""

    def __init__(self, config: Path, *words: str) -> None:
        self.name = config.stem
        self.said: list[str] = []
        self.url = ""
        self.ready: float | None = None
        self.stopped = False
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            line(config, "run", *words),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stderr:
            for said in stderr:
                self.said.append(said)
                if found := re.match(r"barograph: (http://\S+/readyz) says", said):
                    self.url = found[1]
                    Thread(target=self._ask, daemon=True).start()

    def _ask(self) -> None:
        while self.ready is None and self.process.poll() is None:
            time.sleep(0.1)
            if self.reasons() == []:
                self.ready = time.monotonic() - self.began

    def reasons(self) -> list[str] | None:
        """Why it is not ready, as /readyz says; None if it does not answer."""
        try:
            with urlopen(self.url, timeout=5) as answer:  # noqa: S310 - a URL of our own
                body = answer.read()
        except URLError as error:
            if not hasattr(error, "read"):
                return None
            with cast("Any", error) as answer:
                body = answer.read()
        except (OSError, ValueError):
            return None
        found: list[str] = json.loads(body)["reasons"]
        return found

    @property
    def running(self) -> bool:
        """Whether its process is there, halted or not."""
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """A signal; KILL is waited for."""
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()


class Struck(NamedTuple):
    """A fault: when, in milliseconds of the wall clock, and what."""

    at: int
    fault: str


class Storm:
    """A deployment under faults, which are told to `say`. `random` decides all that is chance."""

    def __init__(
        self, site: Site, random: Random, say: Callable[[str], None], workers: int
    ) -> None:
        self.struck: list[Struck] = []
        self.problems: list[str] = []
        self.ready: list[float] = []  # seconds from the start of a worker to its work
        self._site, self._random, self._say, self._workers = site, random, say, workers
        self._fleet: list[Worker] = []
        self._gone: list[Worker] = []
        self._zombies: list[tuple[float, Worker]] = []
        self._began = time.monotonic()
        self._number = 0
        self._words: Sequence[str] = ()
        self._ends = [
            _KAFKA.KafkaConsumer(
                bootstrap_servers=site.broker.bootstrap.split(","),
                isolation_level=isolation,
                enable_auto_commit=False,
            )
            for isolation in ("read_committed", "read_uncommitted")
        ]

    def counts(self) -> Counter[str]:
        """How often each fault struck."""
        return Counter(one.fault for one in self.struck)

    # -- faults

    def kill(self) -> None:
        """Kill a worker at any moment, soon after one of them has begun to work."""
        self._awaited(lambda: any(worker.ready and worker.running for worker in self._fleet))
        self._pause(0.0, 6.0)
        self._kill("kill")

    def kill_in_transaction(self) -> None:
        """Kill a worker while a transaction is open, its own or another's."""
        found = self._awaited(self._transaction_open)
        self._kill("kill in a transaction" if found else "kill")

    def kill_in_recovery(self) -> None:
        """Kill a worker that has just begun."""
        worker = self._start()
        self._awaited(lambda: bool(worker.url) or not worker.running)
        self._pause(0.0, 2.0)
        self._kill("kill in recovery" if worker.ready is None else "kill", worker)
        self._thin()

    def kill_in_rebalance(self) -> None:
        """Kill a worker while another one joins."""
        worker = self._start()
        self._awaited(lambda: bool(worker.url) or not worker.running)
        self._pause(0.0, 1.5)
        self._kill("kill in a rebalance", self._any(but=worker))
        self._thin()

    def join(self) -> None:
        """One more worker."""
        self._note("join")
        self._start()
        self._pause(1.0, 8.0)

    def leave(self) -> None:
        """Ask a worker to stop; it must do so in good order."""
        self._note("leave")
        worker = self._any()
        self._fleet.remove(worker)
        self._gone.append(worker)
        worker.send(signal.SIGTERM)
        try:
            worker.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.problems.append(f"{worker.name} does not leave: {worker.reasons()}")

    def kill_broker(self) -> None:
        """Power off the broker for up to 10 s."""
        self._note("kill of the broker")
        self._site.broker.kill()
        self._pause(0.0, 10.0)
        self._site.broker.start()

    def zombie(self, seconds: float = 60.0) -> None:
        """Halt a worker; the others go on, and so do the other faults, until it wakes up."""
        worker = self._any()
        self._note("zombie")
        self._fleet.remove(worker)
        worker.send(signal.SIGSTOP)
        self._zombies.append((time.monotonic() + seconds, worker))

    # -- the run

    def run(self, faults: Sequence[Callable[[], None]], last: int, feed: Feed) -> None:
        """Let the faults strike while the feed writes; then kill all, and let new ones finish.

        They work off what is there up to the end of time, under `last` more kills.
        """
        try:
            self._began = time.monotonic()
            feed.start()
            self._refill()
            self._awaited(lambda: any(worker.ready for worker in self._fleet))
            self._strike(faults)
            feed.hurry.set()
            feed.join(PATIENCE)
            self.problems += map(repr, feed.failed)
            while self._zombies:
                time.sleep(0.1)
                self._wake()
            for worker in list(self._fleet):
                self._kill("kill of all", worker)
            self._words = ("--until", UNTIL)
            self._strike([self.kill] * last)
            self._end()
        finally:
            for worker in (*self._fleet, *self._gone, *(one for _, one in self._zombies)):
                if worker.running:
                    worker.send(signal.SIGKILL)
            for client in self._ends:
                client.close()

    def _strike(self, faults: Sequence[Callable[[], None]]) -> None:
        self._refill()
        for fault in faults:
            if self._over:
                return
            fault()
            self._refill()
            self._wake()

    def _end(self) -> None:
        """All end by themselves, with 0."""
        end = time.monotonic() + PATIENCE
        everyone = [*self._fleet, *self._gone]
        while any(worker.running for worker in everyone) and time.monotonic() < end:
            time.sleep(0.1)
        for worker in everyone:
            self.ready += [] if worker.ready is None else [worker.ready]
            self._judge(worker)

    def _judge(self, worker: Worker) -> None:
        code = worker.process.poll()
        if code is None:
            self.problems.append(f"{worker.name} does not end: {worker.reasons()}")
        elif code == -signal.SIGTERM and not worker.url:
            return  # asked to leave before it could listen
        elif code not in (0, -signal.SIGKILL):
            self.problems.append(f"{worker.name} ended with {code}: {''.join(worker.said)}")

    @property
    def _over(self) -> bool:
        """A worker has ended by itself: time has come to its end everywhere."""
        return any(worker.process.poll() == 0 for worker in self._fleet)

    def _start(self) -> Worker:
        self._number += 1
        worker = Worker(self._site.config(f"worker-{self._number}"), *self._words)
        self._fleet.append(worker)
        return worker

    def _refill(self) -> None:
        """Start anew what was killed, and note what ended by itself and should not have."""
        for worker in [one for one in self._fleet if not one.running]:
            if worker.process.returncode not in (0, -signal.SIGKILL):
                self._judge(worker)
                self._fleet.remove(worker)
        while sum(worker.running for worker in self._fleet) < self._workers and not self._over:
            self._start()

    def _thin(self) -> None:
        """Not many more workers than are wanted."""
        while sum(worker.running for worker in self._fleet) > self._workers + 1:
            self.leave()

    def _wake(self) -> None:
        for due, worker in list(self._zombies):
            if time.monotonic() >= due:
                self._zombies.remove((due, worker))
                self._note("a zombie wakes up")
                worker.send(signal.SIGCONT)
                self._fleet.append(worker)

    def _kill(self, fault: str, worker: Worker | None = None) -> None:
        worker = worker or self._any()
        if not worker.running:
            return
        worker.send(signal.SIGKILL)
        self._note(fault)
        self.ready += [] if worker.ready is None else [worker.ready]
        self._fleet.remove(worker)
        self._pause(0.0, 2.0)

    def _any(self, but: Worker | None = None) -> Worker:
        return self._random.choice([w for w in self._fleet if w.running and w is not but])

    def _note(self, fault: str) -> None:
        self.struck.append(Struck(time.time_ns() // 10**6, fault))
        self._say(f"{time.monotonic() - self._began:6.1f} s  {fault}")

    def _pause(self, least: float, most: float) -> None:
        time.sleep(self._random.uniform(least, most))

    def _awaited(self, holds: Callable[[], bool]) -> bool:
        end = time.monotonic() + SOON
        while time.monotonic() < end:
            if holds():
                return True
            time.sleep(0.002)
        return False

    def _transaction_open(self) -> bool:
        topics = [f"{self._site.prefix}{name}" for name in ("history", "facts", "assess")]
        places = [
            _KAFKA.TopicPartition(topic, partition)
            for topic in topics
            for partition in range(self._site.partitions)
        ]
        try:
            committed, all_ = (client.end_offsets(places) for client in self._ends)
        except errors.KafkaError:  # the broker has just come back
            return False
        return any(committed[place] < all_[place] for place in places)


def stalls(struck: Sequence[Struck], written: Mapping[str, Sequence[int]]) -> Iterator[float]:
    """For each kill of a worker, seconds until every raw partition that goes on has gone on."""
    for one in struck:
        if not one.fault.startswith("kill") or one.fault == "kill of the broker":
            continue
        after = [min((t for t in times if t > one.at), default=0) for times in written.values()]
        if any(after):
            yield (max(after) - one.at) / 1000
