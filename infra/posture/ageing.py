"""Ageing: how long alerts and facts have been open, asked at any time after they were read."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final, Self

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

from infra.reading.reader import Reader
from schemas.alert import STAGES
from schemas.config import SlaConfig
from schemas.event import LEVELS
from schemas.times import DAY, HOUR, SECOND

AGES: Final = (HOUR, 4 * HOUR, 8 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY)
MOST: Final = 1_000_000  # open alerts, and open facts
_ALERTS: Final = """
SELECT stage, severity, epoch_us(onset_time)
FROM open_alerts WHERE onset_time IS NOT NULL ORDER BY onset_time"""
_FACTS: Final = """
SELECT severity, epoch_us(since) FROM estate_facts
WHERE state = 'open' AND since IS NOT NULL AND severity IS NOT NULL
ORDER BY since"""
Onsets = dict[str, "array[int]"]


class Ageing:
    """Since when what is open has been so, oldest first, in microseconds."""

    def __init__(
        self, alerts: Iterable[tuple[str, str, int]], facts: Iterable[tuple[str, int]]
    ) -> None:
        """Of alerts stage, severity and onset, of facts severity and onset; each oldest first."""
        self._stages: Onsets = {stage: array("q") for stage in STAGES}
        self._severities: Onsets = {level: array("q") for level in LEVELS}
        self._facts: Onsets = {level: array("q") for level in LEVELS}
        for stage, severity, onset in alerts:
            self._stages.setdefault(stage, array("q")).append(onset)
            self._severities.setdefault(severity, array("q")).append(onset)
        for severity, onset in facts:
            self._facts.setdefault(severity, array("q")).append(onset)

    @classmethod
    def of(cls, reader: Reader) -> Self:
        """As the snapshot has them."""
        alerts = reader.run(_ALERTS, rows=MOST).rows
        return cls(
            ((row[0], row[1], row[2]) for row in alerts),
            ((row[0], row[1]) for row in reader.run(_FACTS, rows=MOST).rows),
        )

    def metrics(self, sla: SlaConfig, now: int) -> Iterator[Metric]:
        """Their ages at `now`; what begins later than that has age 0."""
        oldest = GaugeMetricFamily(
            "barograph_alert_oldest_seconds",
            "Since when the oldest open alert has been open; 0 where none is.",
            labels=["stage"],
        )
        for stage, onsets in self._stages.items():
            age = now - onsets[0] if onsets else 0
            oldest.add_metric([stage], max(0, age) / SECOND)
        yield oldest
        yield _overdue("alerts", "stage", self._stages, sla, now)
        yield _overdue("facts", "severity", self._facts, sla, now)
        ages = HistogramMetricFamily(
            "barograph_alerts_age_seconds",
            "Open alerts by the time since their onset. A state, no flow: do not take its rate.",
            labels=["severity"],
        )
        for severity, onsets in self._severities.items():
            # Those at most so old are those that began at now - age or later.
            buckets = [
                (str(age / SECOND), float(len(onsets) - bisect_left(onsets, now - age)))
                for age in AGES
            ]
            total = sum(max(0, now - onset) for onset in onsets) / SECOND
            ages.add_metric([severity], [*buckets, ("+Inf", float(len(onsets)))], total)
        yield ages


def _overdue(what: str, label: str, onsets: Onsets, sla: SlaConfig, now: int) -> Metric:
    """Those older than [sla] lets them be; what it sets no time for is never overdue."""
    metric = GaugeMetricFamily(
        f"barograph_{what}_overdue",
        f"Open {what} that have stood for longer than [sla] says.",
        labels=[label],
    )
    for name, times in onsets.items():
        most = getattr(sla, name, None)
        if most is not None:
            metric.add_metric([name], bisect_left(times, now - most))
    return metric
