"""GitHub: what its API answers of repositories, packages, people and the seats of Copilot."""

from __future__ import annotations

from typing import Final

from schemas.event import Edge
from streams.described.answers import PEOPLE, Thing, no, word
from streams.lineage.calls import at, imaged, link
from streams.names.artifacts import repository
from streams.records.untrusted import entity, listing, mapping, text
from streams.source import Json

_MOST: Final = 8
Said = dict[str, Json]


def _repository(said: Said) -> Thing | None:
    name = text(said.get("full_name"), 256)
    if name is None or "/" not in name:
        return None
    thing = repository(said.get("html_url")) or entity("repo", f"github.com/{name}".lower())
    owner = text(at(said, "owner", "login"), 128)
    checks = mapping(said.get("security_and_analysis"))
    scans = at(checks, "secret_scanning", "status")
    open_ = said.get("visibility") == "public" or said.get("private") is False
    hosts = link(
        entity("account", f"github.com/{owner}".lower() if owner else None), "hosts", thing
    )
    return Thing(
        (thing,),
        "github repository",
        hosts,
        {
            "owner": owner,
            "status": "archived" if said.get("archived") is True else None,
            "exposure": "internet" if open_ else None,
        },
        (said.get("created_at"), said.get("updated_at"), said.get("pushed_at")),
        {"secrets_not_scanned": word(scans, "disabled")},
    )


def _package(said: Said) -> Thing | None:
    """A package of images at ghcr.io, by the name that a pull takes."""
    owner, name = text(at(said, "owner", "login"), 128), text(said.get("name"), 256)
    if said.get("package_type") != "container" or not owner or not name:
        return None
    thing = entity("repo", f"ghcr.io/{owner}/{name}".lower())
    source = repository(at(said, "repository", "html_url"))
    return Thing(
        (thing, source),
        "github package",
        link(thing, "fed_by", source),
        {"owner": owner, "exposure": "internet" if said.get("visibility") == "public" else None},
        (said.get("created_at"), said.get("updated_at")),
        {"open_to_the_world": word(said.get("visibility"), "public")},
    )


def _version(said: Said) -> Thing | None:
    """One image of a package, by its digest."""
    digest = text(said.get("name"), 128) or ""
    if not digest.startswith("sha256:"):
        return None
    tags = listing(at(said, "metadata", "container", "tags"))[:_MOST]
    known = ", ".join(filter(None, (text(one, 128) for one in tags)))
    times = (said.get("created_at"), said.get("updated_at"))
    return Thing(
        (imaged(f"image@{digest}"),), "github image", (), {"version": known or None}, times
    )


def _seat(said: Said) -> Thing | None:
    """Who may use Copilot, when last and where."""
    who = mapping(said.get("assignee"))
    person = entity("principal", (text(who.get("login"), 128) or "").lower())
    copilot = entity("application", "github-copilot", "GitHub Copilot")
    edges: list[Edge] = list(link(person, "calls", copilot))
    return Thing(
        (person, copilot),
        "copilot seat",
        edges,
        {
            "type": None,
            "last_used": text(said.get("last_activity_at"), 64),
            "role": text(said.get("plan_type"), 32),
        },
        (said.get("created_at"), said.get("last_activity_at")),
        {},
        PEOPLE,
    )


def _node(said: Said) -> Thing | None:
    """A member as GraphQL lists them, with the role beside the person."""
    return _member(mapping(said.get("node")), said)


def _listed(said: Said) -> Thing | None:
    return _member(said, said)


def _member(who: Said, said: Said) -> Thing | None:
    login, mail = text(who.get("login"), 128), text(who.get("email"), 256)
    person = entity("principal", login.lower() if login else None, who.get("name"))
    named = entity("principal", mail.lower() if mail else None)
    role = text(said.get("role") or said.get("organizationRole"), 64)
    return Thing(
        (person, named),
        "github user",
        link(person, "same_as", named),
        {"role": role},
        (who.get("created_at"),),
        {"no_second_factor": no(said.get("hasTwoFactorEnabled"))},
        PEOPLE,
    )


def _key(said: Said) -> Thing | None:
    """A deploy key of a repository; the key itself, though public, is not kept."""
    place = (text(said.get("url"), 512) or "").partition("/repos/")[2].rpartition("/keys/")[0]
    repo = repository(f"https://github.com/{place}") if place else None
    number = text(said.get("id"), 64)
    key = entity("apikey", f"github/{number}" if number else None, said.get("title"))
    return Thing(
        (key, repo),
        "github deploy key",
        link(repo, "owns", key),
        {"last_used": text(said.get("last_used"), 64)},
        (said.get("created_at"), said.get("last_used")),
    )


# The keys of the records that are read, the most telling first.
SHAPES: Final = (
    (frozenset({"full_name", "node_id", "default_branch"}), _repository),
    (frozenset({"package_type", "owner", "visibility", "html_url"}), _package),
    (frozenset({"name", "metadata", "package_html_url"}), _version),
    (frozenset({"assignee", "last_activity_at"}), _seat),
    (frozenset({"node", "hasTwoFactorEnabled"}), _node),
    (frozenset({"node", "organizationRole"}), _node),
    (frozenset({"id", "key", "read_only", "title", "url"}), _key),
    (frozenset({"login", "node_id", "type", "site_admin"}), _listed),
)


def described(said: Said, within: str) -> Thing | None:  # noqa: ARG001 - the keys tell
    """The thing that an answer of GitHub describes; None of any other."""
    return next((read(said) for marks, read in SHAPES if marks <= said.keys()), None)
