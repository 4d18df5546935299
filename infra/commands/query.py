"""Ask the store anything: SQL of DuckDB over a read-only snapshot, or over the history."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infra.exits import Exit
from infra.reading.named import named, queries
from infra.settings import load as settings
from schemas.errors import Mistake, Unavailable

if TYPE_CHECKING:
    from infra.reading.reader import Answer

EXAMPLE = """\
barograph query --name alerts
barograph query --name new_tools --param since=3d
barograph query "SELECT stage, count(*) FROM open_alerts GROUP BY stage" --format json
barograph query --name ageing --history /var/lib/barograph/history"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("sql", nargs="?", metavar="SQL", help="a query in DuckDB's SQL")
    what.add_argument("--name", help="a query that comes with barograph")
    what.add_argument("--list", action="store_true", help="say what there is to ask")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value for a query of ours, as --list tells; may stand more than once",
    )
    parser.add_argument("--format", choices=["table", "json", "csv", "parquet"], default="table")
    parser.add_argument("--output", metavar="FILE", help="write there; parquet needs it")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--store", metavar="PATH", help="default: the newer of ./out and the data folder"
    )
    where.add_argument("--history", metavar="DIR", help="ask the files of a parquet sink instead")
    parser.add_argument(
        "--rows", type=_count, default=10_000, metavar="N", help="at most; default: 10000"
    )
    parser.add_argument(
        "--seconds", type=_span, default=30.0, metavar="S", help="at most; default: 30"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0 with the answer, 2 if the query is wrong, takes too long or too much memory."""
    from infra.reading import confined

    if args.format == "parquet" and args.output is None:
        raise Mistake("parquet is not for the terminal; name a file with --output")
    query, values = _asked(args)
    store = _place(args)
    bounds = {"rows": args.rows, "seconds": args.seconds}
    if args.format == "parquet":
        frame = confined.frame(store, query, values, **bounds, slow=lambda: _wait(args))
        more, empty = frame.height > args.rows, frame.is_empty()
        _write(args.output, lambda: frame.head(args.rows).write_parquet(args.output))
    else:
        answer = confined.answer(store, query, values, **bounds, slow=lambda: _wait(args))
        more, empty = answer.more, not answer.rows
        if args.list:
            answer = answer._replace(rows=[*_described(), *answer.rows])
        text = "".join(f"{line}\n" for line in _lines(answer, args))
        if args.output is None:
            print(text, end="")
        else:
            _write(args.output, lambda: Path(args.output).write_text(text, encoding="utf-8"))
    if more:
        print(f"barograph: the first {args.rows} rows; ask for more with --rows", file=sys.stderr)
    if empty and args.name:
        print(f"barograph: no rows; {_next(store, args)}", file=sys.stderr)
    return Exit.OK


LISTING = """
WITH told AS (
  SELECT 'table' AS what, table_name AS name, comment AS tells FROM duckdb_tables()
  UNION ALL
  SELECT 'view', view_name, comment FROM duckdb_views() WHERE NOT internal
  UNION ALL
  SELECT 'macro', function_name, comment FROM duckdb_functions()
  WHERE function_type IN ('table_macro', 'macro') AND NOT internal)
SELECT what, name, tells, '' AS parameters FROM told ORDER BY ALL
"""


def _asked(args: argparse.Namespace) -> tuple[str, Mapping[str, object] | Sequence[object]]:
    """The SQL and what it is executed with."""
    given: dict[str, str] = {}
    for stated in args.param:
        name, equals, value = stated.partition("=")
        if not equals:
            raise Mistake(f"--param {stated!r} has no value; write it as NAME=VALUE")
        given[name] = value
    if args.name is None:
        if given:
            raise Mistake("--param is for the queries that --name names")
        return (LISTING if args.list else args.sql), ()
    query = named(args.name)
    return query.sql, query.bound(given)


def _place(args: argparse.Namespace) -> Path:
    from infra.reading.reader import located

    if args.history is None:
        return located(args.store, settings(args.config))
    if not Path(args.history).is_dir():
        raise Mistake(f"{args.history} is no folder; name the `path` of a parquet sink")
    return Path(args.history)


def _next(store: Path, args: argparse.Namespace) -> str:
    """What to do about an answer without rows."""
    from infra.reading.reader import Reader

    with Reader(store) as reader:
        ((newest,),) = reader.run("SELECT time FROM newest").rows
    if newest is None:
        return (
            "the store is empty: `barograph demo` fills one to look at, `barograph replay` reads"
            " your files"
        )
    if parameters := named(args.name).parameters:
        told = ", ".join(parameter.told for parameter in parameters)
        return f"it takes {told}; give other values with --param"
    return "the store holds nothing of the kind"


def _described() -> Iterator[tuple[str, str, str, str]]:
    """Each query with what it tells and takes."""
    for query in queries().values():
        takes = ", ".join(parameter.told for parameter in query.parameters)
        yield "query", query.name, query.tells, takes


def _lines(answer: Answer, args: argparse.Namespace) -> Iterator[str]:
    from infra.terminal.tables import csv_lines, json_lines, table

    if args.format == "json":
        return json_lines(answer)
    if args.format == "csv":
        return csv_lines(answer)
    whole = args.output is not None or not sys.stdout.isatty()
    return table(answer.columns, answer.rows, whole=whole)


def _wait(args: argparse.Namespace) -> None:
    if sys.stderr.isatty():
        print(
            f"barograph: still asking; it may take {args.seconds:g} s (--seconds)", file=sys.stderr
        )


def _count(text: str) -> int:
    if not 0 < int(text) <= 100_000_000:
        raise ValueError(text)
    return int(text)


def _span(text: str) -> float:
    if not 0 < float(text) <= 86_400:
        raise ValueError(text)
    return float(text)


def _write(output: str, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        raise Unavailable(f"{output} cannot be written: {error.strerror or error}") from error
