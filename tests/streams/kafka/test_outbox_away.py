"""Topic outboxes on a real broker: kills, rebalances, and who is away."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from sinks.delivery.courier import LONGEST_WAIT
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered
from tests.streams.kafka.carrying import (
    KAFKA,
    PARTITIONS,
    Carrying,
    Receiver,
    Soc,
    alert,
    alerts,
    idle,
    make,
    producing,
    running,
    until,
)

pytestmark = pytest.mark.kafka

AWAY = float(os.environ.get("BAROGRAPH_AWAY", "0"))  # seconds; `make outage` has 600
ROUND = 10.0  # seconds from one revision to the next while a receiver is away


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "kafka")  # as a worker does; what is kept holds sockets


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.streams.kafka.carrying import Carrying, Receiver
from schemas.config import KafkaConfig

class Killed(Receiver):
    def write(self, batch):
        delivered = super().write(batch)
        print(*sorted(self.ids), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

results = KafkaConfig.model_validate_json(sys.argv[1])
courier = Carrying(results, Path(sys.argv[2]), Killed(local=sys.argv[3] == "True"))
while True:
    courier.step()
"""


@pytest.mark.parametrize("local", [True, False])
def test_what_a_killed_process_had_not_saved_comes_again(
    results: KafkaConfig, put: Callable[..., None], tmp_path: Path, *, local: bool
) -> None:
    put(*alerts(20))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, results.model_dump_json(), str(tmp_path), str(local)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=False,
        text=True,
    )
    assert killed.returncode == -9, killed.stderr
    assert killed.stdout.split()
    receiver = Receiver(local=local)
    courier = Carrying(results, tmp_path, receiver)
    until(lambda: len(receiver.taken) == 20, courier)  # a group waits for who died for ten seconds
    idle(courier)
    courier.close()
    assert len(receiver.taken) == len(receiver.ids) == 20


def test_two_members_share_the_partitions_and_lose_nothing(
    results: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    one, two = Receiver(), Receiver()
    sent = 0

    def more() -> None:
        nonlocal sent
        put(*(alert(f"a{sent + number}") for number in range(40)))
        sent += 40

    with running(Carrying(results, tmp_path, one)):
        more()
        until(lambda: one.taken)
        with running(Carrying(results, tmp_path, two)):
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
    results: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    one, two = Receiver(), Receiver()
    one.answers = [Delivered(0, problem="401 Unauthorized", misconfigured=True)] * 100
    put(*alerts(40))
    waiting, fresh = Carrying(results, tmp_path, one), Carrying(results, tmp_path, two)
    with running(waiting):
        until(lambda: waiting.status.misconfigured)  # and waits for LONGEST_WAIT now
        assert LONGEST_WAIT > 60
        with running(fresh):
            until(lambda: two.taken)
            assert one.taken == []


def test_a_receiver_that_is_down_delays_only_itself_and_gets_every_alert_in_the_end(
    results: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    well, down = Soc(), Soc()
    good = Carrying(results, tmp_path, connect(well.sink, tmp_path), "well")
    bad = Carrying(results, tmp_path, connect(down.sink, tmp_path), "down")
    newest = {f"a{number}": 3 + number % 2 for number in range(300)}
    with well.up(), running(good, bad):
        for revision in (1, 2, 3):
            put(*alerts(300, revision))
        put(*(alert(id_, 4) for id_, revision in newest.items() if revision == 4))
        until(lambda: dict(well.got) == newest)
        for revision in range(5, 5 + int(AWAY / ROUND)):
            time.sleep(ROUND)
            put(*(alert(id_, revision) for id_ in newest))
            newest.update(dict.fromkeys(newest, revision))
            until(lambda: dict(well.got) == newest)
        assert "Connection refused" in str(bad.status.problem)
        assert (down.got, good.status.problem) == ([], None)
        with down.up():
            until(lambda: dict(down.got) == newest)
            until(lambda: bad.status.problem is None)
        assert len(set(down.got)) == len(down.got)
    assert not (tmp_path / "dead-letters.jsonl").exists()


# kafka-python leaves it to the garbage collector to close sockets that never connected.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_broker_that_goes_and_comes_back(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker")
    results = KafkaConfig(bootstrap=broker.bootstrap, prefix="b.", partitions=PARTITIONS)
    local, remote = Receiver(local=True), Receiver()
    couriers = [
        Carrying(results, tmp_path, local, "local"),
        Carrying(results, tmp_path, remote, "remote"),
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
    results = KafkaConfig.model_validate(
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
    couriers = [Carrying(results, tmp_path, sink) for sink in (remote, local)]
    with KAFKA.KafkaAdminClient(**secure_broker.client()) as chief, running(*couriers):
        no_topic = f"user guest lacks READ on topic {topic}; {mend}"
        no_group = f"user guest lacks READ on group {group}; {mend}"
        until(lambda: [one.status.problem for one in couriers] == [no_topic, no_topic])
        chief.create_acls([allowed(ResourceType.TOPIC, topic)])
        until(lambda: [one.status.problem for one in couriers] == [no_group, None])
        chief.create_acls([allowed(ResourceType.GROUP, group)])
        until(lambda: not any(one.status.problem for one in couriers))


def allowed(kind: ResourceType, name: str) -> ACL:
    return ACL(
        principal="User:guest",
        host="*",
        operation=ACLOperation.READ,
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(kind, name),
    )
