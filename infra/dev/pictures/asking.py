"""Asking: the queries of a panel with its variables filled in, and what comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from infra.boards.parts.board import Board
from infra.boards.parts.source import API
from infra.dev.showcase import Showcase

Json = dict[str, Any]
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
POINTS: Final = 240  # of a course


class Series(NamedTuple):
    """One line: its labels, its name as the legend has it, and its points of time and value."""

    labels: Mapping[str, str]
    name: str
    points: list[tuple[float, float]]


class Span(NamedTuple):
    """What a picture shows, in seconds since 1970."""

    start: float
    end: float


class Asking:
    """The variables of one board as they stand when it is opened."""

    def __init__(self, showcase: Showcase, board: Board, span: Span) -> None:
        self._showcase, self.span = showcase, span
        self.values: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        for variable in board.json()["templating"]["list"]:
            self.values[variable["name"]] = self._first(variable)

    def series(self, target: Json) -> list[Series]:
        """The answer of Prometheus to a target, over the span or now."""
        expr = self.filled(target["expr"])
        if target["instant"]:
            found = self._showcase.prometheus.instant(expr)
            return [_series(target, one["metric"], [one["value"]]) for one in found]
        step = max((self.span.end - self.span.start) / POINTS, 1.0)
        found = self._showcase.prometheus.course(expr, self.span.start, self.span.end, step)
        return [_series(target, one["metric"], one["values"]) for one in found]

    def rows(self, target: Json) -> list[Json]:
        """The rows of the read API, by the headings of the target's columns."""
        code, body = self._showcase.answer(self.filled(target["url"]))
        if code != 200:
            raise AssertionError(f"{target['url']}: {code} {body}")
        columns = target["columns"]
        return [
            {column["text"]: row.get(column["selector"]) for column in columns}
            for row in body[target["root_selector"]]
        ]

    def filled(self, text: str) -> str:
        """The text with the variables in it as Grafana would fill them."""

        def fill(found: re.Match[str]) -> str:
            value = self.values[found[1] or found[3]]
            return quote(value, safe="") if found[2] == "percentencode" else value

        return _VARIABLE.sub(fill, text)

    def _first(self, variable: Json) -> str:
        if variable.get("includeAll"):
            return ".*"
        if "current" in variable:
            return str(variable["current"]["value"])
        if variable["datasource"]["type"] == API.plugin:
            first = (self.rows(variable["query"]["infinityQuery"]) or [{}])[0]
            self.texts[variable["name"]] = str(first.get("__text", ""))
            return str(first.get("__value", ""))
        return ""


def _series(target: Json, labels: Mapping[str, str], values: list[Any]) -> Series:
    legend = target["legendFormat"]
    name = (
        re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)
        if legend != "__auto"
        else json.dumps(labels)
    )
    return Series(labels, name, [(float(time), float(value)) for time, value in values])
