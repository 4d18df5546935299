"""Controls: how many stand how, asked at any time after they were read; time ends an answer."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Self

from prometheus_client.core import GaugeMetricFamily, Metric

from infra.reading.reader import Reader
from schemas.framework import STATUSES

MOST: Final = 1_000_000
_ROWS: Final = """
SELECT framework, status, epoch_us(fresh_until) FROM controls
ORDER BY framework, status, fresh_until"""


class Controls:
    """Of each framework and status how many hold until news comes, and when the others end."""

    def __init__(self, rows: Iterable[tuple[str, str, int | None]]) -> None:
        """Framework, status and the time until which it holds, the earliest first."""
        self._lasting: Counter[tuple[str, str]] = Counter()
        self._ends: dict[tuple[str, str], array[int]] = {}
        for framework, status, until in rows:
            if until is None:
                self._lasting[framework, status] += 1
            else:
                self._ends.setdefault((framework, status), array("q")).append(until)

    @classmethod
    def of(cls, reader: Reader) -> Self:
        """As the snapshot has them."""
        return cls((row[0], row[1], row[2]) for row in reader.run(_ROWS, rows=MOST).rows)

    def metrics(self, now: int) -> Iterator[Metric]:
        """What held until a time before `now` is not assessed any more."""
        found = Counter(self._lasting)
        for (framework, status), ends in self._ends.items():
            ended = bisect_left(ends, now)
            found[framework, status] += len(ends) - ended
            found[framework, "not_assessed"] += ended
        metric = GaugeMetricFamily(
            "barograph_controls",
            "Controls of frameworks by status, counted for each scope that was assessed.",
            labels=["framework", "status"],
        )
        for framework in sorted({framework for framework, _ in found}):
            for status in STATUSES:
                metric.add_metric([framework, status], found[framework, status])
        yield metric
