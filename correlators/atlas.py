"""ATLAS: the ids, names, tactics and published sequences of MITRE ATLAS that the engine knows."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import msgspec

# Sigma writes a technique as a tag: `atlas.aml-t0086`, `atlas.aml-t0051.000`.
_TAG = re.compile(r"atlas\.aml-(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)


class Technique(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A technique or sub-technique; `tactics` are ids, those of the parent for a sub-technique."""

    name: str
    tactics: tuple[str, ...]


class Atlas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of ATLAS. Names by id; `sequences`: the technique ids of each case, in order."""

    version: str
    tactics: dict[str, str]
    techniques: dict[str, Technique]
    mitigations: dict[str, str]
    sequences: dict[str, tuple[str, ...]]


@cache
def atlas() -> Atlas:
    """The version that the package brings."""
    return msgspec.json.decode(files("correlators").joinpath("atlas.json").read_bytes(), type=Atlas)


def technique(tag: str) -> str | None:
    """The id of the technique that a Sigma tag names; None for any other tag or an unknown id."""
    found = _TAG.fullmatch(tag)
    id_ = f"AML.{found[1].upper()}" if found else ""
    return id_ if id_ in atlas().techniques else None


def fold(technique: str) -> str:
    """The technique that a sub-technique belongs to; any other id as it is."""
    return ".".join(technique.split(".")[:2])


def name(id_: str) -> str:
    """The name of a tactic, technique, sub-technique (`Parent: Name`) or mitigation; KeyError."""
    known = atlas()
    if id_ in known.techniques:
        own, parent = known.techniques[id_].name, fold(id_)
        return own if parent == id_ else f"{known.techniques[parent].name}: {own}"
    return known.tactics[id_] if id_ in known.tactics else known.mitigations[id_]
