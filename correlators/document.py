"""Rule files as values: each YAML document with the line of everything in it, or what is wrong."""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import yaml

from correlators.sigma.values import is_list, is_object

DEPTH: Final = 32  # a rule is flat; parsing recurses, so a deeper file is refused and not followed
_DIGITS: Final = 4_000  # binary; whoever says what is wrong with a longer number must write it
VALUES: Final = 300_000  # of one file; every one costs time and memory, whatever it is good for

_SCALARS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null")
)
_TEXT: Final = "tag:yaml.org,2002:str"
# Booleans other than true and false; octal, binary and sexagesimal numbers, digits with `_`.
_ONLY_OLD: Final = re.compile(r"(?i:yes|no|on|off)|[-+]?0[0-9_]+|[-+]?0b[01_]+|[-+]?[0-9.]*[:_].*")


class Problem(NamedTuple):
    """Why a rule cannot be used: one sentence without full stop, and its line where it is known."""

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.message}"


class Document(NamedTuple):
    """The text of one rule file; `path` is what Problems call it, `fault` why it has no parts."""

    path: str
    text: str
    fault: Problem | None = None


class Faulty(Exception):
    """A rule that cannot be used, with all that is wrong with it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


class Part(NamedTuple):
    """One YAML document of a file: JSON-like `data`, and `lines` by path of keys and indexes.

    `spelled` has, by path, the texts that are something else in YAML 1.1 and stay text, or are
    another number, in 1.2: `No`, `0123`, `1:30`.
    """

    path: str
    line: int
    data: dict[str, Any]
    lines: Mapping[tuple[str | int, ...], int]
    spelled: Mapping[tuple[str | int, ...], str] = MappingProxyType({})

    def line_of(self, *keys: str | int) -> int:
        """The line of the value at `keys`, else of the nearest thing that holds it."""
        while keys:
            if keys in self.lines:
                return self.lines[keys]
            keys = keys[:-1]
        return self.line

    def problem(self, message: str, *keys: str | int) -> Problem:
        """A Problem at the line of `keys`."""
        return Problem(self.path, self.line_of(*keys), message)

    @property
    def stem(self) -> str:
        """The file's name without folders and ending: what a rule without id and name is called."""
        return self.path.replace("\\", "/").rpartition("/")[2].partition(".")[0]


def follow(held: Any, place: Iterable[str | int]) -> Iterator[tuple[str | int, Any]]:  # noqa: ANN401 - any JSON-like value
    """Each key of a place with what lies there, as far as the place leads."""
    for key in place:
        if is_object(held):
            held = held.get(str(key))
        elif is_list(held) and isinstance(key, int) and key < len(held):
            held = held[key]
        else:
            return
        yield key, held


def parts(document: Document) -> Iterator[Part | Problem]:
    """The YAML documents of a file, in order; what follows a syntax error is not read.

    Refused: aliases, tags, merge keys, keys given twice, nesting beyond DEPTH, what follows after
    VALUES values, a document that is no mapping. Keys are text as written (`on` is no boolean), and
    so are dates.
    """
    for read in _read(document):
        if isinstance(read, Problem):
            yield read
        elif is_object(read.data):
            yield Part(document.path, *read)
        elif read.data is not None:  # nothing between two separators is no document
            yield Problem(document.path, read.line, "a rule is a mapping of keys to values")


def listed(document: Document) -> Iterator[Part | Problem]:
    """The elements of a file that is one list of mappings, in order; refuses what `parts` does."""
    for read in _read(document):
        if isinstance(read, Problem):
            yield read
            continue
        if read.data is not None and not is_list(read.data):
            yield Problem(document.path, read.line, "no list: begin each element with `- `")
            continue
        for index, element in enumerate(read.data or ()):
            lines = {key[1:]: line for key, line in read.lines.items() if key[:1] == (index,)}
            line = lines.get((), read.line)
            if is_object(element):
                yield Part(document.path, line, element, lines)
            else:
                yield Problem(document.path, line, "an element of the list is a mapping")


class _Value(NamedTuple):
    line: int
    data: Any
    lines: Mapping[tuple[str | int, ...], int]
    spelled: Mapping[tuple[str | int, ...], str]


