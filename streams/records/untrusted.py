"""What may be taken out of a record that a stranger wrote: bounded texts, numbers, times, entities.

Nothing here raises for a value of a wrong type: such a value says nothing and is None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final, TypeGuard, TypeVar, cast

import msgspec
import orjson

from schemas.config import Limits
from schemas.entity import MAX_ID, Entity, Kind
from schemas.event import Edge
from schemas.times import SECOND, parse
from streams.source import Json, Reason, Unreadable

LONGEST: Final = 4096  # characters of a text that is kept; what may be longer is content
MOST: Final = 256  # elements of a list that are kept
_LIMITS: Final = Limits()
_EARLIEST: Final = 631_152_000 * SECOND  # 1990: before that it is a clock that was never set
_LATEST: Final = (
    253_402_300_799 * SECOND
)  # the end of the year 9999, the last that RFC 3339 can say
_WORDIEST: Final = 64  # characters of a time text; longer ones would fill the cache of times

# What decoders say -> the reason, in this order; anything else is not JSON.
_REASONS: Final[tuple[tuple[str, Reason], ...]] = (
    ("depth limit", "too-deep"),
    ("recursion", "too-deep"),
    ("surrogate", "encoding"),
    ("hex escape", "encoding"),
    ("utf-8", "encoding"),
    ("unexpected end", "truncated"),
    ("was truncated", "truncated"),
)
_SECRET: Final = re.compile(
    r"(?i:\b(?:bearer|basic)\s{1,4}[\w.~+/-]{12})"
    r"|(?i:[?&;](?:[\w-]{0,24}[_-])?(?:key|apikey|token|secret|password|passwd|pwd|sig|signature|code)=)"
    r"|://[^\s/:@]{1,64}:[^\s/@]{1,128}@"
    r"|\b(?:sk|rk|pk)[-_][\w-]{16}|\bgh[opsur]_\w{16}|\bxox[abeprs]-[\w-]{10}|\bAIza[\w-]{16}"
    r"|\beyJ[\w-]{8,4096}\.eyJ|-----BEGIN [A-Z ]{0,32}PRIVATE KEY"
)
# What stands where a value was taken out: all that were would be one thing.
_TAKEN_OUT: Final = re.compile(
    r"\*{3,}|HIDDEN_DUE_TO_SECURITY_REASONS|[<\[({]{0,2}(?i:redacted|masked|removed)[>\])}]{0,2}"
)
# A part of whatever the pattern finds, but for the two words that may be spelled any way.
_PARTS: Final = ("=", "://", "k-", "k_", "gh", "xox", "AIza", "eyJ", "-----BEGIN")
_SHORTEST: Final = 8  # characters of a text that can hold a secret and say so
_T = TypeVar("_T")


def decode(data: bytes, limits: Limits) -> Json:
    """The JSON value of `data`. Raises Unreadable."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _unreadable(error, data) from None
    # Few brackets cannot be deep: most records are not walked.
    if brackets(data) > limits.depth and _deeper(value, limits.depth):
        raise Unreadable("too-deep", f"nested deeper than {limits.depth} levels")
    return value


