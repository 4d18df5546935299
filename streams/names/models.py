"""Models: the one id of a model, and that several ids are ids of one model.

a file whose hash is known                            sha256:<hex>
pkg:huggingface/Org/Name@rev, a URL of the hub,
a path in its cache                                   huggingface/org/name
a release of a publisher                              name-2026-01-31
anything else                                         as it is named
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote

from schemas.entity import Entity
from schemas.event import Edge
from streams.names import aws
from streams.records.untrusted import distinct, edge, entity, text
from streams.source import Json

_HUB: Final = re.compile(
    r"(?:pkg:huggingface/|(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?!api/|datasets/|spaces/)"
    r"|huggingface[ /]|(?:hf|huggingface)://)(?P<name>[\w.-]{1,96}(?:/[\w.-]{1,96})?)",
    re.IGNORECASE,
)
_DATA: Final = re.compile(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/datasets/(?P<name>[\w.-]{1,96}(?:/[\w.-]{1,96})?)",
    re.IGNORECASE,
)
_CACHED: Final = re.compile(r"(?:^|/)models--(?P<org>[\w.-]{1,96}?)--(?P<name>[\w.-]{1,96})/")
_NAMED: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", re.IGNORECASE)
_DAY: Final = re.compile(r"20\d{2}-\d{2}-\d{2}|20\d{6}")
_NONE: Final = frozenset({"latest", "main", "n/a", "none", "unknown", "unspecified"})
_HEX: Final = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


def hub(value: Json) -> str | None:
    """`huggingface/<org>/<name>` of a purl, an address or `huggingface <name>`; else None."""
    found = _HUB.match(unquote((text(value, 512) or "").strip()))
    return None if found is None else f"huggingface/{found['name'].lower()}"


def model(value: Json, name: Json = None) -> Entity | None:
    """The model of that purl, address or name."""
    return entity("model", hub(value) or value, name)


def released(name: Json, version: Json = None) -> Entity | None:
    """The model of that name in that version, as it is called when it is used.

    Publishers put the day of a release behind the name (`gpt-4o-2024-08-06`); other versions are
    those of whoever made the model: `writer@1`. A word such as `latest` is no version.
    """
    known, of = text(name, 256), text(version, 128)
    if known is None:
        return None
    if of is None or of.lower() in _NONE or known.endswith(of):
        return aws.model(known)
    return entity("model", f"{known}{'-' if _DAY.fullmatch(of) else '@'}{of}")


def hashed(value: Json, name: Json = None) -> Entity | None:
    """The model whose file has that SHA-256, with `sha256:` before it or without."""
    known = (text(value, 128) or "").lower().removeprefix("sha256:").strip()
    return entity("model", f"sha256:{known}", name) if _HEX.fullmatch(known) else None


def file(path: Json) -> tuple[Entity | None, ...]:
    """The ids of a model that lies at a path, the best first.

    A hash in the path is that of a file (so the hub's cache and registries name their blobs); else
    the path itself stands for the model.
    """
    known = (text(path, 512) or "").replace("\\", "/")
    cached, name = _CACHED.search(known), known.rstrip("/").rpartition("/")[2]
    digest = _NAMED.search(known)
    from_hub = hub(known) or (
        f"huggingface/{cached['org']}/{cached['name']}".lower() if cached else None
    )
    ids = (hashed(digest[0], name) if digest else None, entity("model", from_hub, name))
    return distinct(ids) or (entity("model", known.rstrip("/"), name),)


def part(path: Json) -> str | None:
    """The file of a model of the hub that lies at a path: such a model has more files than it."""
    known = (text(path, 512) or "").replace("\\", "/")
    first = next(iter(file(known)), None)
    if first is None or not first.id.startswith("huggingface/"):
        return None
    return known.rstrip("/").rpartition("/")[2]


def dataset(value: Json, name: Json = None) -> Entity | None:
    """The data set of that address or name; a bucket is `s3/<bucket>/<prefix>`."""
    known = text(value, 512) or ""
    found = _DATA.match(known)
    if found is not None:
        return entity("dataset", f"huggingface/{found['name'].lower()}", name)
    for scheme, kind in (("s3://", "s3"), ("gs://", "gcs")):
        if known.startswith(scheme):
            return entity("dataset", f"{kind}/{known.removeprefix(scheme).rstrip('/')}", name)
    return entity("dataset", value, name)


def same(ones: Iterable[Entity | None]) -> Iterator[Edge]:
    """That all of these are the first of them."""
    known = distinct(ones)
    return (edge(known[0], "same_as", other, declared=True) for other in known[1:])
