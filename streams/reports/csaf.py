"""CSAF: which products an advisory speaks of, and what it says of each and each vulnerability."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from streams.records.untrusted import listing, mapping, number, slices, text
from streams.source import Json, Unreadable

_DEEP: Final = 32  # branches in branches
_MOST: Final = 65_536  # products of one tree
# What CSAF calls a status -> what OpenVEX calls it.
STATUSES: Final = {
    "first_affected": "affected",
    "known_affected": "affected",
    "last_affected": "affected",
    "first_fixed": "fixed",
    "fixed": "fixed",
    "known_not_affected": "not_affected",
    "under_investigation": "under_investigation",
}


class Product(NamedTuple):
    """A product by its name and purl; `part` of it is meant where that is said."""

    id: str
    name: str
    purl: str | None
    part: str | None = None


class _Document(msgspec.Struct):
    csaf_version: str
    tracking: msgspec.Raw = msgspec.Raw(b"{}")
    publisher: msgspec.Raw = msgspec.Raw(b"{}")


class _Tracking(msgspec.Struct):
    current_release_date: str | None = None
    initial_release_date: str | None = None


class _Publisher(msgspec.Struct):
    name: str | None = None


class _Advisory(msgspec.Struct):
    document: _Document
    tree: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"{}"), name="product_tree")
    vulnerabilities: list[msgspec.Raw] | None = None


_ADVISORY: Final = msgspec.json.Decoder(_Advisory)
_TRACKING: Final = msgspec.json.Decoder(_Tracking)
_PUBLISHER: Final = msgspec.json.Decoder(_Publisher)
_TREE: Final = msgspec.json.Decoder(dict[str, object])


class Advisory(NamedTuple):
    """Who says it, when, of which products; and the exact text of what is said."""

    author: str | None
    time: str | None
    products: dict[str, Product]
    vulnerabilities: list[bytes]


def advisory(document: bytes) -> Advisory:
    """An advisory of CSAF 2. Raises Unreadable."""
    held = slices(document, _ADVISORY)
    if not held.document.csaf_version.startswith("2."):
        said = held.document.csaf_version[:16]
        raise Unreadable("wrong-shape", f"CSAF {said}, not 2.x")
    tracking = slices(bytes(held.document.tracking), _TRACKING)
    tree = mapping(slices(bytes(held.tree), _TREE))
    return Advisory(
        author=slices(bytes(held.document.publisher), _PUBLISHER).name,
        time=tracking.current_release_date or tracking.initial_release_date,
        products={one.id: one for one in _products(tree)},
        vulnerabilities=[bytes(one) for one in held.vulnerabilities or ()],
    )


def statuses(said: dict[str, Json]) -> Iterator[tuple[str, str]]:
    """Each product and what is said of it; said twice is said once."""
    seen: set[tuple[str, str]] = set()
    for key, products in mapping(said.get("product_status")).items():
        status = STATUSES.get(key)
        for product in listing(products) if status else ():
            known = text(product, 512)
            if status and known and (known, status) not in seen:
                seen.add((known, status))
                yield known, status


def score(said: dict[str, Json], product: str) -> float | None:
    """The highest CVSS base score for that product, of version 3 or 4."""
    found: list[float] = []
    for one in map(mapping, [*listing(said.get("scores")), *listing(said.get("metrics"))]):
        held = mapping(one.get("content")) or one
        if product in listing(one.get("products")):
            known = (
                number(mapping(held.get(key)).get("baseScore")) for key in ("cvss_v3", "cvss_v4")
            )
            found += [base for base in known if base is not None]
    return max(found, default=None)


def justification(said: dict[str, Json], product: str) -> str | None:
    """Why a product is not affected, in the word that a flag has for it."""
    for one in map(mapping, listing(said.get("flags"))):
        if product in listing(one.get("product_ids")):
            return text(one.get("label"), 64)
    return None


def _products(tree: dict[str, Json]) -> Iterator[Product]:
    """All products of a tree, those of relationships (a package in a product) too."""
    named: dict[str, Product] = {}
    level = [tree]
    for _ in range(_DEEP):
        below = [mapping(one) for held in level for one in listing(held.get("branches"))][:_MOST]
        for held in level:
            for one in [held.get("product"), *listing(held.get("full_product_names"))]:
                product = _product(mapping(one))
                if product is not None:
                    named[product.id] = product
        level = below
    yield from named.values()
    for one in map(mapping, listing(tree.get("relationships"))):
        product = _product(mapping(one.get("full_product_name")))
        part = named.get(text(one.get("product_reference"), 512) or "")
        whole = named.get(text(one.get("relates_to_product_reference"), 512) or "")
        if product is not None and part is not None and whole is not None:
            yield whole._replace(id=product.id, part=part.purl or part.name)
        elif product is not None:
            yield product


def _product(said: dict[str, Json]) -> Product | None:
    identity = text(said.get("product_id"), 512)
    if identity is None:
        return None
    helper = mapping(said.get("product_identification_helper"))
    purl = helper.get("purl") or next(iter(listing(helper.get("purls"))), None)
    return Product(identity, text(said.get("name"), 512) or identity, text(purl, 2048))
