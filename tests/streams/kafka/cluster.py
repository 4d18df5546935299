"""Cluster: several brokers of one quorum, of which a fault takes one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

from infra.dev.broker import Broker

SIZE = 3
REPLICAS = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
}


class Cluster:
    """Three brokers, each topic on all of them, two of which must have what is acknowledged.

    To whom it strikes it is one broker: `kill` takes the next of the three, `start` brings back all
    that are away.
    """

    def __init__(self, folder: Path) -> None:
        ports: dict[int, int] = {}  # by node
        while len(ports) < SIZE:
            port = Broker(folder).port  # a free one
            if port not in ports.values():
                ports[len(ports) + 1] = port
        voters = ",".join(f"{node}@127.0.0.1:{port + 1}" for node, port in ports.items())
        quorum = REPLICAS | {"controller.quorum.voters": voters}
        self._brokers = [
            Broker(folder / str(node), port, settings=quorum | {"node.id": str(node)})
            for node, port in ports.items()
        ]
        self._next: Iterator[Broker] = cycle(self._brokers)

    @property
    def bootstrap(self) -> str:
        """All of them: clients must not depend on one."""
        return ",".join(broker.bootstrap for broker in self._brokers)

    def start(self) -> None:
        """Start all together: none is ready before there is a majority."""
        self._each(Broker.start)

    def kill(self) -> None:
        """Power off the next of the three."""
        next(self._next).kill()

    def stop(self) -> None:
        """End all and remove what they kept."""
        self._each(Broker.kill)  # one that waits for a majority that is gone does not stop
        self._each(Broker.wipe)

    def _each(self, act: Callable[[Broker], None]) -> None:
        with ThreadPoolExecutor(SIZE) as pool:
            list(pool.map(act, self._brokers))
