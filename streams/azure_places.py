"""Azure places: the asset and the subscription behind the resource id of Azure."""

from __future__ import annotations

from typing import NamedTuple

from schemas.entity import Entity
from streams.untrusted import entity


class Place(NamedTuple):
    """A resource of Azure: the asset, and the subscription that it lies in."""

    asset: Entity | None
    subscription: Entity | None


def place(resource: str) -> Place:
    """What a resource id of Azure names, in small letters.

    An account of Azure AI is the endpoint `azure/<account>`, its deployment
    `azure/<account>/<deployment>`; an account of storage a datastore; a machine a host.
    """
    parts = resource.lower().strip("/").split("/")
    named = dict(zip(parts[::2], parts[1::2], strict=False))
    asset: Entity | None = None
    if "microsoft.cognitiveservices" in parts or "microsoft.openai" in parts:
        account = named.get("accounts")
        asset = deployed(
            entity("endpoint", f"azure/{account}") if account else None, named.get("deployments")
        )
    elif "storageaccounts" in named:
        inside = [named[key] for key in ("storageaccounts", "containers") if key in named]
        asset = entity("datastore", "/".join(("azure", *inside)))
    elif "virtualmachines" in named:
        asset = entity("host", named["virtualmachines"])
    elif "microsoft.search" in parts and "searchservices" in named:
        asset = entity("datastore", f"azure/{named['searchservices']}")
    return Place(asset, entity("account", named.get("subscriptions")))


def deployed(asset: Entity | None, deployment: str | None) -> Entity | None:
    """The deployment of that name, where the asset is an account of Azure AI; else the asset."""
    if asset is None or asset.kind != "endpoint" or not deployment or asset.id.count("/") > 1:
        return asset
    return entity("endpoint", f"{asset.id}/{deployment.lower()}")
