"""Every query of every board, asked of a real Prometheus and of the real read API."""

from __future__ import annotations

import time
from html import escape
from typing import Any

import pytest

from infra.boards.alarms import groups
from infra.boards.dashboards import pipeline
from infra.boards.found import boards
from infra.boards.parts.board import Board
from infra.boards.parts.panel import Panel
from infra.dev.pictures.asking import Asking, Span
from infra.dev.pictures.page import page
from infra.dev.showcase import Showcase

Json = dict[str, Any]
BOARDS = [pytest.param(board, id=board.uid) for board in boards()]
# Panels of what only Kafka workers have: see test_workers.py.
OF_WORKERS = {panel.title for panel in pipeline.KAFKA.panels}


@pytest.fixture(params=BOARDS)
def asking(request: pytest.FixtureRequest, showcase: Showcase) -> tuple[Board, Asking]:
    now = time.time()
    return request.param, Asking(showcase, request.param, Span(now - 10, now))


def test_every_board_can_be_drawn(asking: tuple[Board, Asking]) -> None:
    board, ask = asking
    drawn = page(board, ask)
    open_ones = [section for section in board.sections if not section.closed]
    for panel in (panel for section in open_ones for panel in section.panels):
        assert escape(panel.title) in drawn
    assert "nan" not in drawn.lower().replace("finan", "")


def targets(panel: Panel) -> list[Json]:
    return panel.json(1, 0, 0)["targets"]  # type: ignore[no-any-return]


def test_every_panel_has_data(asking: tuple[Board, Asking]) -> None:
    board, ask = asking
    silent = []
    for panel in board.panels:
        for target in targets(panel):
            found = ask.series(target) if "expr" in target else ask.rows(target)
            if not found:
                silent.append(panel.title)
    assert set(silent) == {panel.title for panel in board.panels if panel.title in OF_WORKERS}


def test_every_column_is_in_the_answer_and_is_what_it_is_said_to_be(
    asking: tuple[Board, Asking], showcase: Showcase
) -> None:
    board, ask = asking
    for panel in board.panels:
        for target in targets(panel):
            if "url" not in target:
                continue
            code, body = showcase.answer(ask.filled(target["url"]))
            assert code == 200, (panel.title, body)
            for row in body[target["root_selector"]]:
                for column in target["columns"]:
                    value = row.get(column["selector"])
                    if column["selector"] not in row:
                        # Unknown is absent in a record; a row of a list has every column.
                        assert target["root_selector"] in {"actions", "why", "timeline", "next"}
                    elif value is not None:
                        assert fits(value, column["type"]), (panel.title, column, value)


def fits(value: object, kind: str) -> bool:
    match kind:
        case "number":
            return isinstance(value, int | float)
        case "timestamp":
            return isinstance(value, str) and value.endswith("Z")
        case _:
            return isinstance(value, str | list | dict)


def test_every_label_of_a_legend_is_a_label_of_the_series(asking: tuple[Board, Asking]) -> None:
    board, ask = asking
    for panel in board.panels:
        for target in targets(panel):
            if "expr" in target:
                for series in ask.series(target):
                    assert series.name.strip() != "", (panel.title, target["legendFormat"])


def test_every_choice_of_a_variable_is_there(
    asking: tuple[Board, Asking], showcase: Showcase
) -> None:
    board, ask = asking
    for variable in board.json()["templating"]["list"]:
        if variable["type"] != "query":
            continue
        if variable["datasource"]["type"] == "prometheus":
            metric, label = variable["query"]["query"].removesuffix(")").split("(")[1].split(", ")
            assert all(label in one["metric"] for one in showcase.prometheus.instant(metric))
            assert showcase.prometheus.instant(metric) != []
        else:
            query = variable["query"]["infinityQuery"]
            assert [column["text"] for column in query["columns"]] == ["__text", "__value"]
            assert all(row["__text"] and row["__value"] for row in ask.rows(query))


def test_every_alert_rule_can_be_asked(showcase: Showcase) -> None:
    for group in groups("barograph-prometheus"):
        for rule in group["rules"]:
            expr = rule["data"][0]["model"]["expr"]
            assert showcase.prometheus.instant(expr) is not None  # one that is no PromQL is refused


def test_nothing_of_high_cardinality_is_a_metric(showcase: Showcase) -> None:
    """Ids of assets belong into tables: a board that needs them asks the API."""
    for one in showcase.prometheus.instant('count by (__name__) ({__name__=~"barograph_.*"})'):
        assert float(one["value"][1]) <= 100, one["metric"]["__name__"]
