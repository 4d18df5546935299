"""Queries: those that come with barograph by name, and any other in SQL, in the sandbox."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from infra.api.answers import Absent, Moment, Rows, dicts
from infra.api.route import Asked, Route
from infra.commands.query import queries as bundled
from infra.reader import Answer
from infra.tables import encoded
from schemas.errors import Mistake
from schemas.event import Record

LONGEST: Final = 20_000  # characters of a query


class QueryRow(Record):
    """A query and what it tells."""

    name: str
    tells: str


class Column(Record):
    """A column and its type in DuckDB."""

    name: str
    type: str


class Table(Record):
    """The answer to a query. A column that is there twice has a number behind its name."""

    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    more: bool
    snapshot: Moment


class Nothing(Record):
    """Nothing is given."""


class WantedQuery(Record):
    """`name` of a query; all other parameters are its own."""

    model_config = ConfigDict(extra="allow")
    name: str


class WantedSql(Record):
    """A query in DuckDB's SQL: read-only, without other files, network or settings."""

    sql: Annotated[str, Field(min_length=1, max_length=LONGEST)]


def queries(asked: Asked, wanted: Nothing) -> Rows[QueryRow]:  # noqa: ARG001 - nothing is wanted
    """The queries that come with barograph."""
    rows = [
        QueryRow(name=name, tells=text.partition("\n")[0].removeprefix("-- "))
        for name, text in bundled().items()
    ]
    return Rows[QueryRow](rows=tuple(rows), snapshot=asked.taken)


def query(asked: Asked, wanted: WantedQuery) -> Table:
    """The answer to a query that comes with barograph."""
    text = bundled().get(wanted.name)
    if text is None:
        raise Absent(f"no query is called {wanted.name!r}; /api/v1/queries lists them")
    if wanted.model_extra:
        raise Mistake(f"the query {wanted.name!r} takes no parameters; leave them out")
    return _table(asked, asked.reader.run(text, rows=asked.rows, seconds=asked.seconds))


def sql(asked: Asked, wanted: WantedSql) -> Table:
    """The answer to any query in SQL over the snapshot."""
    return _table(asked, asked.reader.run(wanted.sql, rows=asked.rows, seconds=asked.seconds))


def _table(asked: Asked, answer: Answer) -> Table:
    names: list[str] = []
    for name in answer.columns:
        names.append(f"{name}_{names.count(name)}" if name in names else name)
    rows = dicts(answer._replace(columns=tuple(names)))
    return Table(
        columns=tuple(
            Column(name=name, type=kind) for name, kind in zip(names, answer.types, strict=True)
        ),
        rows=json.loads(encoded(rows)),
        more=answer.more,
        snapshot=asked.taken,
    )


ROUTES: Final = (
    Route("get", "/queries", queries),
    Route("get", "/queries/{name}", query),
    Route("post", "/query", sql),
)
