"""Ageing: how long open alerts have been open, asked at any time after they were read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, Self

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

from infra.reader import Reader
from schemas.alert import STAGES
from schemas.event import LEVELS
from schemas.times import DAY, HOUR, SECOND

# What service levels are written in: hours for what burns, days and weeks for the rest.
AGES: Final = (HOUR, 4 * HOUR, 8 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY)
MOST: Final = 1_000_000  # open alerts
_ONSETS: Final = """
SELECT a.stage, a.severity, epoch_us(a.onset_time)
FROM open_alerts JOIN alerts AS a USING (id) WHERE a.onset_time IS NOT NULL ORDER BY a.onset_time"""


class Ageing:
    """When the open alerts began, by stage and severity, in microseconds."""

    def __init__(self, onsets: list[tuple[str, str, int]]) -> None:
        """`onsets`: stage, severity and time of each, oldest first."""
        self._oldest: dict[str, int] = {}
        self._onsets: dict[str, list[int]] = {level: [] for level in LEVELS}
        for stage, severity, onset in onsets:
            self._oldest.setdefault(stage, onset)
            self._onsets.setdefault(severity, []).append(onset)

    @classmethod
    def of(cls, reader: Reader) -> Self:
        """As the snapshot has them."""
        return cls([(row[0], row[1], row[2]) for row in reader.run(_ONSETS, rows=MOST).rows])

    def metrics(self, now: int) -> Iterator[Metric]:
        """Their ages at `now`; what begins later than that has age 0."""
        oldest = GaugeMetricFamily(
            "barograph_alert_oldest_seconds",
            "Since when the oldest open alert has been open; 0 where none is.",
            labels=["stage"],
        )
        for stage in STAGES:
            oldest.add_metric([stage], max(0, now - self._oldest.get(stage, now)) / SECOND)
        yield oldest
        ages = HistogramMetricFamily(
            "barograph_alerts_age_seconds",
            "Open alerts by the time since their onset. A state, no flow: do not take its rate.",
            labels=["severity"],
        )
        for severity, onsets in self._onsets.items():
            # Those at most so old are those that began at now - age or later.
            buckets = [
                (str(age / SECOND), float(len(onsets) - bisect_right(onsets, now - age - 1)))
                for age in AGES
            ]
            total = sum(max(0, now - onset) for onset in onsets) / SECOND
            ages.add_metric([severity], [*buckets, ("+Inf", float(len(onsets)))], total)
        yield ages
