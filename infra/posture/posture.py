"""Posture: the collector of the gauges, which asks each snapshot once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Final, NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric

from infra.posture.ageing import Ageing
from infra.posture.controls import Controls
from infra.posture.gauges import GAUGES, Gauge
from infra.reading.reader import Reader
from infra.reading.snapshots import Identity, Snapshots
from schemas.config import SlaConfig
from schemas.errors import Mistake, Unavailable
from schemas.times import SECOND

MOST: Final = 1_000  # samples of one gauge
SECONDS: Final = 5.0  # for one query; a scrape is given up after 10 by default


class Read(NamedTuple):
    """What one snapshot says. `ages` is None, and there is nothing more, if it cannot be asked."""

    file: Identity | None
    gauges: Sequence[Metric] = ()
    ages: Ageing | None = None
    controls: Controls | None = None
    taken: int = 0


class Posture:
    """Asked from any thread; a scrape while another one reads the snapshot waits for that."""

    def __init__(self, snapshots: Snapshots, approved: Sequence[str], sla: SlaConfig) -> None:
        """`approved`: the patterns of what is no shadow AI."""
        self._snapshots, self._approved, self._sla = snapshots, list(approved), sla
        self._lock = Lock()
        self._read: Read | None = None

    def metrics(self, now: int) -> Iterator[Metric]:
        """Ages are those at `now`, in microseconds; nothing where no store is kept."""
        if not self._snapshots.kept:
            return
        read = self._newest()
        yield GaugeMetricFamily(
            "barograph_posture_up",
            "1 if the newest snapshot of the store could be asked for the posture, else 0.",
            value=float(read.ages is not None),
        )
        if read.ages is None:
            return
        yield GaugeMetricFamily(
            "barograph_snapshot_timestamp_seconds",
            "When the newest snapshot was made; there is none while nothing changes.",
            value=read.taken / SECOND,
        )
        yield from read.gauges
        yield from read.ages.metrics(self._sla, now)
        if read.controls is not None:
            yield from read.controls.metrics(now)

    def _newest(self) -> Read:
        with self._lock:
            file = self._snapshots.identity()
            if self._read is None or self._read.file is None or self._read.file != file:
                self._read = self._asked(file)
            return self._read

    def _asked(self, file: Identity | None) -> Read:
        try:
            with self._snapshots.lease() as lease:
                gauges = [_gauge(gauge, lease.reader, self._approved) for gauge in GAUGES]
                ages, controls = Ageing.of(lease.reader), Controls.of(lease.reader)
                return Read(file, gauges, ages, controls, lease.taken)
        except (Mistake, Unavailable):
            return Read(file)


def _gauge(gauge: Gauge, reader: Reader, approved: list[str]) -> Metric:
    asked = {"approved": approved} if "$approved" in gauge.query else {}
    found = gauge.zeros()
    for *labels, value in reader.run(gauge.query, asked, rows=MOST, seconds=SECONDS).rows:
        found[tuple(map(str, labels))] = float(value)
    metric = GaugeMetricFamily(f"barograph_{gauge.name}", gauge.tells, labels=gauge.labels)
    for values, value in found.items():
        metric.add_metric(values, value)
    return metric
