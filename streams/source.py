"""Source: what a module in streams/sources offers, and how the folder is found.

A source is pure: bytes in, Raw records and then Events out. A new one is a file in that folder and
its test; `NAME` is the name of the file, nothing else is edited.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol, cast

import streams.sources
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.errors import Mistake
from schemas.event import Event, EventEvidence

# A decoded JSON value. What it may be is written by strangers, so every reader asks.
Json = Any

HEAD = 64 * 1024  # as many bytes of a document are enough to say what it is

Reason = Literal[
    "empty",
    "not-json",
    "truncated",
    "too-deep",
    "too-large",
    "wrong-shape",
    "no-time",
    "bad-time",
    "time-in-future",
    "encoding",
    "unknown-format",
    "wrong-partition",  # this and the next: rows between stages that are not ours
    "behind-watermark",
    "defect",  # the source itself failed on it: a bug of ours, and the record shows it
]


class Raw(NamedTuple):
    """One raw record of a document.

    `data` is the exact slice of the document that is the record, or the whole document where the
    record is about all of it. `context` is what the document says of all its records; only the
    source that made it may look inside. `record` is what `data` says where that is no JSON (a line
    of a table, of a log), else None.
    """

    data: bytes
    context: Json = None
    record: Json = None


class Narrow(NamedTuple):
    """How to judge a raw JSON record without decoding all of it.

    `time` is the dotted path of the time: a text, or where it is `counted` a whole number, of which
    `clock` knows the microseconds. A record is always normalised when the value at a path of
    `relevant`, in small letters, is one of that path's values: it speaks of an AI asset; or when
    the value at a path of `ordinary` is none of that path's values.
    `uid` tells the uid that the Event of a decoded record has, given the sha256 of its bytes.
    `check` raises Unreadable where `event` would; without one only `event` can tell. `looks`: the
    keys of a record that it looks at. `named`: key and greatest length of the text that is the uid
    unless it is blank or longer; `uid` reads no other. `entities`: those of the Event of a
    decoded record, of a source that gives no findings of scanners and nothing of vulnerabilities.
    """

    time: str
    relevant: Mapping[str, frozenset[str]]
    uid: Callable[[Json, str], str]
    check: Callable[[Json], object] | None = None
    looks: tuple[str, ...] = ()
    named: tuple[str, int] | None = None
    ordinary: Mapping[str, frozenset[str]] = MappingProxyType({})
    counted: bool = False
    clock: Callable[[Json], int] | None = None
    entities: Callable[[Json], tuple[Entity, ...]] | None = None


class Unreadable(Exception):
    """A document or record that cannot become Events. `detail` is a phrase for a human."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail


class Parsed(NamedTuple):
    """An Event, and what only detections may see of the record: prompts, arguments, results."""

    event: Event
    private: dict[str, Json]


class Source(Protocol):
    """What a module in streams/sources holds; the module itself is the value.

    `NAME` is its file name, `TITLE` what a human calls the format, `LOGSOURCE` how Sigma rules name
    it, `LATENESS` by how many microseconds a record may come after later ones.

    A source may also say what rules can ask of its records; `rules check` holds them to it.
    `FIELDS` are the dotted names of a raw record: `a.*` where what is below `a` is open, `a[].b`
    where `a` is a list. `ATTRIBUTES` are the names that its Events have in attributes and private
    content; with `*` among them records may bring others. `CATEGORIES` are the classes of its
    Events as a logsource names them. A source without them is not judged.

    `WHOLE` is True where the lines of a file are records that need each other: then the file is
    one document, whatever its lines look like.

    For `docs/sources.md` it says in `VERSIONS` which versions of the format were seen, and in
    `GAPS`, a tuple of sentences, what it does not read yet.
    """

    NAME: str
    TITLE: str
    LOGSOURCE: Logsource
    LATENESS: int
    NARROW: Narrow | None

    def sniff(self, head: bytes) -> bool:
        """True if a document that starts with `head` (at most HEAD bytes) is of this format."""
        ...

    def split(self, document: bytes) -> Iterator[Raw]:
        """The records of one document (a line of NDJSON, or a whole file), in its order.

        Raises Unreadable for all of it, before the first record.
        """
        ...

    def event(self, raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
        """What `record`, which is `raw.record` or `raw.data` decoded, says. Raises Unreadable."""
        ...


class Mappings(Protocol):
    """The sources that a user described."""

    def names(self) -> list[str]:
        """Their names, each `generic:<name>`."""
        ...

    def source(self, name: str) -> Source:
        """The source of that name."""
        ...


def fields(source: Source) -> frozenset[str] | None:
    """The names of the raw records of a source, as it says them; None if it does not."""
    return getattr(source, "FIELDS", None)


def event_attributes(source: Source) -> frozenset[str] | None:
    """The names of the attributes of its Events; None if it does not say."""
    return getattr(source, "ATTRIBUTES", None)


def categories(source: Source) -> frozenset[str] | None:
    """The classes of its Events, as a logsource names them; None if it does not say."""
    return getattr(source, "CATEGORIES", None)


def whole(source: Source | None) -> bool:
    """True if a file of it is one document, though its lines may look like documents."""
    return getattr(source, "WHOLE", False)


def names() -> list[str]:
    """The names of all sources, sorted, behind them the user's mappings; none is imported."""
    return [*_ours(), *folder().names()]


def named(name: str) -> Source:
    """The source of that name. A name that is none is a Mistake."""
    if name not in _ours() and name not in names():  # which looks into the user's folder
        raise Mistake(f"no source is called {name!r}; there are {', '.join(names())}")
    return _module(name)


def sources() -> Mapping[str, Source]:
    """All sources by name."""
    return {name: _module(name) for name in names()}


def sniffed(head: bytes) -> Source | None:
    """The source whose format `head` shows; of several the first by name, None of none."""
    return next((source for source in sources().values() if source.sniff(head[:HEAD])), None)


def folder() -> Mappings:
    """The mappings of the user (streams.mapping.folder)."""
    # They are made of what is in this module.
    return cast("Mappings", importlib.import_module("streams.mapping.folder"))


@cache  # asked of every chunk that is read
def _ours() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(streams.sources.__path__))


def _module(name: str) -> Source:
    return _imported(name) if ":" not in name else folder().source(name)


@cache
def _imported(name: str) -> Source:
    return cast("Source", importlib.import_module(f"{streams.sources.__name__}.{name}"))
