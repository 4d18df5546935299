"""Ask the store anything: SQL of DuckDB over a read-only snapshot."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import infra
from infra.exits import Exit
from infra.settings import load as settings
from schemas.errors import Mistake, Unavailable

if TYPE_CHECKING:
    from infra.reader import Answer

EXAMPLE = """\
barograph query --name alerts
barograph query "SELECT stage, count(*) FROM open_alerts GROUP BY stage" --format json"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("sql", nargs="?", metavar="SQL", help="a query in DuckDB's SQL")
    what.add_argument("--name", help="a query that comes with barograph")
    what.add_argument("--list", action="store_true", help="say what there is to ask")
    parser.add_argument("--format", choices=["table", "json", "csv", "parquet"], default="table")
    parser.add_argument("--output", metavar="FILE", help="write there; parquet needs it")
    parser.add_argument(
        "--store", metavar="PATH", help="default: the newer of ./out and the data folder"
    )
    parser.add_argument(
        "--rows", type=int, default=10_000, metavar="N", help="at most; default: 10000"
    )
    parser.add_argument(
        "--seconds", type=float, default=30.0, metavar="S", help="at most; default: 30"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0 with the answer, 2 if the query is wrong or takes too long."""
    from infra.reader import Reader, located

    if args.format == "parquet" and args.output is None:
        raise Mistake("parquet is not for the terminal; name a file with --output")
    query = LISTING if args.list else named(args.name) if args.name else args.sql
    with Reader(located(args.store, settings(args.config))) as reader:
        if args.format == "parquet":
            frame = reader.frame(query, rows=args.rows, seconds=args.seconds)
            _write(args.output, lambda: frame.write_parquet(args.output))
            return Exit.OK
        answer = reader.run(query, rows=args.rows, seconds=args.seconds)
    if args.list:
        answer = answer._replace(rows=[*_described(), *answer.rows])
    text = "".join(f"{line}\n" for line in _lines(answer, args))
    if args.output is None:
        print(text, end="")
    else:
        _write(args.output, lambda: Path(args.output).write_text(text, encoding="utf-8"))
    if answer.more:
        print(f"barograph: the first {args.rows} rows; ask for more with --rows", file=sys.stderr)
    return Exit.OK


LISTING = """
SELECT 'table' AS what, table_name AS name, comment AS tells FROM duckdb_tables()
UNION ALL
SELECT 'view', view_name, comment FROM duckdb_views() WHERE NOT internal
UNION ALL
SELECT 'macro', function_name, comment FROM duckdb_functions()
WHERE function_type = 'table_macro' AND NOT internal
ORDER BY ALL
"""


def queries() -> Mapping[str, str]:
    """The queries that come with barograph, by name."""
    folder = files(infra).joinpath("queries")
    found = {f.name.removesuffix(".sql"): f.read_text(encoding="utf-8") for f in folder.iterdir()}
    return dict(sorted(found.items()))


def named(name: str) -> str:
    """The query of that name; a Mistake with all names if there is none."""
    found = queries()
    if name not in found:
        raise Mistake(f"no query is called {name!r}; there are {', '.join(found)}")
    return found[name]


def _described() -> Iterator[tuple[str, str, str]]:
    """Each query with its first line, which is a comment that says what it tells."""
    for name, query in queries().items():
        yield "query", name, query.partition("\n")[0].removeprefix("-- ")


def _lines(answer: Answer, args: argparse.Namespace) -> Iterator[str]:
    from infra.tables import csv_lines, json_lines, table

    if args.format == "json":
        return json_lines(answer)
    if args.format == "csv":
        return csv_lines(answer)
    whole = args.output is not None or not sys.stdout.isatty()
    return table(answer.columns, answer.rows, whole=whole)


def _write(output: str, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        raise Unavailable(f"{output} cannot be written: {error.strerror or error}") from error
