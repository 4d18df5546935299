"""The document: it names every route and no other, and what they answer is what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.api.api import PREFIX
from infra.api.openapi import document, plain
from infra.api.route import Route, routes
from infra.reading.named import queries
from schemas.event import Record
from tests.infra.api.conftest import Client, serving
from tests.infra.api.test_routes import IMAGE, WARNING
from tests.infra.written import written

ROUTES = {f"{route.method} {plain(route.path)}": route for route in routes()}
# What is given to each route for a good answer; a route that is not here fails the test.
GIVEN: dict[str, dict[str, Any]] = {
    "get /alerts": {"path": "/alerts?status=open&limit=2"},
    "get /alerts/{id}": {"path": f"/alerts/{WARNING}"},
    "get /alerts/{id}/path": {"path": f"/alerts/{WARNING}/path"},
    "get /assets": {"path": "/assets"},
    "get /assets/{entity}": {"path": f"/assets/{IMAGE}"},
    "get /controls": {"path": "/controls"},
    "get /forecasts": {"path": "/forecasts"},
    "get /lineage/{entity}": {"path": f"/lineage/{IMAGE}?depth=3"},
    "get /queries": {"path": "/queries"},
    "get /queries/{name}": {"path": "/queries/alerts"},
    "get /systems": {"path": "/systems"},
    "get /systems/{name}": {"path": "/systems/claims-triage"},
    "post /query": {"path": "/query", "json": {"sql": "FROM open_alerts"}},
    "post /verdict": {"path": "/verdict", "json": {"agent": "policy-assistant", "tool": "x"}},
}


Document = dict[str, Any]


@pytest.fixture(scope="module")
def told() -> Document:
    return document(routes(), PREFIX)


def parts(value: Any) -> Iterator[Document]:  # noqa: ANN401 - JSON
    """Yield every object in a document."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for child in value if isinstance(value, list) else ():
        yield from parts(child)


async def test_it_is_served_and_names_what_is_served(client: Client, told: Document) -> None:
    async with client.get(f"{PREFIX}/openapi.json") as answer:
        assert await answer.json() == told
    operations = {f"{method} {path}" for path, ops in told["paths"].items() for method in ops}
    assert operations == {f"{r.method} {PREFIX}{plain(r.path)}" for r in ROUTES.values()}
    for path, operations in told["paths"].items():  # what is not told is not served
        for method in {"get", "post", "put", "patch", "delete", "head"} - set(operations):
            async with client.request(method, path.replace("{", "").replace("}", "")) as answer:
                assert answer.status == 405


def test_every_reference_leads_somewhere(told: Document) -> None:
    for part in parts(told):
        if "$ref" in part:
            place: Any = told
            for step in part["$ref"].removeprefix("#/").split("/"):
                place = place[step]
    assert told["openapi"] == "3.1.0"


def test_every_part_of_a_path_is_a_parameter_and_every_operation_is_told(told: Document) -> None:
    names = []
    for path, operations in told["paths"].items():
        for operation in operations.values():
            names.append(operation["operationId"])
            assert operation["summary"].endswith(".")
            given = operation.get("parameters", [])
            stated = {one["name"] for one in given if one["in"] == "path" and one["required"]}
            assert stated == set(re.findall(r"{(\w+)}", path))
            assert {"200", "400", "401", "429", "503"} <= set(operation["responses"])
    assert len(set(names)) == len(names)


def test_no_query_takes_what_its_path_says_already() -> None:
    assert [q.name for q in queries().values() if "name" in {p.name for p in q.parameters}] == []


def test_no_two_models_of_one_name(told: Document) -> None:
    assert [name for name in told["components"]["schemas"] if "__" in name] == []


@pytest.mark.parametrize("name", ROUTES)
async def test_an_answer_is_what_the_document_says(client: Client, name: str) -> None:
    route, given = ROUTES[name], GIVEN[name]
    async with client.request(
        route.method, f"{PREFIX}{given['path']}", json=given.get("json")
    ) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "application/json"
        valid(route, await answer.text())


def valid(route: Route, text: str) -> None:
    """Judge by the model that the schema is made of: no field besides, none missing."""
    model: type[Record] = route.answer
    assert model.model_config.get("extra") == "forbid"
    model.model_validate_json(text)


@pytest.mark.parametrize("name", ROUTES)
async def test_a_store_with_nothing_in_it_answers_too(tmp_path: Path, name: str) -> None:

    route, given = ROUTES[name], GIVEN[name]
    async with (
        serving(written(tmp_path)) as client,
        client.request(route.method, f"{PREFIX}{given['path']}", json=given.get("json")) as answer,
    ):
        named = "{" in name and name != "get /queries/{name}"
        assert answer.status == (404 if named else 200), await answer.text()
        if not named:
            valid(route, await answer.text())
