"""Topic outboxes on a real broker: what one sink gets, and where it goes on."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from schemas.rows import ResultKind
from sinks.delivery.courier import IDLE
from sinks.delivery.sink import Delivered
from sinks.jsonl import Jsonl
from streams.kafka.outbox import STEP
from tests.streams.kafka.carrying import (
    KAFKA,
    Carrying,
    Receiver,
    alert,
    alerts,
    idle,
    running,
    until,
)

pytestmark = pytest.mark.kafka


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "kafka")  # as a worker does; what is kept holds sockets


@pytest.mark.parametrize("local", [True, False])
def test_a_new_sink_begins_with_the_oldest_and_goes_on_where_it_was(
    results: KafkaConfig, put: Callable[..., None], tmp_path: Path, *, local: bool
) -> None:
    put(*alerts(50))
    first = Receiver(local=local)
    courier = Carrying(results, tmp_path, first)
    until(lambda: len(first.taken) == 50, courier)
    courier.close()
    put(alert("a7", 2), alert("b"))
    second = Receiver(local=local)
    courier = Carrying(results, tmp_path, second)
    until(lambda: len(second.taken) == 2, courier)
    idle(courier)
    courier.close()
    assert (len(first.ids), sorted(second.taken)) == (50, [("a7", 2), ("b", 1)])
    assert second.opened == ("all" if local else None)
    assert (tmp_path / "sink-soc.json").exists() == local


def test_kinds_of_several_topics_and_nothing_else(
    broker: Broker, results: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    kinds: list[ResultKind] = ["alert", "finding", "signal", "late", "event", "reject"]
    put(*(alert(kind, kind=kind) for kind in kinds))
    with KAFKA.KafkaProducer(**broker.client()) as other:
        for value, headers in ((b"{", [("barograph-schema", b"alert")]), (b"{}", [])):
            other.send(f"{results.prefix}alerts", value, b"x", headers)
    put(alert("last"))
    sink = Receiver(kinds=("alert", "signal", "reject"))
    courier = Carrying(results, tmp_path, sink)
    until(lambda: len(sink.taken) == 4, courier)
    idle(courier)
    assert sink.ids == {"alert", "signal", "reject", "last"}
    assert courier.outbox.passed == 2
    courier.close()


def test_who_keeps_up_gets_each_revision_and_who_fell_behind_the_newest(
    results: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    few = [alert("a", 1), alert("a", 2), alert("a", 3, state="withdrawn")]
    put(*few)
    behind, near, local = Receiver(), Receiver(), Receiver(local=True)
    courier = Carrying(results, tmp_path, near, "near")
    until(lambda: len(near.taken) == 3, courier)
    courier.close()
    assert near.taken == [("a", 1), ("a", 2), ("a", 3)]
    for revision in (1, 2, 3):
        put(*(alert(f"b{number}", revision) for number in range(STEP)))
    newest = {"a": 3} | {f"b{number}": 3 for number in range(STEP)}
    with running(
        Carrying(results, tmp_path, behind, "behind"), Carrying(results, tmp_path, local, "local")
    ):
        until(lambda: dict(behind.taken) == dict(local.taken) == newest)
    assert len(local.taken) == 3 + 3 * STEP
    assert len(behind.taken) < 3 + 3 * STEP
    for id_ in newest:
        revisions = [revision for one, revision in behind.taken if one == id_]
        assert revisions == sorted(revisions)


def test_the_backlog_is_what_is_not_taken(
    results: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    receiver = Receiver()
    courier = Carrying(results, tmp_path, receiver)
    with running(courier):
        until(lambda: courier.backlog == 0)
        receiver.answers = [Delivered(0, problem="away")] * 3
        put(*alerts(10))
        assert courier.backlog >= 10  # marks of transactions are counted with them
        until(lambda: courier.backlog == 0)
        assert len(receiver.taken) == 10


def test_a_local_sink_is_whole_after_its_file_is_lost(
    results: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    def carry(count: int) -> None:
        courier = Carrying(results, tmp_path, Jsonl(tmp_path / "out"), "files")
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
    results: KafkaConfig, put: Callable[..., None], tmp_path: Path
) -> None:
    put(*alerts(1))
    for places in ({f"{results.prefix}alerts/0": 99}, {"other.alerts/0": 0}):
        (tmp_path / "sink-soc.json").write_text(json.dumps({"places": places}))
        receiver = Receiver(local=True)
        courier = Carrying(results, tmp_path, receiver)
        assert courier.step() == IDLE
        assert str(courier.status.problem).startswith(
            f"{tmp_path}/sink-soc.json holds places in other topics than those of {results.prefix}"
        )
        courier.close()
        assert not receiver.taken
