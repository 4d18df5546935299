"""The courier over a real journal: order, retry, dead letters, and a receiver that is away."""

import resource
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import orjson
import pytest

from schemas.rows import Result, ResultKind
from sinks.delivery import courier as courier_module
from sinks.delivery.courier import IDLE, LONGEST_WAIT, Courier
from sinks.delivery.letters import DeadLetters
from sinks.delivery.letters import letters as read_letters
from sinks.delivery.sink import Delivered, Refused
from streams.journal import Journal

NOON = 1_767_268_800_000_000


class Receiver:
    """A sink that does what the test says with each batch."""

    kinds = frozenset(("signal",))
    local = False

    def __init__(self, *answers: Delivered) -> None:
        self.answers = list(answers)
        self.taken: list[str] = []
        self.asked = 0
        self.opened: list[object] = []
        self.flushed = self.closed = 0

    def open(self, bookmark: object) -> None:
        self.opened.append(bookmark)

    def write(self, batch: Sequence[Result]) -> Delivered:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else Delivered(len(batch), bookmark="all")
        self.taken += [result.id for result in batch[: answer.taken]]
        return answer

    def flush(self) -> None:
        self.flushed += 1

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as journal:
        yield journal


@pytest.fixture
def letters(tmp_path: Path) -> DeadLetters:
    return DeadLetters(tmp_path / "dead-letters.jsonl", lambda: NOON)


def courier(
    journal: Journal, receiver: Receiver, letters: DeadLetters, limit: int = 100
) -> Courier:
    journal.subscribe({"receiver": receiver.kinds})
    return Courier("receiver", receiver, journal, letters, jitter=lambda: 0.5, limit=limit)


def emit(journal: Journal, *names: str, kind: ResultKind = "signal") -> None:
    results = [Result(kind, name, 0, "final", {"name": name}) for name in names]
    journal.commit({}, {}, [msgspec.msgpack.encode(result) for result in results])


def test_results_are_carried_in_order_and_once(journal: Journal, letters: DeadLetters) -> None:
    receiver = Receiver()
    emit(journal, "a", "b")
    carrying = courier(journal, receiver, letters)
    assert carrying.step() == 0
    emit(journal, "c")
    assert carrying.step() == 0
    assert carrying.step() == IDLE
    assert receiver.taken == ["a", "b", "c"]
    assert (receiver.opened, receiver.flushed) == ([None], 1)
    assert carrying.status == (3, 0, 0, None, False)


def test_what_a_sink_does_not_want_is_passed_over(journal: Journal, letters: DeadLetters) -> None:
    emit(journal, "x", "y", kind="late")
    carrying = courier(journal, Receiver(), letters)
    assert carrying.step() == IDLE
    assert journal.cursor("receiver") == 2


def test_a_new_courier_goes_on_with_its_bookmark(journal: Journal, letters: DeadLetters) -> None:
    emit(journal, "a")
    courier(journal, Receiver(), letters).step()
    emit(journal, "b")
    receiver = Receiver()
    courier(journal, receiver, letters).step()
    assert receiver.opened == ["all"]
    assert receiver.taken == ["b"]


def test_a_sink_that_gathers_is_asked_again_when_it_said(
    journal: Journal, letters: DeadLetters
) -> None:
    receiver = Receiver(Delivered(0, wait=7.0), Delivered(1, wait=9.0), Delivered(2, wait=3.0))
    emit(journal, "a", "b")
    carrying = courier(journal, receiver, letters, limit=0)
    assert carrying.step() == 7.0
    assert carrying.status == (0, 0, 0, None, False)
    emit(journal, "c")
    assert carrying.step() == 9.0
    assert carrying.step() == 0.0
    assert (receiver.taken, letters.count) == (["a", "b", "c"], 0)


