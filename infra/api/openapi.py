"""OpenAPI: the document of the API, made of its routes and their models; there is no other list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from infra.api.answers import Problem
from infra.api.route import Route

VERSION: Final = "1"
PROBLEMS: Final = (400, 401, 403, 404, 413, 429, 500, 503, 504)
_PART: Final = re.compile(r"{(\w+)}")
_REF: Final = "#/components/schemas/{model}"


def document(routes: Sequence[Route], prefix: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these routes."""
    given = {(route.given, "validation") for route in routes}
    told = {(route.answer, "serialization") for route in routes} | {(Problem, "serialization")}
    models = sorted(given | told, key=lambda one: (one[0].__name__, one[1]))
    refs, schemas = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        schema = refs[route.answer, "serialization"]
        judged = route.given.model_json_schema(ref_template=_REF)
        paths.setdefault(f"{prefix}{plain(route.path)}", {})[route.method] = _operation(
            route, schema, judged, refs[route.given, "validation"]
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Barograph read API",
            "version": VERSION,
            "description": "What the store's newest snapshot holds. Nothing here changes anything,"
            " and the verdict is advice: nothing is blocked by it.",
        },
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "responses": {
                "problem": {
                    "description": "What was wrong, in one sentence.",
                    "content": _json({"$ref": _REF.format(model="Problem")}),
                }
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def plain(path: str) -> str:
    """A path without the patterns of its parts: `/assets/{entity:.+}` is `/assets/{entity}`."""
    return re.sub(r"{(\w+):[^}]*}", r"{\1}", path)


def _operation(
    route: Route, answer: dict[str, Any], judged: dict[str, Any], given: dict[str, Any]
) -> dict[str, Any]:
    parts = _PART.findall(plain(route.path))
    answers: dict[str, Any] = {
        "200": {"description": route.tells, "content": _json(answer)},
        **{str(code): {"$ref": "#/components/responses/problem"} for code in PROBLEMS},
    }
    said: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.tells,
        "responses": answers,
    }
    if route.method == "post":
        return said | {"requestBody": {"required": True, "content": _json(given)}}
    fields = judged.get("properties", {})
    required = judged.get("required", ())
    parameters = [
        {
            "name": name,
            "in": "path" if name in parts else "query",
            "required": name in parts or name in required,
            "schema": schema,
        }
        | ({"description": schema["description"]} if "description" in schema else {})
        for name, schema in fields.items()
    ]
    if judged.get("additionalProperties"):
        free = {"type": "object", "additionalProperties": {"type": "string"}}
        parameters.append({"name": "parameters", "in": "query", "style": "form", "schema": free})
    return said | {"parameters": parameters}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
