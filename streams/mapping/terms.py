"""Terms: where in a record a value lies, or how it is made of such; plain data, nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from streams.records.untrusted import MOST, listing, mapping, text
from streams.source import Json

LONGEST: Final = 256  # characters of a path or template
STEPS: Final = 32
_STEP: Final = re.compile(r"([^.\[\]{}'\"]+|'[^']+'|\"[^\"]+\")((?:\[\d{1,6}\])*)(\.|$)")
_HOLE: Final = re.compile(r"\{([^{}]*)\}")
_ROOTS: Final = {"$": "document", "^": "record"}

Root = Literal["here", "record", "document"]


class Wrong(Exception):
    """What is wrong with a term, in a phrase."""


class Place(NamedTuple):
    """What a path may begin at: `here` is the record, or the element of a list inside of it."""

    here: Json
    record: Json
    document: Json

    def inside(self, here: Json) -> Place:
        """The same record, at one of its elements."""
        return self._replace(here=here)


class Path(NamedTuple):
    """Keys and places in lists, one inside the other."""

    steps: tuple[str | int, ...]
    root: Root = "here"

    def of(self, place: Place) -> Json:
        """What lies there; None where the record goes another way."""
        value: Json = getattr(place, self.root)
        for step in self.steps:
            if isinstance(step, int):
                held = listing(value)
                value = held[step] if step < len(held) else None
            else:
                value = mapping(value).get(step)
        return value


class Term(NamedTuple):
    """A value: of the first path that says something, of a template, or a constant.

    `known` says what a value of the record means (compared as text, without case), `otherwise` what
    stands for all others.
    """

    paths: tuple[Path, ...] = ()
    template: tuple[str | Path, ...] = ()
    value: Json = None
    known: dict[str, Json] | None = None
    otherwise: Json = None

    def of(self, place: Place) -> Json:
        """The value in this record; None where it says nothing."""
        found = self.value
        if self.template:
            found = _filled(self.template, place)
        for path in self.paths:
            found = path.of(place)
            if found is not None and found != "":
                break
        if self.known is None:
            return self.otherwise if found is None else found
        return self.known.get(written(found).lower(), self.otherwise)


class Each(NamedTuple):
    """The elements of a list; without a path the record itself, once."""

    path: Path | None = None

    def of(self, place: Place) -> Iterator[Place]:
        """Each element as a place, no more than a list may have."""
        if self.path is None:
            yield place
            return
        found = self.path.of(place)
        elements = listing(found) or ([found] if isinstance(found, dict) else [])
        for element in elements[:MOST]:
            yield place.inside(element)


def path(said: Json) -> Path:
    """`a.b[0].c`, with quotes around a key that has a dot; `$.` from the document, `^.` the record.

    Raises Wrong.
    """
    if not isinstance(said, str) or not said.strip() or len(said) > LONGEST:
        raise Wrong(f"a path is a text like `a.b[0].c`, not {str(said)[:40]!r}")
    rest, root = said.strip(), "here"
    if rest[0] in _ROOTS:
        root = _ROOTS[rest[0]]
        rest = rest[1:].removeprefix(".")
    steps: list[str | int] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if found is None or (found[3] == "." and found.end() == len(rest)):
            raise Wrong(f"`{said[:64]}` is no path: it is wrong from `{rest[at : at + 16]}` on")
        name = found[1]
        steps.append(name[1:-1] if name[0] in "'\"" else name)
        steps += [int(number) for number in re.findall(r"\d+", found[2])]
        at = found.end()
    if len(steps) > STEPS:
        raise Wrong(f"`{said[:64]}` has more than {STEPS} steps")
    return Path(tuple(steps), root)  # type: ignore[arg-type]  # of _ROOTS


def template(said: Json) -> tuple[str | Path, ...]:
    """Text with paths in braces: `door/{door.id}`. Raises Wrong."""
    if not isinstance(said, str) or not said or len(said) > LONGEST:
        raise Wrong(f"a template is a text like `door/{{door.id}}`, not {str(said)[:40]!r}")
    parts: list[str | Path] = []
    at = 0
    for hole in _HOLE.finditer(said):
        parts += [said[at : hole.start()]] if hole.start() > at else []
        parts.append(path(hole[1]))
        at = hole.end()
    parts += [said[at:]] if at < len(said) else []
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parts):
        raise Wrong(f"`{said[:64]}`: a brace has no other half")
    return tuple(parts)


def written(value: Json) -> str:
    """A plain value as text, as JSON writes it; others are empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return text(value) or ""


def _filled(parts: tuple[str | Path, ...], place: Place) -> str | None:
    """None if one of its paths says nothing: half an id would be that of another thing."""
    found = [part if isinstance(part, str) else written(part.of(place)) for part in parts]
    return "".join(found) if all(found) else None
