"""Resources: the asset behind the id that a cloud gives a resource.

What is none of the kinds of the inventory has no asset of its own: it belongs to its account.
"""

from __future__ import annotations

import re
from typing import Final

from schemas.entity import Entity
from streams.names import arns, azure
from streams.records.untrusted import entity, text
from streams.source import Json

_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/]+)")
_PORTAL: Final = re.compile(
    r"https://portal\.azure\.[a-z.]+/#[^/]*/resource/+(?=subscriptions/)", re.IGNORECASE
)
_INSTANCE: Final = re.compile(r"i-[0-9a-fA-F]{8,17}")
_PROJECT: Final = re.compile(r"(?:^|/)projects/([^/]+)")


def asset(identity: Json) -> Entity | None:
    """The asset of an ARN, an Azure resource id or a Google resource name; None of any other."""
    known = text(identity, 512)
    if known is None:
        return None
    if known.startswith("arn:"):
        return arns.asset(known)
    known = _PORTAL.sub("/", known)  # a page about it
    if _INSTANCE.fullmatch(known):
        return entity("host", known.lower())
    if known.lower().startswith("/subscriptions/"):
        return azure.asset(known)
    return _of_google(known) if "/" in known else None


def account(identity: Json) -> Entity | None:
    """The account, subscription or project that the id of a resource names."""
    known = text(identity, 512) or ""
    parts = known.split(":", 5)
    if parts[0] == "arn" and len(parts) == 6:
        return entity("account", parts[4])
    found = _SUBSCRIPTION.match(known.lower()) or _PROJECT.search(known)
    return entity("account", found[1]) if found and found[1] != "_" else None


def _of_google(path: str) -> Entity | None:  # noqa: PLR0911 - a kind a line
    name = path.removeprefix("//").partition(".googleapis.com/")[2] or path
    parts = name.split("/")
    if "//storage.googleapis.com/" in path and len(parts) == 1:
        return entity("datastore", f"gcs/{parts[0]}")
    if parts[0] != "projects" or len(parts) < 4:
        return None
    kind, last = parts[-2], parts[-1]
    if kind == "buckets":
        return entity("datastore", f"gcs/{last}")
    if kind == "serviceAccounts":
        return entity("principal", last.lower())
    if kind in {"customJobs", "trainingPipelines", "tuningJobs"}:
        return entity("job", f"vertex/{last}")
    # What a project made has its full name, what Google publishes its short one.
    if kind == "endpoints":
        return entity("endpoint", name)
    return entity("model", last if "publishers" in parts else name) if kind == "models" else None