def test_failures_wait_longer_and_longer_and_success_forgets_them(
    journal: Journal, letters: DeadLetters
) -> None:
    away = Delivered(0, problem="away")
    receiver = Receiver(away, away, away, Delivered(1), away)
    emit(journal, "a", "b")
    carrying = courier(journal, receiver, letters)
    assert [carrying.step() for _ in range(3)] == [0.5, 1.0, 2.0]
    assert (carrying.status.failures, carrying.status.problem) == (3, "away")
    assert carrying.step() == 0
    assert (carrying.status.failures, carrying.status.problem) == (0, None)
    assert carrying.step() == 0.5
    assert carrying.step() == 0
    assert receiver.taken == ["a", "b"]


def test_the_wait_is_bounded_and_never_shorter_than_asked(
    journal: Journal, letters: DeadLetters
) -> None:
    receiver = Receiver(
        Delivered(0, problem="busy", wait=60.0),
        Delivered(0, problem="busy", wait=1e9),
        *[Delivered(0, problem="busy")] * 20,
    )
    emit(journal, "a")
    carrying = courier(journal, receiver, letters)
    assert [carrying.step(), carrying.step()] == [60.0, 3600.0]
    assert [carrying.step() for _ in range(20)][-1] == LONGEST_WAIT / 2


def test_a_misconfigured_receiver_keeps_its_results_and_is_tried_seldom(
    journal: Journal, letters: DeadLetters
) -> None:
    receiver = Receiver(Delivered(0, problem="401 Unauthorized", misconfigured=True))
    emit(journal, "a")
    carrying = courier(journal, receiver, letters)
    assert carrying.step() == LONGEST_WAIT
    assert carrying.status.misconfigured
    assert carrying.step() == 0
    assert receiver.taken == ["a"]
    assert not carrying.status.misconfigured


def test_a_refused_result_is_a_dead_letter_and_the_rest_goes_on(
    journal: Journal, letters: DeadLetters, tmp_path: Path
) -> None:
    refused = Refused(Result("signal", "b", 0, "final", {"name": "b"}), "400 Bad Request")
    emit(journal, "a", "b", "c")
    carrying = courier(journal, Receiver(Delivered(2, (refused,), problem="busy")), letters)
    carrying.step()
    carrying.step()
    lines = (tmp_path / "dead-letters.jsonl").read_bytes().splitlines()
    assert [orjson.loads(line) for line in lines] == [
        {
            "time": "2026-01-01T12:00:00.000000Z",
            "sink": "receiver",
            "reason": "400 Bad Request",
            "kind": "signal",
            "id": "b",
            "record": {"name": "b"},
        }
    ]
    assert (carrying.status.delivered, carrying.status.refused) == (2, 1)
    assert journal.backlog("receiver") == 0


def test_too_much_for_a_receiver_that_is_away_goes_to_the_dead_letters(
    journal: Journal, letters: DeadLetters
) -> None:
    receiver = Receiver(Delivered(0, problem="away"), Delivered(0, problem="away"))
    carrying = courier(journal, receiver, letters, limit=2)
    emit(journal, "a", "b")
    carrying.step()
    assert journal.backlog("receiver") == 2
    emit(journal, "c")
    carrying.step()
    assert journal.backlog("receiver") == 0
    assert (letters.count, carrying.status.refused) == (3, 3)
    emit(journal, "d")
    carrying.step()
    assert receiver.taken == ["d"]


def test_there_is_room_while_a_receiver_that_is_away_is_waited_for(
    journal: Journal, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier_module, "LOOK", 0.01)
    receiver = Receiver(Delivered(0, problem="401 Unauthorized", misconfigured=True))
    carrying = courier(journal, receiver, letters, limit=2)
    emit(journal, "a")
    stop = threading.Event()
    thread = threading.Thread(target=carrying.run, args=(stop,))
    thread.start()
    while carrying.status.problem is None:
        stop.wait(0.01)
    emit(journal, "b", "c")  # the next attempt is minutes away
    for _ in range(6000):
        if letters.count:
            break
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert (letters.count, journal.backlog("receiver"), receiver.asked) == (3, 0, 1)


