"""docs/queries.md: below its recipes all named queries, tables, views and macros, of the code."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb

import sinks
from infra.reading.named import queries
from sinks.store import TABLES, VIEWS

OUT: Final = Path("docs/queries.md")
MARK: Final = "<!-- Below: `python -m infra.dev.queries` -->\n"


def page(written: str) -> str:
    """The page: what a person wrote, up to the mark, and what the code says."""
    head, _, _ = written.partition(MARK)
    return head + MARK + "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    yield "\n## Named queries\n\n| name | tells | parameters |\n|---|---|---|"
    for query in queries().values():
        takes = ", ".join(f"`{parameter.told}`" for parameter in query.parameters)
        yield f"| `{query.name}` | {query.tells} | {takes} |"
    with duckdb.connect() as db:
        for name in (TABLES, *VIEWS):
            db.execute(files(sinks).joinpath(name).read_text("utf-8"))
        for heading, kind in (("Tables", "table"), ("Views", "view")):
            yield f"\n## {heading}\n\n| {kind} | holds | columns |\n|---|---|---|"
            rows = db.execute(
                f"""
                SELECT t.{kind}_name, any_value(t.comment),
                  string_agg(c.column_name || ' ' || c.data_type, ', ' ORDER BY c.column_index)
                FROM duckdb_{kind}s() AS t
                JOIN duckdb_columns() AS c ON c.table_name = t.{kind}_name
                WHERE NOT t.internal GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - one of two words
            )
            for name, tells, columns in rows.fetchall():
                yield f"| `{name}` | {_cell(tells)} | {_cell(columns)} |"
        yield "\n## Macros\n\n| macro | gives |\n|---|---|"
        rows = db.execute("""
            SELECT comment FROM duckdb_functions()
            WHERE function_type IN ('macro', 'table_macro') AND NOT internal ORDER BY ALL""")
        for (comment,) in rows.fetchall():
            call, _, gives = comment.partition(": ")
            yield f"| `{call}` | {_cell(gives)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    OUT.write_text(page(OUT.read_text("utf-8")), encoding="utf-8")
