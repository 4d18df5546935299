"""Threads: the engine's own and one for each sink, from start to a stop that loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Event, Thread

from infra.service.loop import Loop
from sinks.delivery.courier import Courier

DRAIN = 20.0  # seconds that sinks have to take the rest at a stop


class Carriers:
    """A thread for each courier."""

    def __init__(self, couriers: Sequence[Courier]) -> None:
        self.couriers = couriers
        self._halt = Event()
        self._threads = [
            Thread(target=courier.run, args=(self._halt,), name=f"sink-{courier.name}")
            for courier in couriers
        ]

    def start(self) -> None:
        """Start all of them."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Give the sinks that take something the time to take the rest, and wait for all."""
        deadline = time.monotonic() + DRAIN
        try:
            while time.monotonic() < deadline:
                if all(c.status.problem or not c.backlog for c in self.couriers):
                    break
                time.sleep(0.05)
        finally:  # also where the outbox cannot be asked: no thread outlives this
            self._halt.set()
            for thread in self._threads:
                thread.join()


class Threads:
    """`ended` is called, in the engine's thread, when that comes to its end by itself or fails."""

    def __init__(self, loop: Loop, carriers: Carriers, ended: Callable[[], object]) -> None:
        self._loop, self._carriers, self._ended = loop, carriers, ended
        self._halt = Event()
        self._failure: BaseException | None = None
        self._engine = Thread(target=self._run, name="engine")

    @property
    def alive(self) -> bool:
        """True while the engine runs."""
        return self._engine.is_alive()

    def start(self) -> None:
        """Start all of them."""
        self._engine.start()
        self._carriers.start()

    def stop(self) -> None:
        """Stop the engine behind its batch, let sinks take the rest, and wait for all.

        Raises what the engine has failed with.
        """
        self._halt.set()
        self._engine.join()
        self._carriers.stop()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._loop.run(self._halt)
        except BaseException as error:  # noqa: BLE001 - carried over to who stops it
            self._failure = error
        finally:
            self._ended()
