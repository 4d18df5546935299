"""Component: a piece of software by name and version, in the ecosystem that its purl says."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

LONGEST: Final = 512
_DASHES: Final = re.compile(r"[-_.\s]+")
# purl type -> ecosystem as `base` of what OSV names it
_ECOSYSTEMS: Final = {
    "pypi": "PyPI",
    "npm": "npm",
    "golang": "Go",
    "maven": "Maven",
    "cargo": "crates",
    "nuget": "NuGet",
    "gem": "RubyGems",
    "composer": "Packagist",
    "hex": "Hex",
    "pub": "Pub",
    "swift": "SwiftURL",
    "githubactions": "GitHub Actions",
}
# A distribution numbers its packages in its own way, with patches of its own.
_DISTRIBUTIONS: Final = frozenset({"alpm", "apk", "deb", "ebuild", "rpm"})


class Component(NamedTuple):
    """What is looked for in a feed. `places`: ecosystem and name, as `normal` writes them."""

    name: str
    version: str
    places: tuple[tuple[str, str], ...]
    ecosystem: str | None


def normal(ecosystem: str, name: str) -> str:
    """The one way to write a name of an ecosystem."""
    if ecosystem in {"PyPI", ""}:
        return _DASHES.sub("-", name.strip()).lower()
    return name.strip().lower() if ecosystem in {"npm", "NuGet", "Packagist"} else name.strip()


def base(ecosystem: str) -> str:
    """The ecosystem without its release, `Debian` of `Debian:12`, and Rust's without its domain."""
    return ecosystem.partition(":")[0].removesuffix(".io")


def component(name: str, version: str, purl: str | None = None) -> Component | None:
    """The component of a record; None where a distribution made it, or it has no version.

    Without a purl its ecosystem is unknown, and only products are looked for. A purl may say the
    version where the record does not.
    """
    kind, names, written = _purl(purl or "")
    version = version.strip() or written
    if not version or not name.strip():
        return None
    if kind in _DISTRIBUTIONS:
        return None
    ecosystem = _ECOSYSTEMS.get(kind)
    if not names:
        return Component(name, version, (("", normal("", name)),), None)
    full = ":".join(names) if ecosystem == "Maven" else "/".join(names)
    products = dict.fromkeys(normal("", one) for one in (name, names[-1]))
    places = [("", one) for one in products]
    if ecosystem is not None:
        places.insert(0, (ecosystem, normal(ecosystem, full)))
    return Component(name, version, tuple(places), ecosystem)


def named(purl: str) -> tuple[str, str] | None:
    """Ecosystem and name of a purl, as an advisory gives it; None of other kinds."""
    kind, names, _ = _purl(purl)
    ecosystem = _ECOSYSTEMS.get(kind)
    if ecosystem is None or not names:
        return None
    full = ":".join(names) if ecosystem == "Maven" else "/".join(names)
    return ecosystem, normal(ecosystem, full)


def _purl(purl: str) -> tuple[str, list[str], str]:
    """Type, the namespace's parts with the name, and the version, "" of none."""
    head, _, inside = purl[:LONGEST].partition("#")
    head = head.partition("?")[0]
    if not head.lower().startswith("pkg:"):
        return "", [], ""
    kind, _, path = head[4:].lstrip("/").partition("/")
    last = path.rfind("/")
    at = path.find("@", max(last, 0) + 1)  # a scope begins with an `@`, written out or not
    parts = (path if at < 0 else path[:at]).split("/")
    if kind.lower() == "golang":  # Syft writes the module `host/a/b/v2` as `host/a/b#v2`
        parts += inside.split("/")
    version = "" if at < 0 else unquote(path[at + 1 :])
    return kind.lower(), [unquote(part) for part in parts if part], version