def opened(value: Json) -> Json:
    """A value, or what it is as the JSON text of an object or list; None where that is damaged."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return decode(value.encode(errors="replace"), _LIMITS)
    except Unreadable:
        return None


def brackets(data: bytes) -> int:
    """How many brackets open: no value is nested deeper."""
    return len(data) - len(data.replace(b"{", b"").replace(b"[", b""))  # half the time of `count`


def slices(document: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    """The envelope of a document, with its records as exact slices. Raises Unreadable."""
    try:
        return _decoded(document, decoder)
    except msgspec.ValidationError as error:
        raise Unreadable("wrong-shape", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error, document) from None


def _decoded(document: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    try:
        return decoder.decode(document)
    except RecursionError:
        # How deep it may go depends on how deep we are called: on a stack of its own it is always
        # as deep, and the same document has the same outcome wherever it is read.
        with ThreadPoolExecutor(1) as fresh:
            return fresh.submit(decoder.decode, document).result()


def mapping(value: Json) -> dict[str, Json]:
    """An object, or an empty one."""
    if value.__class__ is dict:  # asked a dozen times of each record: no call inside
        fields: dict[str, Json] = value
        return fields
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def listing(value: Json) -> list[Json]:
    """A list, or an empty one."""
    if value.__class__ is list:
        ones: list[Json] = value
        return ones
    return value if _several(value) else []


def text(value: Json, longest: int = LONGEST) -> str | None:
    """A text that says something, cut to `longest` characters; a number becomes its text."""
    if value is None:  # of what records may say, most is unsaid
        return None
    if isinstance(value, str):
        if not value or value.isspace():
            return None
        return value if len(value) <= longest else value[:longest]
    return None if isinstance(value, bool) or not isinstance(value, int) else str(value)[:longest]


def number(value: Json) -> float | None:
    """A finite number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def plain(value: Json) -> Json:
    """The value, bounded, for an attribute; None where it says nothing."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):  # JSON has no bound, the store's integers have
        return value if -(2**63) <= value < 2**63 else str(value)[:LONGEST]
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return [plain(one) for one in listing(value)[:MOST]]
    return {key[:MAX_ID]: plain(one) for key, one in list(mapping(value).items())[:MOST]} or None


def moment(value: Json) -> int:
    """Microseconds of an RFC 3339 text. Raises Unreadable: no-time, bad-time."""
    if value is None or value == "":
        raise Unreadable("no-time", "the record says no time")
    if not isinstance(value, str) or len(value) > _WORDIEST:
        raise Unreadable("bad-time", "the time is no RFC 3339 text")
    try:
        micros = parse(value)
    except (ValueError, OverflowError):
        raise Unreadable("bad-time", f"{value!r} is no RFC 3339 time") from None
    return sane(micros)


def sane(micros: int) -> int:
    """The time itself, if a set clock can have shown it. Raises Unreadable: bad-time."""
    if not _EARLIEST <= micros <= _LATEST:
        raise Unreadable("bad-time", "the time is before 1990 or after 9999")
    return micros


def entity(kind: Kind, value: Json, name: Json = None) -> Entity | None:
    """The entity of that id, cut to what an id may be; None where the id says nothing.

    Nothing says what stands for a name that somebody took out, such as `[REDACTED]`.
    """
    if value is None:
        return None
    identity = text(value, MAX_ID)
    return None if identity is None else _entity(kind, identity, text(name, MAX_ID))


@lru_cache(maxsize=16_384)  # as are the same few relations
def edge(
    source: Entity,
    relation: str,
    target: Entity,
    *,
    declared: bool = False,
    ended: bool = False,
    confidence: float | None = None,
) -> Edge:
    """The relation that a record shows, or declares; `ended`: that it no longer holds."""
    return _edge(source, relation, target, declared, ended, confidence)


def distinct(entities: Iterable[Entity | None]) -> tuple[Entity, ...]:
    """Those that are something, each (kind, id) once, in their order."""
    found: dict[tuple[str, str], Entity] = {}
    for one in entities:
        if one is not None:
            found.setdefault((one.kind, one.id), one)
    return tuple(found.values())


def secret(value: str) -> bool:
    """True if the text seems to hold a credential: it must not be stored."""
    if len(value) < _SHORTEST or not _suspect(value):
        return False
    return _SECRET.search(value[:LONGEST]) is not None


def _suspect(value: str) -> bool:
    """True where _SECRET may find something: a tenth of the time of its search."""
    for part in _PARTS:
        if part in value:
            return True
    lower = value.lower()
    return "bearer" in lower or "basic" in lower or not value.isascii()


@lru_cache(maxsize=16_384)  # the same few things are named again and again
def _entity(kind: Kind, identity: str, name: str | None) -> Entity | None:
    return None if _TAKEN_OUT.fullmatch(identity) else Entity(kind=kind, id=identity, name=name)


@lru_cache(maxsize=16_384)  # and hang together in the same ways
def _edge(
    source: Entity,
    relation: str,
    target: Entity,
    declared: bool,  # noqa: FBT001 - `edge` names it
    ended: bool,  # noqa: FBT001
    confidence: float | None,
) -> Edge:
    said = {"from": source, "relation": relation, "to": target, "declared": declared}
    state = "closed" if ended else "open"
    return Edge.model_validate(said | {"state": state, "confidence": confidence})


def _several(value: Json) -> TypeGuard[list[Json]]:
    return isinstance(value, list)


def _deeper(value: Json, depth: int) -> bool:
    level: list[Json] = [[value]]  # all containers of one depth; a walk that does not recurse
    for _ in range(depth + 1):
        inside = (listing(one) or mapping(one).values() for one in level)
        level = [one for ones in inside for one in ones if isinstance(one, dict | list)]
        if not level:
            return False
    return True


def _unreadable(error: Exception, data: bytes) -> Unreadable:
    if not data.strip():
        return Unreadable("empty", "there is nothing in it")
    said = str(error)
    lower = said.lower()
    for words, reason in _REASONS:
        if words in lower:
            return Unreadable(reason, said)
    return Unreadable("not-json", said)
