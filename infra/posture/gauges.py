"""Gauges: each metric of the posture, its labels and the query that counts it.

Low cardinality: labels are words of ours (stages, kinds), names of sources and frameworks, and the
names of at most 50 AI systems; never the id of an asset.
"""

from __future__ import annotations

from itertools import product
from typing import Final, NamedTuple, get_args

from infra.reading.inventory import SHADOW
from schemas.alert import STAGES, AlertStatus
from schemas.event import LEVELS
from schemas.finding import State

SYSTEMS: Final = 50


class Gauge(NamedTuple):
    """The rows of `query` are the values of `labels`, then the number.

    `always`: the values of each label that are told with 0 where no row has them, so that a board
    shows 0 and not nothing; empty where rows alone say what there is.
    """

    name: str
    tells: str
    labels: tuple[str, ...]
    query: str
    always: tuple[tuple[str, ...], ...] = ()

    def zeros(self) -> dict[tuple[str, ...], float]:
        """The samples before any row is read."""
        return dict.fromkeys(product(*self.always), 0.0) if self.always else {}


_FACTS: Final = """
SELECT coalesce(f.severity, 'informational') AS severity, k.layer, f.state
FROM estate_facts AS f JOIN kinds AS k ON k.kind = split_part(f.entity, ':', 1)"""

GAUGES: Final = (
    Gauge(
        "alerts_open",
        "Alerts that need a human.",
        ("stage", "severity"),
        "SELECT stage, severity, count(*) FROM open_alerts GROUP BY ALL",
        (STAGES, LEVELS),
    ),
    Gauge(
        "alerts",
        "Alerts in the store, by the stage they stand in; withdrawn ones are not counted.",
        ("stage", "status"),
        "SELECT stage, status, count(*) FROM alerts WHERE meta_state <> 'withdrawn' GROUP BY ALL",
        (STAGES, get_args(AlertStatus)),
    ),
    Gauge(
        "system_priority",
        f"Highest priority of the open alerts of an AI system; the {SYSTEMS} highest systems, and"
        " all that belongs to no AI system as `other`.",
        ("system",),
        f"""
        SELECT coalesce(s.name, s.root, 'other') AS system, coalesce(max(a.priority), 0) AS priority
        FROM systems AS s FULL JOIN open_alerts AS a ON a.system IN (s.root, s.name)
        GROUP BY ALL ORDER BY priority DESC, system LIMIT {SYSTEMS}""",  # noqa: S608 - of ours
    ),
    Gauge("systems", "AI systems.", (), "SELECT count(*) FROM systems"),
    Gauge(
        "assets",
        "Things of the inventory that are there, each once under all its names.",
        ("kind", "layer"),
        """
        SELECT kind, layer, coalesce(c.things, 0)
        FROM kinds LEFT JOIN asset_counts AS c USING (kind, layer) ORDER BY layer_number, kind""",
    ),
    Gauge(
        "assets_shadow",
        "AI at work that nobody declared and no pattern of [inventory] approved names.",
        (),
        f"SELECT count(*) FROM ({SHADOW})",  # noqa: S608 - of ours
    ),
    Gauge(
        "facts_open",
        "Weaknesses and other facts that are open, by the layer of what they are about.",
        ("severity", "layer"),
        f"""
        SELECT severity, layer, count(*) FILTER (state = 'open')
        FROM (SELECT DISTINCT layer FROM kinds)
        CROSS JOIN (SELECT unnest({list(LEVELS)}) AS severity)
        LEFT JOIN ({_FACTS}) USING (severity, layer) GROUP BY ALL ORDER BY ALL""",  # noqa: S608 - of ours
    ),
    Gauge(
        "facts_closed",
        "Weaknesses and other facts that were closed.",
        ("severity",),
        f"SELECT severity, count(*) FROM ({_FACTS}) WHERE state = 'resolved' GROUP BY 1",  # noqa: S608
        (LEVELS,),
    ),
    Gauge(
        "findings",
        "Findings by level and state.",
        ("level", "state"),
        "SELECT level, meta_state, count(*) FROM findings GROUP BY ALL",
        (LEVELS, get_args(State)),
    ),
    Gauge(
        "signals",
        "Signals by level.",
        ("level",),
        "SELECT level, count(*) FROM signals GROUP BY ALL",
        (LEVELS,),
    ),
    Gauge(
        "forecasts",
        "Forecasts by outcome.",
        ("outcome",),
        "SELECT outcome, count(*) FROM forecasts WHERE meta_state <> 'withdrawn' GROUP BY ALL",
        (("open", "hit", "false_alarm"),),
    ),
    Gauge(
        "forecast_brier_score",
        "Mean squared error of the forecasts that were decided, 0 is best; absent before the first."
        " Always saying 50 % gives 0.25.",
        (),
        """
        SELECT avg(power(probability - CAST(outcome = 'hit' AS INTEGER), 2)) AS brier
        FROM forecasts WHERE outcome <> 'open' AND meta_state <> 'withdrawn'
        HAVING brier IS NOT NULL""",
    ),
    Gauge(
        "source_last_event_timestamp_seconds",
        "Time of the newest stored event of a source: of those that carried a signal or a fact.",
        ("source",),
        "SELECT source, epoch(max(time)) FROM events GROUP BY ALL ORDER BY ALL",
    ),
)
