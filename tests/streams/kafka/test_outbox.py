"""Topic outboxes and their couriers on a real broker: kills, rebalances, and who is away."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import kafka
import pytest
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from infra.dev.broker import Broker
from schemas.config import KafkaConfig, SinkConfig
from schemas.finding import State
from schemas.rows import Result, ResultKind
from sinks.delivery.courier import IDLE, LONGEST_WAIT, Courier
from sinks.delivery.letters import DeadLetters
from sinks.delivery.sink import Delivered, Sink
from sinks.jsonl import Jsonl
from sinks.webhook import connect
from streams.kafka.outbox import STEP, TopicOutbox
from streams.kafka.wire import result, topic_of

pytestmark = pytest.mark.kafka

KAFKA = cast("Any", kafka)  # ships no types
PARTITIONS = 4
RESULTS = ("alerts", "findings", "history", "dead-letters")


class Receiver:
    """A sink that takes all, until it is told to do something else."""

    def __init__(self, *, local: bool = False, kinds: Sequence[ResultKind] = ("alert",)) -> None:
        self.kinds = frozenset(kinds)
        self.local = local
        self.taken: list[tuple[str, int]] = []
        self.answers: list[Delivered] = []
        self.first = ""

    def open(self, bookmark: object) -> None:
        self.opened = bookmark

    def write(self, batch: Sequence[Result]) -> Delivered:
        self.first = batch[0].id
        answer = self.answers.pop(0) if self.answers else Delivered(len(batch), bookmark="all")
        self.taken += [(one.id, one.body["meta"]["revision"]) for one in batch[: answer.taken]]
        return answer

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    @property
    def ids(self) -> set[str]:
        return {id_ for id_, _ in self.taken}


@pytest.fixture
def config(broker: Broker, prefix: str) -> KafkaConfig:
    make(broker, prefix)
    return KafkaConfig(bootstrap=broker.bootstrap, prefix=prefix, partitions=PARTITIONS)


@pytest.fixture
def put(broker: Broker, config: KafkaConfig) -> Iterator[Callable[..., None]]:
    with producing(broker, config.prefix) as put:
        yield put


def make(broker: Broker, prefix: str) -> None:
    wanted = {prefix + name: {"num_partitions": PARTITIONS} for name in RESULTS}
    with KAFKA.KafkaAdminClient(**broker.client()) as admin:
        admin.create_topics(wanted, wait_for_metadata=True)


@contextmanager
def producing(broker: Broker, prefix: str) -> Generator[Callable[..., None]]:
    with KAFKA.KafkaProducer(**broker.client(), transactional_id=f"{prefix}t") as producer:
        producer.init_transactions()

        def put(*results: Result) -> None:
            producer.begin_transaction()
            for one in results:
                record, topic = result(one), prefix + topic_of(one.kind)
                producer.send(topic, record.value, record.key, list(record.headers))
            producer.commit_transaction()

        yield put


def alert(
    id_: str, revision: int = 1, kind: ResultKind = "alert", state: State = "provisional"
) -> Result:
    meta = {"state": state, "revision": revision, "emitted": "2026-01-01T12:00:00.000000Z"}
    body = {"id": id_, "stage": "watch", "peak_stage": "watch", "status": "open", "meta": meta}
    return Result(kind, id_, 0, state, body)


def alerts(count: int, revision: int = 1) -> list[Result]:
    return [alert(f"a{number}", revision) for number in range(count)]


class Carrying(Courier):
    """A courier with what it carries from and to."""

    def __init__(self, config: KafkaConfig, folder: Path, sink: Sink, name: str = "soc") -> None:
        self.sink = sink
        self.outbox = TopicOutbox(config, name, sink.kinds, folder, local=sink.local)
        letters = DeadLetters(folder / "dead-letters.jsonl", lambda: 0)
        super().__init__(name, sink, self.outbox, letters, jitter=lambda: 0.05, limit=None)

    def close(self) -> None:
        self.sink.close()
        self.outbox.close()


@contextmanager
def running(*couriers: Carrying) -> Generator[None]:
    stop = threading.Event()

    def run(courier: Carrying) -> None:
        courier.run(stop)
        courier.close()

    threads = [threading.Thread(target=run, args=(courier,)) for courier in couriers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def until(done: Callable[[], object], courier: Courier | None = None) -> None:
    """Wait for what must come, with the courier at work where it has no thread of its own."""
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end, courier and courier.status
        time.sleep(0.02 if courier is None else min(courier.step(), 0.02))


def idle(courier: Courier) -> None:
    until(lambda: courier.step() == IDLE, courier)


# -- one sink


@pytest.mark.parametrize("local", [True, False])
def test_a_new_sink_begins_with_the_oldest_and_goes_on_where_it_was(
    config: KafkaConfig, put: Callable[..., None], tmp_path: Path, *, local: bool
) -> None:
    put(*alerts(50))
    first = Receiver(local=local)
    courier = Carrying(config, tmp_path, first)
    until(lambda: len(first.taken) == 50, courier)
    courier.close()
    put(alert("a7", 2), alert("b"))
    second = Receiver(local=local)
    courier = Carrying(config, tmp_path, second)
    until(lambda: len(second.taken) == 2, courier)
    idle(courier)
    courier.close()
    assert (len(first.ids), sorted(second.taken)) == (50, [("a7", 2), ("b", 1)])
    assert second.opened == ("all" if local else None)
    assert (tmp_path / "sink-soc.json").exists() == local


def test_kinds_of_several_topics_and_nothing_else(
    broker: Broker, config: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    kinds: list[ResultKind] = ["alert", "finding", "signal", "late", "event", "reject"]
    put(*(alert(kind, kind=kind) for kind in kinds))
    with KAFKA.KafkaProducer(**broker.client()) as other:
        for value, headers in ((b"{", [("barograph-schema", b"alert")]), (b"{}", [])):
            other.send(f"{config.prefix}alerts", value, b"x", headers)
    put(alert("last"))
    sink = Receiver(kinds=("alert", "signal", "reject"))
    courier = Carrying(config, tmp_path, sink)
    until(lambda: len(sink.taken) == 4, courier)
    idle(courier)
    assert sink.ids == {"alert", "signal", "reject", "last"}
    assert courier.outbox.passed == 2
    courier.close()


def test_who_keeps_up_gets_each_revision_and_who_fell_behind_the_newest(
    config: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    few = [alert("a", 1), alert("a", 2), alert("a", 3, state="withdrawn")]
    put(*few)
    behind, near, local = Receiver(), Receiver(), Receiver(local=True)
    courier = Carrying(config, tmp_path, near, "near")
    until(lambda: len(near.taken) == 3, courier)
    courier.close()
    assert near.taken == [("a", 1), ("a", 2), ("a", 3)]
    for revision in (1, 2, 3):
        put(*(alert(f"b{number}", revision) for number in range(STEP)))
    newest = {"a": 3} | {f"b{number}": 3 for number in range(STEP)}
    with running(
        Carrying(config, tmp_path, behind, "behind"), Carrying(config, tmp_path, local, "local")
    ):
        until(lambda: dict(behind.taken) == dict(local.taken) == newest)
    assert len(local.taken) == 3 + 3 * STEP
    assert len(behind.taken) < 3 + 3 * STEP
    for id_ in newest:
        revisions = [revision for one, revision in behind.taken if one == id_]
        assert revisions == sorted(revisions)


def test_the_backlog_is_what_is_not_taken(
    config: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    receiver = Receiver()
    courier = Carrying(config, tmp_path, receiver)
    with running(courier):
        until(lambda: courier.backlog == 0)
        receiver.answers = [Delivered(0, problem="away")] * 3
        put(*alerts(10))
        assert courier.backlog >= 10  # marks of transactions are counted with them
        until(lambda: courier.backlog == 0)
        assert len(receiver.taken) == 10


def test_a_local_sink_is_whole_after_its_file_is_lost(
    config: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    def carry(count: int) -> None:
        courier = Carrying(config, tmp_path, Jsonl(tmp_path / "out"), "files")
        until(lambda: courier.status.delivered == count, courier)
        idle(courier)
        courier.close()

    put(*alerts(5))
    carry(5)
    put(alert("b"))
    carry(1)
    file = tmp_path / "out" / "alerts.jsonl"
    before = sorted(file.read_text().splitlines())
    assert len(before) == 6
    (tmp_path / "sink-files.json").unlink()
    carry(6)
    assert sorted(file.read_text().splitlines()) == before


def test_places_of_other_topics_are_not_taken_for_ours(
    config: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    put(*alerts(1))
    for places in ({f"{config.prefix}alerts/0": 99}, {"other.alerts/0": 0}):
        (tmp_path / "sink-soc.json").write_text(json.dumps({"places": places}))
        receiver = Receiver(local=True)
        courier = Carrying(config, tmp_path, receiver)
        assert courier.step() == IDLE
        assert str(courier.status.problem).startswith(
            f"{tmp_path}/sink-soc.json holds places in other topics than those of {config.prefix}"
        )
        courier.close()
        assert not receiver.taken


# -- kills


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.streams.kafka.test_outbox import Carrying, Receiver
from schemas.config import KafkaConfig

class Killed(Receiver):
    def write(self, batch):
        delivered = super().write(batch)
        print(*sorted(self.ids), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

config = KafkaConfig.model_validate_json(sys.argv[1])
courier = Carrying(config, Path(sys.argv[2]), Killed(local=sys.argv[3] == "True"))
while True:
    courier.step()
"""


