"""Syslog under a real receiver that is killed, stopped, paused, and a sender that is killed."""

import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sinks.alerts import lives
from tests.sinks.rsyslog import Rsyslog, Security, client, wait
from tests.sinks.storms import Carrier, Told, survived

ALERTS = 400


def told(rsyslog: Rsyslog) -> list[Told]:
    """All states that it stored, in its order, by the structured data alone."""
    found: list[Told] = []
    for one in rsyslog.stored():
        words = dict(pair.split("=", 1) for pair in one.data[1:-1].split(" ")[1:5])
        id_, revision, status = (words[name].strip('"') for name in ("id", "revision", "status"))
        found.append(Told(id_, int(revision), status != "open"))
    return found


@pytest.mark.parametrize("security", ["plain", "mutual"])
def test_nothing_is_lost_when_both_ends_are_killed(tmp_path: Path, security: Security) -> None:
    results = lives(ALERTS)
    with Rsyslog(tmp_path / "siem", security) as rsyslog:
        mine = client(tmp_path / "siem") if security == "mutual" else {}
        carrier = Carrier(tmp_path / "ours", rsyslog.entry | mine, results)
        kills = weathered(rsyslog, carrier, len(results), random.Random(security))
    survived(carrier, results, told(rsyslog), kills)


def weathered(rsyslog: Rsyslog, carrier: Carrier, results: int, rng: random.Random) -> int:
    """Run the carrier to its end; at some counts of what is stored something happens to either."""
    killed = 0

    def sender() -> None:
        nonlocal killed
        carrier.kill()
        killed += carrier.ended() == -signal.SIGKILL
        carrier.start()

    def away(how: Callable[[], None]) -> Callable[[], None]:
        def happen() -> None:
            how()
            sender()
            rsyslog.start()

        return happen

    def slow() -> None:
        rsyslog.pause()
        sender()
        rsyslog.resume()

    events: list[Callable[[], None]] = [away(rsyslog.kill), away(rsyslog.stop), slow]
    rng.shuffle(events)
    rsyslog.stop()  # so that the first kill surely meets a sender that has something to do
    carrier.start()
    wait(lambda: carrier.begun)
    sender()
    rsyslog.start()
    for place, event in enumerate(events):
        due = rng.randint(1, results // len(events)) + place * results // len(events)
        wait(lambda due=due: rsyslog.count() >= due or carrier.over)  # type: ignore[misc]
        event()
    while (code := carrier.ended()) == -signal.SIGKILL:
        killed += 1
        carrier.start()
    assert code == 0
    return killed
