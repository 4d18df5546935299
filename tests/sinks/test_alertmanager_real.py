"""What a real Alertmanager shows is what the newest revisions say."""

import random
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.rows import Result
from sinks.alertmanager import Alertmanager, Settings
from sinks.delivery.memory import Memory
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Wire
from tests.conftest import absent
from tests.sinks.alerts import HOSTILE, alert, lives
from tests.sinks.figures import note
from tests.sinks.rsyslog import free_port, wait
from tests.sinks.storms import Carrier, closed

CONFIG = """
route: {receiver: nobody, group_wait: 0s, group_interval: 1s}
receivers: [{name: nobody}]
"""
Labels = dict[str, str]


class Manager:
    """A real Alertmanager; it forgets everything when it is killed."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("prometheus-alertmanager") is None:
            absent("Alertmanager is not here: apt-get install prometheus-alertmanager")
        folder.mkdir()
        self._folder, self._port = folder, free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        (folder / "am.yml").write_text(CONFIG, "utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        words = ["prometheus-alertmanager", f"--config.file={self._folder}/am.yml"]
        words += [f"--storage.path={self._folder}/data", "--cluster.listen-address="]
        words += [f"--web.listen-address=127.0.0.1:{self._port}"]
        with (self._folder / "am.log").open("ab") as said:
            self._process = subprocess.Popen(words, stdout=said, stderr=said)
        try:
            wait(self._ready, self._process)
        except AssertionError:
            self.kill()
            raise

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(60)
            self._process = None

    def alerts(self) -> list[dict[str, Any]]:
        """What it shows: all that fires."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:  # noqa: S310 - ours
            found: list[dict[str, Any]] = orjson.loads(answer.read())
        return found

    def labels(self) -> list[Labels]:
        """The labels of all that fires."""
        return [one["labels"] for one in self.alerts()]

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=10) as answer:  # noqa: S310 - ours
                return bool(answer.status == 200)
        except urllib.error.URLError:
            return False


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "manager")
    manager.start()
    yield manager
    manager.kill()


def connected(
    real: Manager,
    folder: Path,
    clock: Callable[[], float] = time.time,
    **more: Any,  # noqa: ANN401
) -> Alertmanager:
    settings = Settings.model_validate({"name": "am", "kind": "alertmanager", "url": real.url})
    settings = settings.model_copy(update=more)
    memory = Memory(folder / "sink-am.firing.sqlite")
    found = Alertmanager(settings, Wire(settings), memory, clock)
    found.open(None)
    return found


def test_it_shows_what_is_open_with_the_newest_words(real: Manager, tmp_path: Path) -> None:
    with closing(connected(real, tmp_path)) as am:
        batch = [alert("a"), alert("b", severity="low"), alert("c"), alert("d", system=HOSTILE)]
        assert am.write(batch) == Delivered(4)
        assert {one["alert_id"] for one in real.labels()} == {"a", "b", "c", "d"}
        later = [
            alert("a", 2, "final", status="resolved"),
            alert("b", 2),
            alert("c", 2, "withdrawn"),
        ]
        assert am.write(later) == Delivered(3)
    told = {one["labels"]["alert_id"]: one for one in real.alerts()}
    assert set(told) == {"b", "d"}
    assert told["b"]["labels"]["severity"] == "critical"
    assert told["b"]["annotations"]["revision"] == "2"
    assert told["b"]["startsAt"] == "2026-01-01T12:00:00.000Z"
    assert told["d"]["labels"]["system"] == HOSTILE


def test_what_fires_does_not_time_out(real: Manager, tmp_path: Path) -> None:
    ahead = 0.0
    with closing(connected(real, tmp_path, lambda: time.time() + ahead)) as am:
        am.write([alert("a")])
        (first,) = real.alerts()
        ahead = 61.0
        am.flush()
        (second,) = real.alerts()
    assert second["endsAt"] > first["endsAt"]
    assert second["fingerprint"] == first["fingerprint"]


def test_one_that_forgot_everything_is_told_again(real: Manager, tmp_path: Path) -> None:
    with closing(connected(real, tmp_path)) as am:
        am.write([alert("a"), alert("b")])
    real.kill()
    real.start()
    assert real.labels() == []
    with closing(connected(real, tmp_path)) as am:
        am.flush()
    assert {one["alert_id"] for one in real.labels()} == {"a", "b"}


def test_a_label_that_it_does_not_take_is_refused_with_its_words(
    real: Manager, tmp_path: Path
) -> None:
    with closing(connected(real, tmp_path, labels={"bad-name": "x"})) as am:
        delivered = am.write([alert("a")])
    (refused,) = delivered.refused
    assert (delivered.taken, delivered.problem) == (1, None)
    assert "answered 400 Bad Request" in refused.reason
    assert "bad-name" in refused.reason
    assert real.labels() == []


def test_after_a_storm_it_shows_the_truth(real: Manager, tmp_path: Path) -> None:
    """Sender and Alertmanager are killed in turns; what that one has lost, a flush brings back."""
    results = [raised(one) for one in lives(200)]
    entry = {"name": "am", "kind": "alertmanager", "url": real.url, "timeout": "5s"}
    carrier = Carrier(tmp_path / "ours", entry, results)
    rng, kills = random.Random(7), 0
    for place in range(3):
        real.kill()
        carrier.start()
        wait(lambda: carrier.begun)
        carrier.kill()
        kills += carrier.ended() == -signal.SIGKILL
        real.start()
        carrier.start()
        due = rng.randint(1, 60) + place * 60
        wait(lambda due=due: shown(real) >= due or carrier.over)  # type: ignore[misc]
        if place < 2:
            carrier.kill()
            kills += carrier.ended() == -signal.SIGKILL
    assert carrier.ended() == 0
    assert kills > 0
    with closing(connected(real, tmp_path / "ours")) as am:
        am.flush()
    newest = {one.id: one for one in results}
    wanted = {
        (id_, str(one.body["severity"]), str(one.body["meta"]["revision"]))
        for id_, one in newest.items()
        if not closed(one)
    }
    told = {
        (one["labels"]["alert_id"], one["labels"]["severity"], one["annotations"]["revision"])
        for one in real.alerts()
    }
    assert told == wanted
    assert (carrier.refused, carrier.witnessed) == (0, len(results))
    note("alertmanager", results=len(results), kills=kills)


def raised(result: Result) -> Result:
    """Its severity changes with its revision: each time it fires under other labels."""
    levels = ("low", "medium", "high", "critical")
    result.body["severity"] = levels[result.body["meta"]["revision"] - 1]
    return result


def shown(real: Manager) -> int:
    try:
        return len(real.alerts())
    except OSError:
        return 0
