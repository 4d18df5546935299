"""ATLAS: techniques of MITRE ATLAS by the tags of rules, folded and by name."""

from __future__ import annotations

import re

from schemas.atlas import atlas

# Sigma writes a technique as a tag: `atlas.aml-t0086`, `atlas.aml-t0051.000`.
_TAG = re.compile(r"atlas\.aml-(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)


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
