"""Projection: a few texts of raw JSON records, each a column, without decoding the rest.

What it gives is what a full decoding gives, for records of the usual shape, in which these fields
are texts or nothing: the others are named.
What nobody looks at need only be well-formed: a full decoding refuses a number that no float can
hold, this one only where it is looked at.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from correlators.sigma.shape import NEVER, UNUSUAL, Place, is_utf8
from correlators.sigma.values import MISSING

_UNNAMEABLE: Final = frozenset('"\\').union(map(chr, range(32)))
_SLICE: Final = 1_000  # records at a time: more are out of the cache before they are read


class Columns(NamedTuple):
    """Values by path, in the order of the records: texts, None, or MISSING where there is none.

    `unusual`: places of records that must be decoded whole; their values say nothing.
    """

    values: dict[str, list[Any]]
    unusual: list[int]


class Projection:
    """Decodes the values at some dotted paths, of which none leads through another."""

    def __init__(self, paths: Sequence[str]) -> None:
        """`fits` says which paths go together."""
        self.paths = tuple(paths)
        tree = _tree(paths)
        struct = _struct(tree, [path for path in paths if "." in path])
        self._decode = msgspec.json.Decoder(struct).decode
        self._empty = struct()
        self._take = {path: _column(path, tree) for path in paths}

    def columns(self, records: Sequence[bytes]) -> Columns:
        """The columns of these records."""
        values: dict[str, list[Any]] = {path: [] for path in self.paths}
        unusual: list[int] = []
        for start in range(0, len(records), _SLICE):
            seen, wrong = self._seen(records[start : start + _SLICE])
            for path, take in self._take.items():
                values[path] += take(seen)
            unusual += (start + n for n in sorted(wrong))
        return Columns(values, unusual)

    def _seen(self, records: Sequence[bytes]) -> tuple[list[Any], set[int]]:
        seen: list[Any] = []
        unusual: set[int] = set()
        left = map(self._decode, records)
        while len(seen) < len(records):
            try:
                seen.extend(left)  # keeps what came before an error; `left` goes on behind it
            except UNUSUAL:
                unusual.add(len(seen))
                seen.append(self._empty)
        if not all(map(bytes.isascii, records)):  # what is skipped is not looked into
            unusual.update(n for n, data in enumerate(records) if not is_utf8(data))
        return seen, unusual


def fits(paths: Sequence[str]) -> bool:
    """True if a Projection can be made of these."""
    tree: dict[str, Any] = {}
    for path in sorted(paths, key=len):
        if not _UNNAMEABLE.isdisjoint(path):
            return False
        node = tree
        for key in path.split("."):
            if not key or "" in node:
                return False
            node = node.setdefault(key, {})
        node[""] = {}
    return True


def _tree(paths: Sequence[str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for key in path.split("."):
            node = node.setdefault(key, {})
    return tree


def _struct(tree: dict[str, Any], dotted: Sequence[str] = ()) -> type[msgspec.Struct]:
    """The type to decode; it does not fit a record that has a key of `dotted`, dots and all."""
    fields: list[tuple[str, Any, Any]] = []
    rename: dict[str, str] = {}
    for number, (key, below) in enumerate(tree.items()):
        kind, nothing = (_struct(below), None) if below else (str, MISSING)
        fields.append((f"f{number}", kind | None, nothing))
        rename[f"f{number}"] = key
    for number, path in enumerate(dotted):
        fields.append((f"d{number}", NEVER, 0))
        rename[f"d{number}"] = path
    return msgspec.defstruct("Record", fields, rename=rename, gc=False)


def _column(path: str, tree: dict[str, Any]) -> Callable[[Sequence[Any]], list[Any]]:
    attributes: list[str] = []
    for key in path.split("."):
        attributes.append(f"f{list(tree).index(key)}")
        tree = tree[key]
    place = Place(tuple(attributes))
    value = f"{place.value} if {place.way} else MISSING" if attributes[1:] else place.value
    code = f"lambda seen: [{value} for e in seen]"
    column: Callable[[Sequence[Any]], list[Any]] = eval(code, {"MISSING": MISSING})  # noqa: S307 - all names in it are our own
    return column