def _read(document: Document) -> Iterator[_Value | Problem]:
    if document.fault is not None:
        yield document.fault
        return
    try:
        yield from _Reader(document).documents()
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        said = error.problem or error.context
        if line is not None and _at_tab(document.text, line, error):
            said = "a tab: YAML wants spaces"
        yield Problem(document.path, line, f"not YAML: {said}")
    except yaml.reader.ReaderError as error:  # a character that YAML does not allow
        line = document.text.encode()[: error.position].count(b"\n") + 1
        yield Problem(document.path, line, f"not YAML: {error.reason} (#x{error.character:04x})")
    except (yaml.YAMLError, UnicodeError) as error:
        yield Problem(document.path, None, f"not YAML: {' '.join(str(error).split())}")
    except _Refused as refused:
        yield Problem(document.path, refused.line, refused.message)


def _at_tab(text: str, line: int, error: yaml.MarkedYAMLError) -> bool:
    """True if the parser stopped at a tab where there should be none."""
    written = text.splitlines()[line - 1 : line]
    column = 0 if error.problem_mark is None else error.problem_mark.column
    return any(
        "\t" in one[: len(one) - len(one.lstrip())] or one[column : column + 1] == "\t"
        for one in written
    )


class _Refused(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _Loader(yaml.CSafeLoader):
    """Without times: a date in a rule is text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - pyyaml reads it from the class
        first: [(tag, regexp) for tag, regexp in resolvers if tag in _SCALARS]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


class _Reader:
    """Builds values from events: composing recurses in C, where a deep file ends the process."""

    def __init__(self, document: Document) -> None:
        self._events: Any = _Loader(document.text)  # untyped
        self._lines: dict[tuple[str | int, ...], int] = {}
        self._spelled: dict[tuple[str | int, ...], str] = {}
        self._values = 0

    def documents(self) -> Iterator[_Value]:
        self._events.get_event()  # the start of the stream
        while self._events.check_event(yaml.DocumentStartEvent):
            self._events.get_event()
            line = self._line()
            self._lines, self._spelled = {}, {}
            data = self._value(())
            self._events.get_event()  # the end of the document
            yield _Value(line, data, self._lines, self._spelled)

    def _line(self) -> int:
        return int(self._events.peek_event().start_mark.line) + 1

    def _value(self, place: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any JSON-like value
        line = self._line()
        event = self._events.get_event()
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(line, "aliases (`*name`) are not taken: write the value out")
        self._values += 1
        if self._values > VALUES:
            raise _Refused(line, f"more than {VALUES} values in one file: divide it")
        if len(place) > DEPTH:
            raise _Refused(line, f"nested deeper than {DEPTH} levels")
        if event.tag is not None:
            raise _Refused(line, f"the tag `{event.tag}` is not taken")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place)
        tag = self._events.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag != _TEXT and _ONLY_OLD.fullmatch(event.value):
            self._spelled[place] = event.value
        try:
            value = self._events.construct_object(yaml.ScalarNode(tag, event.value))
        except ValueError as error:  # a number of thousands of digits, `0x_`
            raise _Refused(line, f"`{event.value[:40]}` is no value: {error}") from error
        if isinstance(value, int) and value.bit_length() > _DIGITS:
            message = "is no value: no record has a number of so many digits"
            raise _Refused(line, f"`{event.value[:40]}` {message}")
        return value

    def _mapping(self, place: tuple[str | int, ...]) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not self._events.check_event(yaml.MappingEndEvent):
            line = self._line()
            event = self._events.get_event()
            if not isinstance(event, yaml.ScalarEvent):
                raise _Refused(line, "a key is plain text")
            key = str(event.value)
            if key == "<<" and event.implicit[0]:  # in quotes it is a key like any other
                raise _Refused(line, "merge keys (`<<`) are not taken: write the values out")
            if key in mapping:
                raise _Refused(line, f"`{key}` is given twice: the first would be lost")
            self._lines[*place, key] = line
            mapping[key] = self._value((*place, key))
        self._events.get_event()
        return mapping

    def _sequence(self, place: tuple[str | int, ...]) -> list[Any]:
        sequence: list[Any] = []
        while not self._events.check_event(yaml.SequenceEndEvent):
            item = (*place, len(sequence))
            self._lines[item] = self._line()
            sequence.append(self._value(item))
        self._events.get_event()
        return sequence
