"""OSV: advisories of a record of the Open Source Vulnerability format (schema 1.x)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cmp_to_key
from typing import Any, Final

from correlators.advisories.advisory import Advisory, Affected, Listed, Span, Turn
from correlators.advisories.component import base, named, normal, scoped
from correlators.advisories.cvss import score
from correlators.advisories.severity import of_score, of_word
from correlators.advisories.versions import LONGEST, ORDERS, Order, compared, known
from correlators.sigma.values import is_list, is_object

MOST: Final = 20_000  # versions or turns of one entry
_TURNS: Final[tuple[Turn, ...]] = ("introduced", "fixed", "last_affected")


class Odd(Exception):
    """What is wrong with a record, or with a part of it."""


def advisories(record: Any) -> Iterator[Advisory | Odd]:  # noqa: ANN401 - JSON
    """One for each package that is affected; Odd for what cannot be used. Withdrawn: none."""
    if not is_object(record) or not isinstance(record.get("id"), str) or not record["id"]:
        yield Odd("no OSV record: it has no `id`")
        return
    if record.get("withdrawn"):
        return
    parts = record.get("affected")
    if not is_list(parts) or not parts:
        yield Odd(f"{record['id'][:64]}: `affected` names no package")
        return
    for part in parts:
        try:
            yield from _affected(record, part if is_object(part) else {})
        except Odd as odd:
            yield Odd(f"{record['id'][:64]}: {odd}")


def _affected(record: dict[str, Any], part: dict[str, Any]) -> Iterator[Advisory | Odd]:
    ecosystem, name = _package(part.get("package"))
    order = ORDERS.get(base(ecosystem))
    found: list[Affected] = []
    for one in _list(part.get("ranges")):
        kind = one.get("type") if is_object(one) else None
        if kind == "GIT":  # commits; the versions beside it say the same
            continue
        if kind not in {"ECOSYSTEM", "SEMVER"}:
            raise Odd(f"a range is of type ECOSYSTEM, SEMVER or GIT, not {kind!r:.40}")
        if order is None:
            continue
        found.append(_span("semver" if kind == "SEMVER" else order, _list(one.get("events"))))
    versions = [v for v in _list(part.get("versions")) if isinstance(v, str) and len(v) <= LONGEST]
    if versions:
        found.append(Listed(order or "open", frozenset(versions)))
    if not found:
        raise Odd(f"{ecosystem} {name}: no versions that can be judged")
    severity, number = _severity(record, part)
    yield Advisory(
        id=record["id"][:128],
        ecosystem=scoped(ecosystem),
        name=name,
        title=str(record.get("summary") or record["id"])[:256],
        severity=severity,
        score=number,
        aliases=tuple(one[:128] for one in _names(record) if isinstance(one, str)),
        affected=tuple(found),
    )


def _names(record: dict[str, Any]) -> list[Any]:
    """Other names. What a distribution made of one weakness (`DEBIAN-CVE-...`) is that weakness."""
    upstream = _list(record.get("upstream"))
    return _list(record.get("aliases"))[:32] + (upstream if len(upstream) == 1 else [])


def _package(said: object) -> tuple[str, str]:
    told = said if is_object(said) else {}
    ecosystem, name = told.get("ecosystem"), told.get("name")
    if isinstance(ecosystem, str) and isinstance(name, str) and ecosystem and name:
        return ecosystem, normal(base(ecosystem), name)
    found = named(str(told.get("purl") or ""))
    if found is None:
        raise Odd("a package has neither ecosystem and name nor a purl of a known type")
    return found


def _span(order: Order, events: list[Any]) -> Span:
    turns: list[tuple[Turn, str]] = []
    for one in events:
        for turn in _TURNS:
            at = one.get(turn) if is_object(one) else None
            if at is None:
                continue
            if not isinstance(at, str) or not (at == "0" or known(order, at)):
                raise Odd(f"`{turn}: {str(at)[:40]}` is no version that can be compared ({order})")
            turns.append((turn, at))
    if not any(turn == "introduced" for turn, _ in turns):
        raise Odd("a range has no `introduced`")

    def place(one: tuple[Turn, str], other: tuple[Turn, str]) -> int:
        if "0" in {one[1], other[1]}:
            return (other[1] == "0") - (one[1] == "0")
        return compared(order, one[1], other[1]) or 0

    return Span(order, tuple(sorted(turns, key=cmp_to_key(place))))


def _severity(record: dict[str, Any], part: dict[str, Any]) -> tuple[Any, float | None]:
    """The word of the database, else that of the highest CVSS 3 score."""
    rated = [*_list(record.get("severity")), *_list(part.get("severity"))]
    vectors = [one.get("score") for one in rated if is_object(one)]
    scores = [found for v in vectors if isinstance(v, str) and (found := score(v)) is not None]
    highest = max(scores, default=None)
    for place in (part, record):
        for key in ("database_specific", "ecosystem_specific"):
            said = place.get(key)
            level = of_word(said.get("severity")) if is_object(said) else None
            if level is not None:
                return level, highest
    return of_score(highest), highest


def _list(value: object) -> list[Any]:
    return value[:MOST] if is_list(value) else []
