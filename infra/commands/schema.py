"""Print the JSON Schema of a record, or of what may stand in a `[[sink]]` of some kind."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
from collections.abc import Mapping
from typing import Any, cast

import schemas
from infra.exits import Exit
from schemas.errors import Mistake
from schemas.event import Record
from sinks.delivery.kinds import kinds, settings

EXAMPLE = """\
barograph schema alert
barograph schema sink.webhook"""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ABSENT = {"type": "null"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a record; without it, their names")


def run(args: argparse.Namespace) -> int:
    """Exit 0 with the schema, 2 if there is no such record."""
    known = records()
    if args.name is None:
        for name in known:
            print(name)
        return Exit.OK
    if args.name not in known:
        raise Mistake(f"no record is called {args.name!r}; there are {', '.join(known)}")
    print(json.dumps(schema(known[args.name]), indent=2))
    return Exit.OK


def records() -> Mapping[str, type[Record]]:
    """The records in schemas/ that are no part of another one, by their names in small letters.

    `sink.<kind>` is what may stand in a `[[sink]]` of that kind.
    """
    found: dict[str, type[Record]] = {}
    for module in pkgutil.iter_modules(schemas.__path__):
        for value in vars(importlib.import_module(f"{schemas.__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Record) and value is not Record:
                found[value.__name__] = value
    parts = {
        part for record in found.values() for part in record.model_json_schema().get("$defs", ())
    }
    whole = {name.lower(): found[name] for name in sorted(found) if name not in parts}
    return whole | {f"sink.{kind}": settings(kind) for kind in kinds()}


def schema(record: type[Record]) -> dict[str, Any]:
    """The schema of what is written: a field that says nothing is absent, never null."""
    said = record.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": DIALECT, **cast("dict[str, Any]", _without_null(said))}


def _without_null(part: object) -> object:
    if isinstance(part, list):
        return [_without_null(one) for one in cast("list[object]", part)]
    if not isinstance(part, dict):
        return part
    fields = {name: _without_null(value) for name, value in cast("dict[str, object]", part).items()}
    choices = fields.get("anyOf")
    if not isinstance(choices, list) or ABSENT not in choices:
        return fields
    rest = [choice for choice in cast("list[dict[str, object]]", choices) if choice != ABSENT]
    kept = {name: value for name, value in fields.items() if name not in ("anyOf", "default")}
    return {**kept, **rest[0]} if len(rest) == 1 else {**kept, "anyOf": rest}
