"""Site: a deployment for a test: its topics, the records that come in, and its commands."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any, Final, NamedTuple, cast

import kafka

from infra.dev.broker import Broker
from tests.streams.kafka.cluster import Cluster

_KAFKA: Final = cast("Any", kafka)  # ships no types

SOURCES: Final = {"bom": "cyclonedx", "trivy": "trivy", "cloudtrail": "cloudtrail", "otel": "otel"}
REPORTS: Final = frozenset({"cyclonedx", "trivy"})
CONFIG: Final = """
data = "{data}"
[server]
port = 0
[limits]
batch_records = {batch}
[kafka]
bootstrap = "{bootstrap}"
prefix = "{prefix}"
partitions = {partitions}
"""
# A live worker takes a quiet input for idle and lets its clock go on; ours are of another year.
INPUT: Final = """
[[input]]
name = "{source}"
kind = "kafka"
topic = "{prefix}raw.{source}"
source = "{source}"
idle = "9d"
"""


class Document(NamedTuple):
    """A record of a raw topic: the source, the partition, and the value."""

    source: str
    partition: int
    value: bytes


def documents(folder: Path, random: Random, partitions: int) -> list[Document]:
    """The records of the scenario in `folder` in the order in which they would come in."""
    reports: list[tuple[str, bytes]] = []
    streams: list[list[tuple[str, bytes]]] = []
    for part, source in SOURCES.items():
        files = [_values(path) for path in sorted((folder / part).iterdir())]
        if source in REPORTS:
            reports += sorted(((source, file[0]) for file in files), key=lambda r: _made(r[1]))
        else:
            streams.append([(source, value) for file in files for value in file])
    merged = sorted(
        ((place / len(stream), record) for stream in streams for place, record in enumerate(stream))
    )
    return [
        Document(source, random.randrange(partitions), value)
        for source, value in (*reports, *(record for _, record in merged))
    ]


def _values(path: Path) -> list[bytes]:
    if path.suffix == ".gz":
        records = json.loads(gzip.decompress(path.read_bytes()))["Records"]
        return [json.dumps(record, separators=(",", ":")).encode() for record in records]
    return [path.read_bytes()] if path.suffix == ".json" else path.read_bytes().splitlines()


def _made(report: bytes) -> str:
    body = json.loads(report)
    made: str = body.get("CreatedAt") or body["metadata"]["timestamp"]
    return made


class Site(NamedTuple):
    """A deployment: a prefix on a broker, and a folder for what its workers keep."""

    broker: Broker | Cluster
    prefix: str
    partitions: int
    folder: Path

    def config(self, name: str) -> Path:
        """Write the configuration of a worker."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.toml"
        text = CONFIG.format(
            data=self.folder / name,
            bootstrap=self.broker.bootstrap,
            prefix=self.prefix,
            partitions=self.partitions,
            batch=100,
        )
        inputs = (INPUT.format(prefix=self.prefix, source=source) for source in SOURCES.values())
        path.write_text(text + "".join(inputs))
        return path

    def create(self) -> None:
        """Make the topics."""
        raw = [word for source in SOURCES.values() for word in ("--raw", source)]
        command(self.config("topics"), "topics", "create", *raw)


def command(config: Path, *words: str) -> str:
    """Run a command of the product to its end; what it said on stderr."""
    done = subprocess.run(line(config, *words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def line(config: Path, *words: str) -> list[str]:
    """The command line of the product with this configuration."""
    return [sys.executable, "-m", "infra", "--config", str(config), *words]


class Feed(Thread):
    """Writes documents: the reports at once, the others within `seconds`, or in a `hurry`."""

    def __init__(self, site: Site, found: Sequence[Document], seconds: float = 0) -> None:
        super().__init__(daemon=True)
        self.failed: list[BaseException] = []
        self.hurry = Event()
        self._site, self._documents, self._seconds = site, found, seconds
        self._producer = _KAFKA.KafkaProducer(
            bootstrap_servers=site.broker.bootstrap.split(","),
            max_request_size=8 * 2**20,
            acks="all",
        )

    def run(self) -> None:
        """Write all."""
        began, gap = time.monotonic(), self._seconds / len(self._documents)
        with closing(self._producer):
            for number, (source, partition, value) in enumerate(self._documents):
                topic = f"{self._site.prefix}raw.{source}"
                sending = self._producer.send(topic, value=value, partition=partition)
                sending.add_errback(self.failed.append)
                if source not in REPORTS and not self.hurry.is_set():
                    self.hurry.wait(max(0.0, began + number * gap - time.monotonic()))
            self._producer.flush()
