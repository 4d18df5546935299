"""Difference: in what the server's copy of a thing differs from ours, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from correlators.sigma.values import is_list, is_object
from infra.boards.parts.source import Json
from schemas.canonical import canonical

# What Grafana keeps for itself in a dashboard, or sets when it brings one to a newer form.
OWN: Final = frozenset(
    {
        *("id", "version", "iteration", "schemaVersion", "pluginVersion"),
        *("fiscalYearStartMonth", "gnetId", "liveNow", "preload", "style", "weekStart"),
    }
)
LONGEST: Final = 60  # characters of a value that are shown
_NAMES: Final = (
    "uid",
    "refId",
    "name",
    "id",
    "title",
    "text",
)  # by which members of lists are known
_NOTHING: Final[tuple[object, ...]] = (None, "", [], {})


class Difference(NamedTuple):
    """`place`: the way to the field; the values as short texts, `-` where there is none."""

    place: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.place}: {self.ours} here, {self.theirs} on the server"


def differences(ours: Json, theirs: Json, *, stated: bool = False) -> Iterator[Difference]:
    """Every field that differs. Null, empty and absent are one thing.

    `stated`: only fields that ours has; what the server adds of itself is no difference.
    """
    yield from _compare("", ours, theirs, stated)


def _compare(place: str, ours: object, theirs: object, stated: bool) -> Iterator[Difference]:  # noqa: FBT001 - private
    if is_object(ours) and is_object(theirs):
        for key in _keys(ours, theirs, stated):
            way = f"{place}.{key}" if place else key
            yield from _compare(way, ours.get(key), theirs.get(key), stated)
    elif is_list(ours) and is_list(theirs) and (named := _named(ours, theirs)):
        for key in _keys(*named, stated=False):
            yield from _compare(f"{place}[{key}]", named[0].get(key), named[1].get(key), stated)
    elif ours != theirs and not (_empty(ours) and _empty(theirs)):
        yield Difference(place, _short(ours), _short(theirs))


def _keys(ours: Mapping[str, Any], theirs: Mapping[str, Any], stated: bool) -> Iterator[str]:  # noqa: FBT001 - private
    for key in ours:
        if key not in OWN or key not in theirs:
            yield key
    if not stated:
        yield from (key for key in theirs if key not in ours and key not in OWN)


def _named(
    ours: list[Any], theirs: list[Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Both lists by the names of their members; None if they have none, or one twice."""
    for name in _NAMES:
        pair = [
            {
                str(member[name]): member
                for member in members
                if is_object(member) and name in member
            }
            for members in (ours, theirs)
        ]
        if (ours or theirs) and [len(pair[0]), len(pair[1])] == [len(ours), len(theirs)]:
            return pair[0], pair[1]
    return None


def _empty(value: object) -> bool:
    return value in _NOTHING


def _short(value: object) -> str:
    if _empty(value):
        return "-"
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
