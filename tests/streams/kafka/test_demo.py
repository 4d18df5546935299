"""The demo through the Kafka driver: equal to a replay, whatever the partitions and workers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from correlators.ruleset import builtin, parse
from infra.demo import scenario
from infra.dev.broker import Broker
from infra.replaying import Order, replay
from schemas.config import Config
from schemas.times import parse as time_of
from tests.streams.kafka.site import CONFIG, SOURCES

UNTIL = "2026-03-04T00:00:00Z"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    scenario.write(folder)
    return folder


@pytest.fixture(scope="module")
def want(records: Path, tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    out = tmp_path_factory.mktemp("replayed")
    rules, order = parse(builtin()), Order(until=time_of(UNTIL))
    replay(Config(), rules, [str(records)], out, order)
    files = (out / "findings.jsonl", out / "alerts.jsonl")
    return finals(orjson.loads(line) for file in files for line in file.read_bytes().splitlines())


def finals(bodies: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    """Ids with the hashes of their bodies, as their last words were."""
    last = {body["id"]: body for body in bodies}
    assert {body["meta"]["state"] for body in last.values()} <= {"final", "withdrawn"}
    return {
        (id_, body["body_sha256"]) for id_, body in last.items() if body["meta"]["state"] == "final"
    }


def told(config: Path, *command: str) -> str:
    run = [sys.executable, "-m", "infra", "--config", str(config), *command]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.kafka
@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_final_results_are_those_of_a_replay(
    workers: int,
    partitions: int,
    broker: Broker,
    prefix: str,
    records: Path,
    want: set[tuple[str, str]],
    tmp_path: Path,
) -> None:
    configs = [tmp_path / f"{worker}.toml" for worker in range(workers)]
    for config in configs:
        place = {"data": tmp_path / config.stem, "bootstrap": broker.bootstrap}
        config.write_text(CONFIG.format(**place, prefix=prefix, partitions=partitions, batch=300))
    raw = [option for source in SOURCES.values() for option in ("--raw", source)]
    told(configs[0], "topics", "create", *raw)
    for folder, source in SOURCES.items():
        told(configs[0], "produce", str(records / folder), "--topic", f"raw.{source}")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "infra", "--config", config, "run", "--until", UNTIL],
            stderr=subprocess.PIPE,
            text=True,
        )
        for config in configs
    ]
    for worker in running:
        _, said = worker.communicate(timeout=240)
        assert worker.returncode == 0, said
    assert finals(results(broker, prefix)) == want


def results(broker: Broker, prefix: str) -> Iterator[dict[str, Any]]:
    """What lies in the topics of findings and alerts, in the order of each partition."""
    consumer: Any = KafkaConsumer(**broker.client(), isolation_level="read_committed")
    with closing(consumer):
        topics = [f"{prefix}{name}" for name in ("findings", "alerts")]
        places = [TopicPartition(t, p) for t in topics for p in consumer.partitions_for_topic(t)]
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(200).values():
                yield from (orjson.loads(record.value) for record in records)
