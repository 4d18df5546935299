"""Flat: pySigma's SQLite backend as an evaluator, over records whose leaves are columns.

What the scripts of this folder share; it measures nothing by itself. Columns compare without case,
else the backend misses plain texts that differ in it; so do their names, which SQLite has so.
"""

import re
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from sigma.backends import sqlite
from sigma.collection import SigmaCollection

TABLE = "logs"  # as the backend calls it
BATCH = 1000


CONVERT: Any = sqlite.sqliteBackend().convert_rule  # untyped


def matches(file: Path, folder: Path) -> Iterator[str]:
    """The id of the rule for each match."""
    base = sqlite3.connect(":memory:")
    base.create_function("REGEXP", 2, lambda said, held: bool(held and re.search(said, str(held))))
    fill(base, file)
    for path in sorted(folder.glob("*.yml")):
        (rule,) = SigmaCollection.from_yaml(path.read_text("utf-8"))
        for query in CONVERT(rule):
            try:
                found = base.execute(query.replace("SELECT *", "SELECT 1", 1)).fetchall()
            except sqlite3.OperationalError as error:
                if "no such column" not in str(error):  # what no record has matches nothing
                    raise
                found = []
            yield from [str(rule.id)] * len(found)


def fill(base: sqlite3.Connection, file: Path) -> None:
    """Make the table, with a column for each path at which some record has a leaf."""
    with file.open("rb") as lines:
        names = sorted({path for line in lines for path in leaves(orjson.loads(line))})
    columns = ", ".join(f'"{name}" COLLATE NOCASE' for name in names)
    base.execute(f"CREATE TABLE {TABLE} ({columns})")
    row = f"INSERT INTO {TABLE} VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - of question marks
    with file.open("rb") as lines:
        while batch := list(islice(lines, BATCH)):
            flat = (dict(leaves(orjson.loads(line))) for line in batch)
            base.executemany(row, ([one.get(name) for name in names] for one in flat))


def leaves(value: Any, path: str = "") -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    """The leaves of nested objects by dotted path; a list is its JSON text."""
    if not isinstance(value, dict):
        plain = value is None or isinstance(value, str | int | float)
        return {path: value if plain else orjson.dumps(value).decode()}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= leaves(inner, f"{path}.{key.lower()}" if path else key.lower())
    return found
