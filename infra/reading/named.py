"""Named queries: the SQL files that come along, what each tells, and the values it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import correlators
import infra
from schemas.errors import Mistake
from schemas.times import duration, parse

_DECLARED: Final = re.compile(r"-- param (\w+): ([A-Z]+(?:\[\])?)(?: = (.+))?")
_RULES: Final = ("detections", "correlations", "convergences")
_EXAMPLES: Final = {
    "INTERVAL": "7d, 12h or 90m",
    "TIMESTAMP": "2026-11-21T10:00:00Z",
    "INTEGER": "5",
    "VARCHAR": "a text",
    "VARCHAR[]": "one,two,three",
}


class Parameter(NamedTuple):
    """A value that a query takes. Without a default it must be given; the default NULL is none."""

    name: str
    type: str
    default: str | None

    @property
    def told(self) -> str:
        """As a listing shows it."""
        return f"{self.name}: {self.type}" + (f" = {self.default}" if self.default else "")


class Query(NamedTuple):
    """A query of the folder: its name is that of its file, `tells` its first line.

    `sql` has its parameters as `$name`, each declared one at least once.
    """

    name: str
    tells: str
    parameters: tuple[Parameter, ...]
    sql: str

    def bound(self, given: Mapping[str, str]) -> dict[str, object]:
        """The values to execute it with: those given, as texts, and the defaults of the others.

        A name that it does not take, a text that is no value of the type and a missing value are
        Mistakes that list what it takes.
        """
        for name in given:
            if name not in {parameter.name for parameter in self.parameters}:
                raise Mistake(f"query {self.name!r} has no parameter {name!r}; {self._takes()}")
        values: dict[str, object] = {}
        for parameter in self.parameters:
            text = given.get(parameter.name, parameter.default)
            if text is None:
                raise Mistake(f"query {self.name!r} needs {parameter.name}; {self._takes()}")
            values[parameter.name] = self._value(parameter, text)
        return values

    def _value(self, parameter: Parameter, text: str) -> object:
        try:
            return value(parameter.type, text)
        except (ValueError, OverflowError):
            raise Mistake(
                f"query {self.name!r}: {parameter.name} cannot be {text[:80]!r}; give it"
                f" like {_EXAMPLES[parameter.type]}; {self._takes()}"
            ) from None

    def _takes(self) -> str:
        if not self.parameters:
            return "it takes none"
        return "it takes " + ", ".join(parameter.told for parameter in self.parameters)


def value(kind: str, text: str) -> object:
    """The Python value of a parameter's text; ValueError or OverflowError if it is none.

    NULL is None. An INTERVAL is a duration like 7d or `7 days`;
    `built-in rules` is the list of the rules that come along.
    """
    if text == "NULL":
        return None
    match kind:
        case "INTERVAL":
            short = re.sub(r"\s*(second|minute|hour|day)s?$", lambda unit: unit[1][0], text)
            return timedelta(microseconds=duration(short))
        case "TIMESTAMP":
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            return (epoch + timedelta(microseconds=parse(text))).replace(tzinfo=None)
        case "INTEGER":
            return int(text) if abs(int(text)) < 2**31 else _too_large(text)
        case "VARCHAR[]":
            return list(built_in()) if text == "built-in rules" else text.split(",")
        case _:
            return text


@cache
def queries() -> Mapping[str, Query]:
    """The queries that come with barograph, by name."""
    folder = files(infra).joinpath("queries")
    found = (_read(f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in folder.iterdir())
    return {query.name: query for query in sorted(found)}


def named(name: str) -> Query:
    """The query of that name; a Mistake with all names if there is none."""
    found = queries()
    if name not in found:
        raise Mistake(f"no query is called {name!r}; there are {', '.join(found)}")
    return found[name]


@cache
def built_in() -> tuple[str, ...]:
    """The ids of the rules that come along: their file names."""
    return tuple(sorted(_rules()))


def _rules() -> Iterator[str]:
    for folder in _RULES:
        for file in files(correlators).joinpath(folder).iterdir():
            if file.name.endswith(".yml") and not file.name.endswith(".cases.yml"):
                yield file.name.removesuffix(".yml")


def _read(name: str, sql: str) -> Query:
    first, *others = sql.splitlines()
    declared = [found for line in others if (found := _DECLARED.fullmatch(line))]
    return Query(
        name, first.removeprefix("-- "), tuple(Parameter(*d.group(1, 2, 3)) for d in declared), sql
    )


def _too_large(text: str) -> int:
    raise OverflowError(text)