@pytest.mark.parametrize("local", [True, False])
def test_what_a_killed_process_had_not_saved_comes_again(
    config: KafkaConfig, put: Callable[..., None], tmp_path: Path, *, local: bool
) -> None:
    put(*alerts(20))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, config.model_dump_json(), str(tmp_path), str(local)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=False,
        text=True,
    )
    assert killed.returncode == -9, killed.stderr
    assert killed.stdout.split()
    receiver = Receiver(local=local)
    courier = Carrying(config, tmp_path, receiver)
    until(lambda: len(receiver.taken) == 20, courier)  # a group waits for who died for ten seconds
    idle(courier)
    courier.close()
    assert len(receiver.taken) == len(receiver.ids) == 20


# -- several members, several sinks


def test_two_members_share_the_partitions_and_lose_nothing(
    config: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    one, two = Receiver(), Receiver()
    sent = 0

    def more() -> None:
        nonlocal sent
        put(*(alert(f"a{sent + number}") for number in range(40)))
        sent += 40

    with running(Carrying(config, tmp_path, one)):
        more()
        until(lambda: one.taken)
        with running(Carrying(config, tmp_path, two)):
            while not two.taken:
                more()
                time.sleep(0.1)
            alone = len(one.taken)
            more()
            until(lambda: len(one.ids | two.ids) == sent)
            assert len(one.taken) > alone
        more()
        until(lambda: len(one.ids | two.ids) == sent)
    assert len(one.taken) + len(two.taken) == sent


def test_who_waits_for_its_receiver_lets_partitions_go(
    config: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    one, two = Receiver(), Receiver()
    one.answers = [Delivered(0, problem="401 Unauthorized", misconfigured=True)] * 100
    put(*alerts(40))
    waiting, fresh = Carrying(config, tmp_path, one), Carrying(config, tmp_path, two)
    with running(waiting):
        until(lambda: waiting.status.misconfigured)  # and waits for LONGEST_WAIT now
        assert LONGEST_WAIT > 60
        with running(fresh):
            until(lambda: two.taken)
            assert one.taken == []


class Soc:
    """An HTTP receiver on a port that is ours while it is away, too."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                got.append((body["data"]["id"], body["data"]["meta"]["revision"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        self._server.server_bind()  # without listening: connections are refused
        self._thread = threading.Thread(target=self._server.serve_forever)
        host, port = self._server.server_address[:2]
        self.sink = SinkConfig(name="soc", kind="webhook", url=f"http://{host!s}:{port}/")

    @contextmanager
    def up(self) -> Generator[None]:
        self._server.server_activate()
        self._thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


def test_a_receiver_that_is_down_delays_only_itself_and_gets_every_alert_in_the_end(
    config: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    well, down = Soc(), Soc()
    good = Carrying(config, tmp_path, connect(well.sink, tmp_path), "well")
    bad = Carrying(config, tmp_path, connect(down.sink, tmp_path), "down")
    newest = {f"a{number}": 3 + number % 2 for number in range(300)}
    with well.up(), running(good, bad):
        for revision in (1, 2, 3):
            put(*alerts(300, revision))
        put(*(alert(id_, 4) for id_, revision in newest.items() if revision == 4))
        until(lambda: dict(well.got) == newest)
        assert "Connection refused" in str(bad.status.problem)
        assert (down.got, good.status.problem) == ([], None)
        with down.up():
            until(lambda: dict(down.got) == newest)
            until(lambda: bad.status.problem is None)
        assert len(set(down.got)) == len(down.got)
    assert not (tmp_path / "dead-letters.jsonl").exists()


# -- the broker


# kafka-python leaves it to the garbage collector to close sockets that never connected.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_broker_that_goes_and_comes_back(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker")
    config = KafkaConfig(bootstrap=broker.bootstrap, prefix="b.", partitions=PARTITIONS)
    local, remote = Receiver(local=True), Receiver()
    couriers = [
        Carrying(config, tmp_path, local, "local"),
        Carrying(config, tmp_path, remote, "remote"),
    ]
    away = f"the Kafka broker at {broker.bootstrap} is not to be reached"
    try:
        with running(*couriers):
            until(lambda: all(away in str(one.status.problem) for one in couriers))
            broker.start()
            make(broker, "b.")
            with producing(broker, "b.") as put:
                put(*alerts(100))
            until(lambda: len(local.ids) == len(remote.ids) == 100)
            until(lambda: not any(one.status.problem for one in couriers))
            broker.kill()
            until(lambda: all(away in str(one.status.problem) for one in couriers))
            broker.start()
            with producing(broker, "b.") as put:
                put(*(alert(f"b{number}") for number in range(100)))
            until(lambda: len(local.ids) == len(remote.ids) == 200)
            until(lambda: not any(one.status.problem for one in couriers))
        assert len(local.taken) == 200
    finally:
        broker.stop()
        gc.collect()


def test_each_right_that_is_lacking_is_named(
    secure_broker: Broker, prefix: str, tmp_path: Path
) -> None:
    make(secure_broker, prefix)
    config = KafkaConfig.model_validate(
        {
            "bootstrap": secure_broker.bootstrap,
            "prefix": prefix,
            "partitions": PARTITIONS,
            "tls": True,
            "ca": str(secure_broker.ca),
            "username": "guest",
            "password": secure_broker.users["guest"],
        }
    )
    topic, group = f"{prefix}alerts", f"{prefix}sink.soc"
    mend = "barograph topics rights guest names all that it needs"
    remote, local = Receiver(), Receiver(local=True)
    couriers = [Carrying(config, tmp_path, sink) for sink in (remote, local)]
    with KAFKA.KafkaAdminClient(**secure_broker.client()) as chief, running(*couriers):
        no_topic = f"user guest lacks READ on topic {topic}; {mend}"
        no_group = f"user guest lacks READ on group {group}; {mend}"
        until(lambda: [one.status.problem for one in couriers] == [no_group, no_topic])
        chief.create_acls([allowed(ResourceType.GROUP, group)])
        until(lambda: couriers[0].status.problem == no_topic)
        chief.create_acls([allowed(ResourceType.TOPIC, topic)])
        until(lambda: not any(one.status.problem for one in couriers))


def allowed(kind: ResourceType, name: str) -> ACL:
    return ACL(
        principal="User:guest",
        host="*",
        operation=ACLOperation.READ,
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(kind, name),
    )
