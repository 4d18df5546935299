"""Resources: the asset behind the id that a cloud gives a resource.

What is none of the kinds of the inventory has no asset of its own: it belongs to its account.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from schemas.entity import Entity, image, principal
from streams import aws
from streams.source import Json
from streams.untrusted import entity, text

_AZURE: Final = re.compile(r"/subscriptions/([^/]+)(?:/.*?/providers/(.+))?")
_PROJECT: Final = re.compile(r"(?:^|/)projects/([^/]+)")
_ACCOUNTS: Final = "microsoft.cognitiveservices/accounts/"
_STORES: Final = "microsoft.storage/storageaccounts/"


def asset(identity: Json) -> Entity | None:
    """The asset of an ARN, an Azure resource id or a Google resource name; None of any other."""
    known = text(identity, 512)
    if known is None:
        return None
    if known.startswith("arn:"):
        return _of_aws(known)
    if known.lower().startswith("/subscriptions/"):
        return _of_azure(known.lower())
    return _of_google(known) if "/" in known else None


def account(identity: Json) -> Entity | None:
    """The account, subscription or project that the id of a resource names."""
    known = text(identity, 512) or ""
    parts = known.split(":", 5)
    if parts[0] == "arn" and len(parts) == 6:
        return entity("account", parts[4])
    found = _AZURE.match(known.lower()) or _PROJECT.search(known)
    return entity("account", found[1]) if found and found[1] != "_" else None


def _of_aws(arn: str) -> Entity | None:
    parts = arn.split(":", 5)
    if len(parts) != 6 or not parts[5]:
        return None
    service, inside = parts[2], parts[5]
    if service == "iam" and inside.startswith(("role/", "user/")):
        return principal(arn)
    if service == "s3":
        return entity("datastore", f"s3/{inside.partition('/')[0]}")
    kind, _, name = inside.partition("/")
    if service == "ecr":  # `repository/team/app/sha256:...`; without a digest it is no image
        path, _, sha = name.rpartition("/")
        return image(f"{path}@{sha}") if path and sha.startswith("sha256:") else None
    made = _AWS.get((service, kind))
    return made(arn, name.partition("/")[0]) if made and name else None


_AWS: Final[dict[tuple[str, str], Callable[[str, str], Entity | None]]] = {
    ("bedrock", "agent"): lambda _, name: entity("agent", name),
    ("bedrock", "custom-model"): lambda arn, _: aws.model(arn),
    ("bedrock", "foundation-model"): lambda arn, _: aws.model(arn),
    ("bedrock", "guardrail"): lambda _, name: entity("guardrail", name),
    ("bedrock", "inference-profile"): lambda arn, _: aws.model(arn),
    ("bedrock", "knowledge-base"): lambda _, name: entity("datastore", name),
    ("bedrock", "model-customization-job"): lambda _, name: entity("job", f"bedrock/{name}"),
    ("bedrock", "provisioned-model"): lambda arn, _: aws.model(arn),
    ("ec2", "instance"): lambda _, name: entity("host", name),
    ("sagemaker", "endpoint"): lambda _, name: entity("endpoint", name),
    ("sagemaker", "model"): lambda arn, _: aws.model(arn),
    ("sagemaker", "training-job"): lambda _, name: entity("job", f"sagemaker/{name}"),
}


def _of_azure(path: str) -> Entity | None:
    found = _AZURE.fullmatch(path)
    if found is None or not found[2]:
        return None
    parts = found[2].split("/")
    if found[2].startswith(_ACCOUNTS) and len(parts) >= 5 and parts[3] == "deployments":
        return entity("endpoint", f"azure/{parts[2]}/{parts[4]}")
    if found[2].startswith(_STORES) and len(parts) >= 7 and parts[5] == "containers":
        return entity("datastore", f"azure/{parts[2]}/{parts[6]}")
    if parts[:2] == ["microsoft.compute", "virtualmachines"] and len(parts) == 3:
        return entity("host", parts[2])
    if parts[0] == "microsoft.machinelearningservices" and len(parts) >= 5 and parts[3] == "jobs":
        return entity("job", f"azureml/{parts[4]}")
    return None


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
