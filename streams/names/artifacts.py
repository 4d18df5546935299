"""Artifacts: the one id of what scanners look at, however they name it.

https://git.example/Team/App.git, git@git.example:team/app      repo git.example/team/app
index.docker.io/library/nginx:1.27, docker.io/nginx:1.27        image nginx:1.27
reg.example/team/app:2 with a digest                            image sha256:...
ReplicaSet triage-7c9d8f5b6d in shop                            workload k8s/shop/triage
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from schemas.entity import MAX_ID, Entity, image
from streams.records.untrusted import entity, text
from streams.source import Json

UNNAMED: Final = Entity(kind="repo", id="unnamed")  # files that a report gives no name

_ADDRESS: Final = re.compile(
    r"(?:(?:https?|ssh|git|git\+https|git\+ssh)://)(?:[^/@\s]*@)?([^/\s:]+)(?::\d+)?/([^?#\s]+)(?:[?#]\S*)?"
)
_SCP: Final = re.compile(r"[\w.-]+@([\w.-]+):([^?#\s]+)")
_PLACES: Final = ("/-/", "/blob/", "/tree/", "/raw/", "/commit/", "/src/")  # behind a repository
_NOWHERE: Final = frozenset({"", ".", "./", "/", "-", "unknown"})
_DIGEST: Final = re.compile(r"sha(?:256|512):[0-9a-z]{1,128}")
# What Kubernetes puts behind the name of a Deployment, from the letters that it takes for it.
_HASH: Final = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{6,10}")


def repository(name: Json) -> Entity | None:
    """The repository at an address, of a page in it too, or the folder of that name."""
    known = (text(name, MAX_ID) or "").strip()
    if known in _NOWHERE:
        return None
    found = _ADDRESS.fullmatch(known) or _SCP.fullmatch(known)
    if found is None:
        return entity("repo", known.rstrip("/"))
    path = found[2]
    for place in _PLACES:
        path = path.partition(place)[0]
    path = path.strip("/").removesuffix(".git")
    return entity("repo", f"{found[1]}/{path}".lower(), None)


def container(*names: Json, digests: Iterable[Json] = ()) -> Entity | None:
    """The image by the first digest of those that a registry gives, else by the first name."""
    told = [known for one in names if (known := text(one, MAX_ID))]
    for one in digests:
        known = text(one, MAX_ID)
        if known and _DIGEST.fullmatch(known.rpartition("@")[2].lower()):
            whole = known if "@" in known or not told else f"{_untagged(told[0])}@{known}"
            return image(whole)
    return image(told[0]) if told else None


def workload(namespace: Json, kind: Json, name: Json) -> Entity | None:
    """What runs pods, by the name of its controller: a ReplicaSet is its Deployment."""
    known = text(name, 253)
    if known is None:
        return None
    if text(kind) == "ReplicaSet":
        head, dash, tail = known.rpartition("-")
        known = head if head and _HASH.fullmatch(dash + tail) else known
    return entity("workload", f"k8s/{text(namespace, 64) or 'default'}/{known}")


def _untagged(reference: str) -> str:
    bare = reference.partition("@")[0]
    folder, slash, last = bare.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"
