"""Atlas: the version of MITRE ATLAS in schemas/atlas.json: ids, names, tactics, sequences."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


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
    return msgspec.json.decode(files("schemas").joinpath("atlas.json").read_bytes(), type=Atlas)
