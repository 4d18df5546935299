"""Couriers over topics in tests: sinks, alerts, and who carries them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import kafka

from infra.dev.broker import Broker
from schemas.config import AnySink, KafkaConfig
from schemas.finding import State
from schemas.rows import Result, ResultKind
from sinks.delivery.courier import IDLE, Courier
from sinks.delivery.letters import DeadLetters
from sinks.delivery.sink import Delivered, Sink
from streams.kafka.outbox import TopicOutbox
from streams.kafka.wire import result, topic_of

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
    body: dict[str, object] = {"id": id_, "stage": "watch", "peak_stage": "watch"}
    body |= {"status": "open", "system": "support-bot", "confidence": 0.5, "meta": meta}
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
        self.sink = AnySink.model_validate(
            {"name": "soc", "kind": "webhook", "url": f"http://{host!s}:{port}/"}
        )

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
