"""Attacks: what the tags of an alert say of MITRE ATLAS and ATT&CK, by id and name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from schemas.atlas import atlas

# Sigma writes `atlas.aml-t0051.000`, and `attack.t1078` beside `attack.initial_access`.
_ATLAS: Final = re.compile(r"atlas\.aml[-.](t\d{4})(\.\d{3})?", re.IGNORECASE | re.ASCII)
_ATTACK: Final = re.compile(r"attack\.(t\d{4})(\.\d{3})?", re.IGNORECASE | re.ASCII)


class Named(NamedTuple):
    """A tactic, technique or sub-technique; no name where this version does not know it."""

    uid: str
    name: str | None = None


class Attack(NamedTuple):
    """A technique, its sub-technique if the tag says one, its tactics, and whose matrix it is."""

    matrix: str
    version: str | None
    technique: Named
    sub_technique: Named | None
    tactics: tuple[Named, ...]


def attacks(tags: Iterable[str]) -> list[Attack]:
    """The techniques of these tags, in their order; other tags say none."""
    found = (_attack(tag) for tag in dict.fromkeys(tags))
    return [attack for attack in found if attack is not None]


def named(uid: str) -> Named:
    """A technique or sub-technique of ATLAS by its id."""
    known = atlas().techniques.get(uid)
    return Named(uid, known.name if known else None)


def _attack(tag: str) -> Attack | None:
    if found := _ATLAS.fullmatch(tag):
        parent = f"AML.{found[1].upper()}"
        sub = named(parent + found[2]) if found[2] else None
        return Attack("MITRE ATLAS", atlas().version, named(parent), sub, tuple(_tactics(parent)))
    if found := _ATTACK.fullmatch(tag):
        technique = found[1].upper()
        below = Named(technique + found[2]) if found[2] else None
        return Attack("MITRE ATT&CK", None, Named(technique), below, ())
    return None


def _tactics(technique: str) -> Iterator[Named]:
    known = atlas().techniques.get(technique)
    for tactic in known.tactics if known else ():
        yield Named(tactic, atlas().tactics[tactic])
