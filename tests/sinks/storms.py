"""Storms: a sender is killed in mid-batch, its receiver is away, busy, slow; nothing may be lost.

What is checked is the same for every sink: see `survived`.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import orjson

from schemas.rows import Result
from streams.journal import Journal
from tests.sinks.alerts import lives
from tests.sinks.figures import note
from tests.sinks.receiving import Receiver, Weather

PATIENCE = 60.0  # seconds until a carrier that does not end is taken for stuck
WEATHERS: tuple[Weather, ...] = ("fair", "busy", "broken", "slow", "cut", "lost")


class Told(NamedTuple):
    """One state of an alert as a receiver took it; `closed`: it is to show as ended."""

    id: str
    revision: int
    closed: bool


class Figures(NamedTuple):
    """What a storm was like: for the eyes of who reads the log."""

    requests: int
    kills: int
    copies: int


class Carrier:
    """The process of tests/sinks/carrier.py over a folder of its own."""

    def __init__(self, folder: Path, entry: Mapping[str, Any], results: Sequence[Result]) -> None:
        self.folder, self.kind = folder, str(entry["kind"])
        self._words = [str(folder), orjson.dumps(entry).decode()]
        self.process: subprocess.Popen[bytes] | None = None
        with Journal(folder / "journal.sqlite") as journal:
            journal.subscribe({str(entry["name"]): ["alert"], "witness": ["alert"]})
            journal.commit({}, {}, [msgspec.msgpack.encode(_unstamped(one)) for one in results])

    def start(self) -> None:
        """Begin, or go on behind what is saved."""
        words = [sys.executable, "-m", "tests.sinks.carrier", *self._words]
        self.process = subprocess.Popen(words)

    def kill(self) -> None:
        """SIGKILL, as the kernel does it to who takes too much memory."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)

    def ended(self) -> int:
        """The exit code; waits for it."""
        if self.process is None:
            raise AssertionError("it was not started")
        return self.process.wait(PATIENCE)

    @property
    def witnessed(self) -> int:
        """How many results the other sink has."""
        return (self.folder / "witness" / "alerts.jsonl").read_bytes().count(b"\n")

    @property
    def begun(self) -> bool:
        """True when the other sink, which nothing keeps from it, has taken something."""
        try:
            return self.witnessed > 0
        except OSError:
            return False

    @property
    def over(self) -> bool:
        """True when the process has ended, however it did."""
        return self.process is not None and self.process.poll() is not None

    @property
    def refused(self) -> int:
        """How many results lie in the dead letters."""
        letters = self.folder / "dead-letters.jsonl"
        return letters.read_bytes().count(b"\n") if letters.exists() else 0


def weathered(receiver: Receiver, carrier: Carrier, *, seed: int, kills: int, every: int) -> int:
    """Run the carrier to its end under changing weather; how often it was killed.

    The receiver kills its sender at about every `every`th request that it took, in mid-answer.
    """
    rng = random.Random(seed)
    receiver.expect(rng.choices(WEATHERS, k=8 * every))
    due = {rng.randint(1, every) + every * number for number in range(kills)}

    def taken(number: int) -> None:
        if number in due:
            carrier.kill()

    receiver.taken = taken
    carrier.start()
    killed = 0
    while (code := carrier.ended()) == -signal.SIGKILL:
        killed += 1
        carrier.start()
    assert code == 0, f"the carrier ended with {code}"
    return killed


def survived(
    carrier: Carrier,
    results: Sequence[Result],
    told: Sequence[Told],
    kills: int,
    requests: int | None = None,
) -> int:
    """Nothing lost, in order, ended what has ended, the other sink whole; how many copies came."""
    newest = {one.id: one for one in told}
    wanted = {one.id: (one.body["meta"]["revision"], closed(one)) for one in results}
    assert {id_: (one.revision, one.closed) for id_, one in newest.items()} == wanted
    assert carrier.refused == 0
    assert carrier.witnessed == len(results)
    first: dict[str, list[int]] = {}
    for one in dict.fromkeys(told):  # each state where it came for the first time
        first.setdefault(one.id, []).append(one.revision)
    assert all(revisions == sorted(revisions) for revisions in first.values())
    assert kills > 0
    copies = len(told) - len(set(told))
    note(carrier.kind, results=len(results), kills=kills, requests=requests, copies=copies)
    return copies


def storm(
    receiver: Receiver,
    folder: Path,
    entry: Mapping[str, Any],
    told: Any,  # noqa: ANN401 - () -> Sequence[Told]
    *,
    alerts: int = 40,
    every: int = 10,
    seed: int = 1,
) -> Figures:
    """Everything at once, for a sink whose receiver is a `Receiver`.

    `told()`: all states that the receiver took, in the order in which it took them. `every`: a
    kill at about every so manyth request; fewer for sinks that send few large ones.
    """
    results = lives(alerts)
    carrier = Carrier(folder, entry, results)
    kills = weathered(receiver, carrier, seed=seed, kills=3, every=every)
    requests = len(receiver.got)
    return Figures(requests, kills, survived(carrier, results, told(), kills, requests))


def news_storm(
    receiver: Receiver, folder: Path, entry: Mapping[str, Any], *, every: int = 8
) -> list[Result]:
    """A storm for a sink that tells people; all results that it was given.

    Twice: of what waits together it tells the newest alone. What a kill leaves untold is told
    again, so copies are for the test of the sink to judge.
    """
    results, requests = lives(20), 0
    for part in (results[:20], results[20:]):
        carrier = Carrier(folder, entry, part)
        assert weathered(receiver, carrier, seed=len(part), kills=1, every=every) == 1
        requests += len(receiver.got)
        receiver.got.clear()  # the next kill is counted from here
        receiver.taken = lambda _: None
        assert carrier.refused == 0
    note(str(entry["kind"]), results=len(results), kills=2, requests=requests)
    return results


def closed(result: Result) -> bool:
    """True if a receiver is to show the alert as ended."""
    return result.state == "withdrawn" or result.body["status"] != "open"


def _unstamped(result: Result) -> Result:
    """As the engine puts it into the journal, which gives it its `meta`."""
    body = {name: value for name, value in result.body.items() if name != "meta"}
    return msgspec.structs.replace(result, body=body)
