"""What every board must be: laid out, explained, linked, and of Grafana's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.boards.found import boards
from infra.boards.parts.board import Board
from infra.boards.parts.source import SOURCES

Json = dict[str, Any]
BOARDS = [pytest.param(board, id=board.uid) for board in boards()]
UNITS = {
    *("short", "none", "s", "cps", "percentunit", "dateTimeAsIso", "dateTimeFromNow"),
}
TYPES = {"stat", "timeseries", "bargauge", "table", "nodeGraph"}
BUILT_IN = {"__url_time_range", "__data"}


def panels(board: Board) -> list[Json]:
    """Without rows, with what lies in closed ones."""
    return [panel for panel in everything(board) if panel["type"] != "row"]


def everything(board: Board) -> list[Json]:
    found: list[Json] = board.json()["panels"]
    return [one for panel in found for one in (panel, *panel.get("panels", ()))]


def texts(value: object) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def test_the_boards_that_there_are() -> None:
    assert [(board.uid, board.title) for board in boards()] == [
        ("barograph-compliance", "Barograph / Compliance"),
        ("barograph-overview", "Barograph / Overview and forecast"),
        ("barograph-paths", "Barograph / Attack paths and convergences"),
        ("barograph-pipeline", "Barograph / Pipeline health"),
        ("barograph-runtime", "Barograph / AI at runtime"),
        ("barograph-soc", "Barograph / SOC queue and SLA"),
        ("barograph-systems", "Barograph / AI systems"),
    ]
    assert all(board.json()["tags"] == ["barograph"] for board in boards())


@pytest.mark.parametrize("board", BOARDS)
def test_panels_fill_24_columns_and_do_not_overlap(board: Board) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in board.json()["panels"]:  # those in closed rows are laid out when it is opened
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken.get((x, y))}"
                taken[x, y] = panel["title"]
    bottom = max(y for _, y in taken)
    full = [y for y in range(bottom + 1) if all((x, y) in taken for x in range(24))]
    assert len(full) >= 0.9 * (bottom + 1)  # no more than a tenth is left empty


@pytest.mark.parametrize("board", BOARDS)
def test_ids_and_refs_are_unique(board: Board) -> None:
    ids = [panel["id"] for panel in everything(board)]
    assert len(set(ids)) == len(ids)
    assert all(isinstance(number, int) and number > 0 for number in ids)
    for panel in panels(board):
        refs = [target["refId"] for target in panel["targets"]]
        assert refs in (["A"], ["A", "B"], ["A", "B", "C"], ["nodes", "edges"]), panel["title"]


@pytest.mark.parametrize("board", BOARDS)
def test_every_panel_says_what_it_shows_and_what_to_do_when_empty(board: Board) -> None:
    titles = [panel["title"] for panel in panels(board)]
    assert sorted(set(titles)) == sorted(titles)
    for panel in panels(board):
        assert len(panel["description"]) >= 18, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert len(panel["fieldConfig"]["defaults"]["noValue"]) >= 15, panel["title"]
    assert len(board.description) >= 40


@pytest.mark.parametrize("board", BOARDS)
def test_types_and_units_are_known(board: Board) -> None:
    for panel in panels(board):
        assert panel["type"] in TYPES
        stated = [panel["fieldConfig"]["defaults"]["unit"]]
        for override in panel["fieldConfig"]["overrides"]:
            stated += [of["value"] for of in override["properties"] if of["id"] == "unit"]
        assert set(stated) <= UNITS, panel["title"]
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        values = [step["value"] for step in steps]
        assert values[0] is None
        assert values[1:] == sorted(values[1:]), panel["title"]


@pytest.mark.parametrize("board", BOARDS)
def test_overrides_name_columns_that_there_are(board: Board) -> None:
    for panel in panels(board):
        if panel["type"] == "table" and "columns" in panel["targets"][0]:
            headings = {column["text"] for column in panel["targets"][0]["columns"]}
            named = {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]}
            named |= {one["displayName"] for one in panel["options"].get("sortBy", ())}
            assert named <= headings, panel["title"]
            fields = set(re.findall(r"\$\{__data\.fields\.(\w+)\}", str(panel)))
            assert fields <= headings, panel["title"]


@pytest.mark.parametrize("board", BOARDS)
def test_a_choice_filters_a_column_of_its_name(board: Board) -> None:
    for panel in panels(board):
        for target in panel["targets"]:
            for part in filter(None, target.get("filterExpression", "").split(" && ")):
                found = re.fullmatch(r"(\w+) IN \(\$\{(\w+):doublequote\}\)", part)
                assert found is not None, part
                assert found[1] == found[2]
                assert found[1] in {column["text"] for column in target["columns"]}


@pytest.mark.parametrize("board", BOARDS)
def test_every_variable_is_declared_and_every_declared_one_is_used(board: Board) -> None:
    whole = board.json()
    declared = [variable["name"] for variable in whole["templating"]["list"]]
    assert len(set(declared)) == len(declared)
    rest = [*texts(whole["panels"]), *texts(whole["links"])]
    used = set(re.findall(r"\$\{?(\w+)", " ".join(rest))) - BUILT_IN
    assert used <= set(declared)
    # Panels name the data source by its variable; a board may do without one of the two.
    assert set(declared) - {source.variable for source in SOURCES} <= used


@pytest.mark.parametrize("board", BOARDS)
def test_links_lead_to_boards_and_choices_that_there_are(board: Board) -> None:
    choices = {
        one.uid: {variable["name"] for variable in one.json()["templating"]["list"]}
        for one in boards()
    }
    links = [text for text in texts(board.json()) if text.startswith("/d/")]
    for link in links:
        uid = re.split(r"[/?]", link)[2]
        assert uid in choices, link
        assert set(re.findall(r"var-(\w+)=", link)) <= choices[uid], link
    (siblings,) = board.json()["links"]
    assert (siblings["type"], siblings["tags"]) == ("dashboards", ["barograph"])


def test_stage_changes_are_annotations_on_every_board() -> None:
    for board in boards():
        (one,) = board.json()["annotations"]["list"]
        assert one["target"]["tags"] == ["barograph-stage"]
