"""Kubernetes: the canonical entities behind its users, pods and objects, whoever logs them.

    workload -runs_image-> image        endpoint -serves-> model

Workloads go by the name of what makes the pods, in their namespace; clusters are not told apart.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from schemas.entity import Entity, Kind, image
from schemas.entity import principal as of_arn
from schemas.event import Edge
from streams.names import mcp
from streams.records.untrusted import distinct, edge, entity, listing, mapping, text
from streams.source import Json

# Objects that are more than a workload: (API group, resource) -> kind.
_KINDS: Final[dict[tuple[str, str], Kind]] = {
    ("apps.nvidia.com", "nimservices"): "endpoint",
    ("kagent.dev", "agents"): "agent",
    ("kagent.dev", "mcpservers"): "mcp_server",
    ("kagent.dev", "remotemcpservers"): "mcp_server",
    ("machinelearning.seldon.io", "seldondeployments"): "endpoint",
    ("mlops.seldon.io", "models"): "endpoint",
    ("ray.io", "rayclusters"): "workload",
    ("ray.io", "rayjobs"): "job",
    ("ray.io", "rayservices"): "endpoint",
    ("serving.kserve.io", "inferenceservices"): "endpoint",
    ("serving.kserve.io", "llminferenceservices"): "endpoint",
    ("toolhive.stacklok.dev", "mcpservers"): "mcp_server",
}
_TRAINING: Final = frozenset({"kubeflow.org", "trainer.kubeflow.org"})
AI_GROUPS: Final = frozenset(group for group, _ in _KINDS) | _TRAINING
CONTROLLERS: Final = frozenset(
    {"cronjobs", "daemonsets", "deployments", "jobs", "replicationcontrollers", "statefulsets"}
)
BINDINGS: Final = frozenset({"clusterrolebindings", "rolebindings"})
_PODS: Final = CONTROLLERS | {"pods", "replicasets"}
OPENED: Final = frozenset({"attach", "ephemeralcontainers", "exec", "portforward"})
_CHANGES: Final = frozenset({"create", "delete", "patch", "update"})
_MODELS: Final = frozenset({"modelUri", "storageUri"})
_IMAGES: Final = 32  # of one object
_LEVELS: Final = 12  # of an object that are looked at
_NODES: Final = 4096  # values of an object that are looked at
# Names that controllers give: what is behind the controller's own, in their alphabet.
_MADE: Final = re.compile(
    r"(.+?)-(?:[bcdf-hj-np-tv-xz2456789]{6,10}-[bcdf-hj-np-tv-xz2456789]{5}"
    r"|[bcdf-hj-np-tv-xz2456789]{5}|\d{1,10}(?:-[bcdf-hj-np-tv-xz2456789]{5})?)"
)

_ANY: Final = "bbbbb"  # five letters of that alphabet


class Target(NamedTuple):
    """What a request is about; what it does not name is empty."""

    resource: str
    name: str = ""
    namespace: str = ""
    group: str = ""
    subresource: str = ""


class Seen(NamedTuple):
    """What an object holds: images that it runs, models that it serves."""

    images: tuple[Entity, ...]
    models: tuple[Entity, ...]


def principal(username: Json) -> Entity | None:
    """The user: a role or user of AWS where it is an ARN, else as Kubernetes names it."""
    known = text(username, 512)
    if known is None:
        return None
    return of_arn(known) if known.startswith("arn:") else entity("principal", known)


def subject(said: Json, namespace: str) -> Entity | None:
    """A user or service account to whom a binding gives a role; None of a group."""
    one = mapping(said)
    name = text(one.get("name"), 256)
    if one.get("kind") == "ServiceAccount" and name:
        where = text(one.get("namespace"), 256) or namespace
        return entity("principal", f"system:serviceaccount:{where}:{name}")
    return principal(name) if one.get("kind") == "User" else None


def workload(namespace: str, name: str) -> Entity | None:
    """The workload of that name: `k8s/<namespace>/<name>`."""
    return entity("workload", f"k8s/{namespace or 'default'}/{name}") if name else None


def controller(pod: str) -> str:
    """The name of what made a pod, guessed by how controllers name pods, or the pod's own.

    `triage-5d9c7f6b8d-x2k9z` and `triage-x2k9z` and `triage-0` are `triage`.
    """
    made = _MADE.fullmatch(pod)
    return pod if made is None else made[1]


def about(target: Target, body: Json = None) -> Entity | None:
    """The entity that a request is about."""
    if not target.resource:
        return None
    if target.resource == "serviceaccounts":
        name = target.name and f"system:serviceaccount:{target.namespace}:{target.name}"
        return entity("principal", name)
    kind = _KINDS.get((target.group, target.resource))
    if kind is None and target.group in _TRAINING and target.resource.endswith("jobs"):
        kind = "job"
    name = target.name or _name(body)
    if kind == "mcp_server":
        url = mapping(mapping(body).get("spec")).get("url")
        return mcp.server(url=url, title=name) if name else None
    if kind is not None:
        return entity(kind, f"k8s/{target.namespace}/{name}" if name else None, name)
    if target.resource == "pods":
        return workload(target.namespace, _owner(body) or controller(name))
    return workload(target.namespace, name) if target.resource in _PODS else None


def told(target: Target, verb: str, body: Json = None) -> tuple[tuple[Entity, ...], list[Edge]]:
    """What a request is about and what its object names, and the edges that it declares.

    They hold if the request succeeds; a deletion ends them.
    """
    if target.resource in BINDINGS:
        said = listing(mapping(body).get("subjects"))[:_IMAGES]
        return distinct(subject(one, target.namespace) for one in said), []
    known = about(target, body)
    seen = seen_in(body) if known or target.resource in _PODS else Seen((), ())
    found = distinct((known, *seen.images, *seen.models))
    ended = verb == "delete"
    if known is None or verb not in _CHANGES or target.subresource:
        return found, []
    if ended and not deletes(target, verb):  # of its controller other pods go on
        return found, []
    runs = known if known.kind == "workload" else workload(target.namespace, target.name)
    edges: list[Edge] = []
    if runs is not None:
        edges += [edge(runs, "runs_image", o, declared=True, ended=ended) for o in seen.images]
    if known.kind == "endpoint":
        edges += [edge(known, "serves", o, declared=True, ended=ended) for o in seen.models]
    return found, edges


def deletes(target: Target, verb: str) -> bool:
    """True if what the request is about is no more: neither one pod of many, nor an address."""
    spared = target.resource in {"pods", "remotemcpservers"} or target.subresource
    return verb == "delete" and not spared and about(target, None) is not None


def granted(target: Target, body: Json) -> dict[str, Json]:
    """`iam.role` that a binding gives, and `iam.member`s, groups among them; None where unsaid."""
    if target.resource not in BINDINGS:
        return {}
    bound = mapping(body)
    members = (mapping(one).get("name") for one in listing(bound.get("subjects"))[:_IMAGES])
    known = sorted({one for name in members if (one := text(name, 256))})
    return {
        "iam.role": text(mapping(bound.get("roleRef")).get("name"), 256),
        "iam.member": known or None,
    }


def opened(target: Target) -> bool:
    """True if the request goes into a running container."""
    return target.resource == "pods" and target.subresource in OPENED


def seen_in(body: Json) -> Seen:
    """The images and models of an object or of a patch of it, wherever they stand."""
    if not isinstance(body, dict | list):
        return Seen((), ())
    images: list[Entity] = []
    models: list[Entity | None] = []
    level: list[Json] = [body]
    left = _NODES
    for _ in range(_LEVELS):
        below: list[Json] = []
        for one in level[:left]:
            for name, value in mapping(one).items():
                if name in {"containers", "initContainers", "ephemeralContainers"}:
                    images += _images(listing(value))
                elif name in _MODELS:
                    models.append(_model(value))
                elif name != "status":
                    below.append(value)
            below += listing(one)
            images += _patched(one)
        left -= len(level)
        level = [value for value in below if isinstance(value, dict | list)]
        if left <= 0 or not level:
            break
    found = mapping(mapping(mapping(body).get("spec")).get("model"))
    models.append(_model(found.get("uri")))
    return Seen(distinct(images)[:_IMAGES], distinct(models)[:_IMAGES])


def _images(containers: list[Json]) -> list[Entity]:
    named = (text(mapping(one).get("image"), 512) for one in containers[:_IMAGES])
    return [image(one) for one in named if one]


def _patched(operation: Json) -> list[Entity]:
    """The image that one operation of a JSON patch sets."""
    said = mapping(operation)
    path, value = text(said.get("path"), 512), text(said.get("value"), 512)
    return [image(value)] if path and value and path.endswith("/image") else []


def _model(uri: Json) -> Entity | None:
    known = text(uri, 512)
    if known is None or "://" not in known:
        return None
    scheme, _, rest = known.partition("://")
    if scheme == "hf":
        return entity("model", f"huggingface/{rest.partition(':')[0].strip('/')}".lower())
    return entity("model", f"{scheme.lower()}/{rest.strip('/')}")


def _name(body: Json) -> str:
    """The name that an object brings, or how one is called that is to be named."""
    meta = mapping(mapping(body).get("metadata"))
    start = text(meta.get("generateName"), 256)
    return text(meta.get("name"), 256) or (f"{start}{_ANY}" if start else "")


def _owner(body: Json) -> str | None:
    """The name of the controller of a pod, where the pod says it."""
    owners = listing(mapping(mapping(body).get("metadata")).get("ownerReferences"))
    said = next(
        filter(lambda one: one.get("controller") is True, map(mapping, owners)), mapping(None)
    )
    name = text(said.get("name"), 256)
    if name is None:
        return None
    made = _MADE.fullmatch(f"{name}-{_ANY}")  # as a pod of it would be called
    return (
        made[1]
        if made is not None and text(said.get("kind"), 64) in {"Job", "ReplicaSet"}
        else name
    )
