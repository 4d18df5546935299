"""Queries: those that come with barograph by name, and any other in SQL, in the sandbox."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from infra.api.answers import Absent, Moment, Rows, dicts
from infra.api.route import Asked, Route
from infra.reading import confined
from infra.reading.named import named
from infra.reading.named import queries as bundled
from infra.reading.reader import Answer
from infra.terminal.tables import encoded
from schemas.event import Record

LONGEST: Final = 20_000  # characters of a query


class Takes(Record):
    """A parameter of a query; without a default it must be given."""

    name: str
    type: str
    default: str | None = None


class QueryRow(Record):
    """A query, what it tells, and what it takes."""

    name: str
    tells: str
    parameters: tuple[Takes, ...] = ()


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
        QueryRow(
            name=query.name,
            tells=query.tells,
            parameters=tuple(
                Takes(name=one.name, type=one.type, default=one.default) for one in query.parameters
            ),
        )
        for query in bundled().values()
    ]
    return Rows[QueryRow](rows=tuple(rows), snapshot=asked.taken)


def query(asked: Asked, wanted: WantedQuery) -> Table:
    """The answer to a query that comes with barograph."""
    if wanted.name not in bundled():
        raise Absent(f"no query is called {wanted.name!r}; /api/v1/queries lists them")
    known = named(wanted.name)
    given = {name: str(value) for name, value in (wanted.model_extra or {}).items()}
    answer = asked.reader.run(known.sql, known.bound(given), rows=asked.rows, seconds=asked.seconds)
    return _table(asked, answer)


def sql(asked: Asked, wanted: WantedSql) -> Table:
    """The answer to any query in SQL over the snapshot, in a process of its own."""
    answer = confined.answer(asked.path, wanted.sql, rows=asked.rows, seconds=asked.seconds)
    return _table(asked, answer)


def _table(asked: Asked, answer: Answer) -> Table:
    columns = zip(answer.columns, answer.types, strict=True)
    return Table(
        columns=tuple(Column(name=name, type=kind) for name, kind in columns),
        rows=json.loads(encoded(dicts(answer))),
        more=answer.more,
        snapshot=asked.taken,
    )


ROUTES: Final = (
    Route("get", "/queries", queries),
    Route("get", "/queries/{name}", query),
    Route("post", "/query", sql),
)