def test_two_receivers_that_are_away_do_not_fill_the_outbox_for_each_other(
    journal: Journal,
) -> None:
    journal.subscribe({"one": {"signal"}, "other": {"late"}})
    emit(journal, "a", "b")
    emit(journal, "c", "d", kind="late")
    assert journal.outbox_size() == 4
    assert not journal.crowded(3)  # neither has more than 3 to take, so neither gives one up
    emit(journal, "e", "f")
    assert journal.crowded(3)


def test_nothing_is_taken_from_a_sink_that_writes_here(
    journal: Journal, letters: DeadLetters
) -> None:
    receiver = Receiver(Delivered(0, problem="the disk is full"))
    receiver.local = True
    carrying = courier(journal, receiver, letters, limit=1)
    emit(journal, "a", "b")
    carrying.step()
    assert journal.backlog("receiver") == 2
    carrying.step()
    assert receiver.taken == ["a", "b"]


def test_a_defect_of_a_sink_is_a_problem_that_is_shown(
    journal: Journal, letters: DeadLetters
) -> None:
    class Broken(Receiver):
        def write(self, batch: Sequence[Result]) -> Delivered:
            raise ZeroDivisionError(f"{len(batch)} / 0")

    emit(journal, "a")
    carrying = courier(journal, Broken(), letters)
    assert carrying.step() == 0.5
    assert carrying.status.problem == "ZeroDivisionError: 1 / 0"
    assert journal.backlog("receiver") == 1


def test_dead_letters_are_bounded(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "letters.jsonl", lambda: NOON, max_bytes=10)
    for name in "abc":
        letters.add("sink", [Refused(Result("signal", name, 0, "final", {}), "no")])
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == ["letters.jsonl", "letters.jsonl.1"]
    assert b'"id":"c"' in (tmp_path / "letters.jsonl").read_bytes()
    assert letters.count == 3


def test_a_dead_letter_is_not_lost_in_a_line_that_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    path.write_bytes(b'{"id":"torn')  # by a kill
    dead = DeadLetters(path, lambda: NOON)
    dead.add("sink", [Refused(Result("signal", "a", 0, "final", {}), "no")])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            dead.add("sink", [Refused(Result("signal", "b", 0, "final", {}), "no")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    dead.add("sink", [Refused(Result("signal", "c", 0, "final", {}), "no")])
    assert [letter["id"] for letter in read_letters(path)] == ["a", "c"]
    assert len(path.read_bytes().splitlines()) == 3


def test_a_dead_receiver_delays_only_itself(journal: Journal, letters: DeadLetters) -> None:
    dead, alive = Receiver(*[Delivered(0, problem="away")] * 100), Receiver()
    journal.subscribe({"dead": dead.kinds, "alive": alive.kinds})
    stop = threading.Event()
    threads = [
        threading.Thread(
            target=Courier(name, sink, journal, letters, jitter=lambda: 0.5).run, args=(stop,)
        )
        for name, sink in (("dead", dead), ("alive", alive))
    ]
    for thread in threads:
        thread.start()
    for n in range(20):
        emit(journal, str(n))
    while journal.cursor("alive") < 20:
        stop.wait(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert alive.taken == [str(n) for n in range(20)]
    assert (dead.taken, journal.backlog("dead")) == ([], 20)
    assert (dead.closed, alive.closed) == (1, 1)


def test_a_sink_that_cannot_publish_says_so_and_is_asked_again(
    journal: Journal, letters: DeadLetters
) -> None:
    said = [
        Delivered(0, problem="away", wait=9.0),
        Delivered(0, problem="who are you", misconfigured=True),
        Delivered(0),
    ]

    class Publisher(Receiver):
        def flush(self) -> Delivered | None:  # type: ignore[override]
            return said.pop(0) if said else None

    carrying = courier(journal, Publisher(), letters)
    assert carrying.step() == 9.0
    assert (carrying.status.failures, carrying.status.problem) == (1, "away")
    assert carrying.step() == LONGEST_WAIT
    assert carrying.status.misconfigured
    assert carrying.step() == IDLE
    assert (carrying.status.failures, carrying.status.problem) == (0, None)
    assert carrying.step() == IDLE
