"""Bill of materials: which part of a CycloneDX document is which entity, and what hangs below what.

Models, data and containers are entities by their type, services too. Everything else is software,
which has no entity of its own, unless its author says so in properties `barograph:kind` and
`barograph:id`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, cast
from urllib.parse import unquote

import msgspec

from schemas.config import Limits
from schemas.entity import KINDS, Entity, Kind, image, principal
from streams.names import mcp, models, purls
from streams.records.untrusted import decode, distinct, entity, listing, mapping, slices, text
from streams.reports import vex
from streams.source import Json, Raw, Unreadable

Part = Literal["root", "component", "service", "vulnerability", "workflow"]

_LEVELS: Final = 16  # components inside components; each level is one more look at the text
_LIMITS: Final = Limits()
_OF_TYPE: Final = {"container": "image", "data": "dataset", "machine-learning-model": "model"}


class Bom(NamedTuple):
    """What holds for all parts. `refs` and `packages` go by bom-ref, `dependencies` too.

    `minor` is the version of the standard behind 1, `faults` what breaks it in all of the document,
    `twice` are the references that are not unique. `disputed` are the assets and vulnerabilities of
    which the document says both that it is not affected and that it is.
    """

    identity: tuple[Json, ...]
    time: int
    dated: bool
    root: Entity | None
    refs: Mapping[str, Entity]
    packages: Mapping[str, dict[str, Json]]
    dependencies: Mapping[str, list[str]]
    minor: int = 7
    faults: tuple[str, ...] = ()
    twice: frozenset[str] = frozenset()
    disputed: frozenset[tuple[Entity | None, str | None]] = frozenset()

    def asset(self, ref: str | None) -> Entity | None:
        """What a vulnerability of a part is one of: the part, else what the document is about."""
        known = ref or ""
        named = known.partition("#")[2] if known.startswith("urn:cdx:") else known
        return self.refs.get(known) or purls.asset(named) or self.root


class Place(NamedTuple):
    """One part of a document: its exact text and the nearest entity above it."""

    part: Part
    data: bytes
    above: Entity | None


class Context(NamedTuple):
    """What the reader of a part needs to know; of a vulnerability one that it affects."""

    bom: Bom
    part: Part
    above: Entity | None
    ref: str | None = None


class Table:
    """Finds the parts of a document, top down, and notes what they are; `whole` is all of it."""

    def __init__(self) -> None:
        self.whole: Entity | None = None
        self.refs: dict[str, Entity] = {}
        self.packages: dict[str, dict[str, Json]] = {}
        self.places: list[Place] = []
        self.twice: set[str] = set()

    def add(self, part: Part, parts: list[msgspec.Raw] | None, above: Entity | None) -> None:
        """Note these parts and all inside them. Raises Unreadable: too-deep."""
        level = [Place(part, bytes(one), above) for one in parts or ()]
        for _ in range(_LEVELS):
            below: list[Place] = []
            for place in level:
                self.places.append(place)
                below += self._note(place)
            if not below:
                return
            level = below
        raise Unreadable("too-deep", f"components inside components, over {_LEVELS} levels")

    def _note(self, place: Place) -> Iterator[Place]:
        try:
            said = mapping(decode(place.data, _LIMITS))
        except Unreadable:  # it is a record all the same, and will be rejected as one
            return
        found = root(said) if place.part == "root" else thing(place.part, said)
        if place.part == "root":
            self.whole = found
        ref = text(said.get("bom-ref"))
        if ref is not None:
            if ref in self.packages:
                self.twice.add(ref)
            self.packages.setdefault(ref, package(said))
            if found is not None:
                self.refs.setdefault(ref, found)
        if "components" in said or "services" in said:
            inside = slices(place.data, _INSIDE)
            above = found or place.above
            for one in inside.components or ():
                yield Place("component", bytes(one), above)
            for one in inside.services or ():
                yield Place("service", bytes(one), above)

    def raws(self, bom: Bom) -> Iterator[Raw]:
        """The parts as records; a vulnerability is one for each part that it affects."""
        stated: list[tuple[tuple[Entity | None, str | None], str | None]] = []
        places: list[tuple[Place, list[str | None]]] = []
        for at in self.places:
            refs: list[str | None] = [None]
            if at.part == "vulnerability":
                said = _said(at.data)
                refs = [*dict.fromkeys(map(self._own, _refs(said)))] or refs
                of = text(said.get("id"), 256)
                stated += [((bom.asset(ref), of), state(said)) for ref in refs]
            places.append((at, refs))
        bom = bom._replace(disputed=vex.disputed(stated))
        for at, refs in places:
            for ref in refs:
                yield Raw(at.data, Context(bom, at.part, at.above, ref))

    def _own(self, ref: str) -> str:
        """A part of this document without its name; one of another document as it is named."""
        inside = ref.rpartition("#")[2] if ref.startswith("urn:cdx:") else ref
        return inside if inside in self.packages else ref


class _Inside(msgspec.Struct):
    components: list[msgspec.Raw] | None = None
    services: list[msgspec.Raw] | None = None


_INSIDE: Final = msgspec.json.Decoder(_Inside)


def state(vulnerability: Mapping[str, Json]) -> str | None:
    """What an analysis says of a vulnerability; None where there is none."""
    return text(mapping(vulnerability.get("analysis")).get("state"), 32)


def _said(vulnerability: bytes) -> dict[str, Json]:
    try:
        return mapping(decode(vulnerability, _LIMITS))
    except Unreadable:  # it is a record all the same, and will be rejected as one
        return {}


def _refs(said: dict[str, Json]) -> list[str]:
    refs = (text(mapping(one).get("ref"), 512) for one in listing(said.get("affects")))
    return [ref for ref in refs if ref]


def properties(said: Mapping[str, Json]) -> dict[str, str]:
    """The `barograph:` properties of a part, without that prefix; the first of a name."""
    found: dict[str, str] = {}
    for one in listing(said.get("properties")):
        name, value = text(mapping(one).get("name")), text(mapping(one).get("value"), 512)
        if name is not None and value is not None and name.startswith("barograph:"):
            found.setdefault(name.removeprefix("barograph:"), value.strip())
    return found


def package(said: Mapping[str, Json]) -> dict[str, Json]:
    """`package.*` attributes of a part."""
    found = {
        "package.name": text(said.get("name"), 256),
        "package.version": text(said.get("version"), 256),
        "package.purl": text(said.get("purl"), 512),
    }
    return {name: value for name, value in found.items() if value is not None}


def root(said: Mapping[str, Json]) -> Entity | None:
    """What the whole document is about: an application, unless it is said to be something else."""
    return thing("component", said) or entity("application", said.get("name"))


def thing(part: Part, said: Mapping[str, Json]) -> Entity | None:
    """The entity that a component or service is; None of software."""
    told, name = properties(said), said.get("name")
    kind = told.get("kind") or ("id" in told and _usual(part, said))
    if kind in KINDS:
        place = text(next(iter(listing(said.get("endpoints"))), None), 512) or ""
        listens = place if kind == "mcp_server" and "://" in place else None
        known = told.get("id") or listens or text(name, 512)
        return _as_told(cast("Kind", kind), known, name)
    if part == "service":
        return entity("endpoint", name)
    match said.get("type"):
        case "machine-learning-model":
            return model_ids(said)[0] if text(name) else None
        case "data":
            held = (mapping(mapping(one).get("contents")) for one in listing(said.get("data")))
            stored = next((one for one in held if _stored(one.get("url"))), None)
            return dataset({"name": name, "contents": stored})
        case "container":
            return _container(said)
        case _:
            return None


def _usual(part: Part, said: Mapping[str, Json]) -> str | None:
    """The kind of what has a name of its author's choice, but is of its type's kind."""
    return "endpoint" if part == "service" else _OF_TYPE.get(text(said.get("type"), 64) or "")


def _as_told(kind: Kind, identity: str | None, name: Json) -> Entity | None:
    if identity and kind == "image":
        return image(identity)
    if identity and kind == "mcp_server" and "://" in identity:
        return mcp.server(url=identity, title=name)
    if identity and kind == "principal" and identity.startswith("arn:"):
        return principal(identity)
    return entity(kind, identity, None if name == identity else name)


def model_ids(said: Mapping[str, Json]) -> tuple[Entity, ...]:
    """The ids of a model, the best first: of its file, on the hub, else as it is named."""
    name = text(said.get("name"), 256)
    refs = map(mapping, listing(said.get("externalReferences")))
    places = (said.get("purl"), *(one.get("url") for one in refs))
    hubs = (entity("model", models.hub(place), name) for place in places)
    ids = distinct((models.hashed(sha256(said), name), *hubs))
    if ids:
        return ids
    known = entity("model", text(said.get("purl"), 512), name)
    return distinct((known or models.released(name, said.get("version")),))


def ancestors(said: Mapping[str, Json]) -> Iterator[Entity]:
    """The models and data that a model was made from, as its pedigree says."""
    for one in map(mapping, listing(mapping(said.get("pedigree")).get("ancestors"))):
        found = thing("component", one)
        if found is not None:
            yield found


def dataset(said: Mapping[str, Json]) -> Entity | None:
    """A data set that a model card holds: where it lies, if that is known, else by its name."""
    name, url = text(said.get("name"), 256), text(mapping(said.get("contents")).get("url"))
    return models.dataset(url if _stored(url) else name, name)


def _stored(url: Json) -> bool:
    """True of an address by which others know the data, too."""
    known = text(url) or ""
    return known.startswith(("gs://", "s3://")) or "huggingface.co/datasets/" in known


def sha256(said: Mapping[str, Json]) -> str | None:
    """The SHA-256 of a part."""
    for one in map(mapping, listing(said.get("hashes"))):
        if one.get("alg") == "SHA-256":
            return text(one.get("content"), 64)
    return None


def _container(said: Mapping[str, Json]) -> Entity | None:
    """By digest, from hash, version or purl; else by name and tag."""
    name, version = text(said.get("name"), 256), text(said.get("version"), 128)
    if name is None:
        return None
    purl = unquote((text(said.get("purl"), 512) or "").partition("?")[0])
    own = sha256(said)
    for digest in (own and f"sha256:{own.lower()}", version, purl.rpartition("@")[2]):
        if digest and digest.startswith("sha256:"):
            return image(f"{name}@{digest}")
    return image(f"{name}:{version}" if version else name)
