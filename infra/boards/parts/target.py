"""Targets: what a panel asks, of Prometheus or of the read API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from infra.boards.parts.source import API, PROMETHEUS, Json, Source

ColumnType = Literal["string", "number", "timestamp", "boolean"]


@dataclass(frozen=True)
class Metric:
    """An expression of PromQL. `now`: only its newest value.

    `form`: a table has a row for each series; a heat map takes buckets that count all below them
    and gives what is in each.
    """

    expr: str
    legend: str = ""
    now: bool = False
    form: Literal["time_series", "table", "heatmap"] = "time_series"

    @property
    def source(self) -> Source:
        """Who answers."""
        return PROMETHEUS

    def json(self, ref: str) -> Json:
        """The target, called `ref` in its panel."""
        return {
            "refId": ref,
            "datasource": PROMETHEUS.reference(),
            "editorMode": "code",
            "expr": self.expr,
            "format": self.form,
            "instant": self.now,
            "range": not self.now,
            "legendFormat": self.legend or "__auto",
        }


class Column(NamedTuple):
    """A field of an answer: its name there, its heading if that is another, its type."""

    selector: str
    heading: str = ""
    kind: ColumnType = "string"


@dataclass(frozen=True)
class Answer:
    """A question to the read API: the path with its parameters, and what is taken of the answer.

    `root` is the key of the list in it. A node graph takes two, `nodes` and `edges`; Grafana knows
    them by these names. `chosen`: columns of which only what the variable of that name holds is
    taken.
    """

    path: str
    columns: tuple[Column, ...]
    root: str = "rows"
    chosen: tuple[str, ...] = ()

    @property
    def source(self) -> Source:
        """Who answers."""
        return API

    def json(self, ref: str) -> Json:
        """The target, called `ref` in its panel."""
        return {"refId": ref, "datasource": API.reference(), **self.query()}

    def query(self) -> Json:
        """What the Infinity plugin is asked; the backend parser, so that alerting works too."""
        graph = {"nodes": "node-graph-nodes", "edges": "node-graph-edges"}
        return {
            "type": "json",
            "source": "url",
            "parser": "backend",
            "format": graph.get(self.root, "table"),
            "url": self.path,
            "url_options": {"method": "GET", "data": ""},
            "root_selector": self.root,
            "columns": [
                {"selector": selector, "text": heading or selector, "type": kind}
                for selector, heading, kind in self.columns
            ],
            "filters": [],
            "filterExpression": " && ".join(
                f"{name} IN (${{{name}:doublequote}})" for name in self.chosen
            ),
            "global_query_id": "",
        }


Target = Metric | Answer
