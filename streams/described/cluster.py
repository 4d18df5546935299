"""Kubernetes: what kubectl lists of the objects of a cluster, with the ids that its audit log has.

workload -runs_image-> image, -runs_as-> service account; endpoint -serves-> model; host -hosts->
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.entity import Entity
from schemas.event import Edge
from streams.described.answers import PEOPLE, Thing, tagged, word
from streams.lineage.calls import at, imaged, link
from streams.names import kubernetes
from streams.names.kubernetes import Target
from streams.records.untrusted import distinct, edge, entity, listing, mapping, text
from streams.source import Json

_MOST: Final = 64
Said = dict[str, Json]
# What kubectl calls an object -> what its API calls all of them, where it is not just an s more.
_PLURALS: Final = {
    "Gateway": "gateways",
    "Ingress": "ingresses",
    "NetworkPolicy": "networkpolicies",
}
_WORKLOADS: Final = frozenset({"CronJob", "DaemonSet", "Deployment", "Job", "Pod", "StatefulSet"})
_PLAIN: Final = frozenset(
    {"Namespace", "Node", "PersistentVolumeClaim", "Service", "ServiceAccount"}
)
_BOUND: Final = frozenset({"ClusterRoleBinding", "RoleBinding"})
_ANYONE: Final = frozenset({"system:anonymous", "system:authenticated", "system:unauthenticated"})


def target(version: str, kind: str, meta: Said) -> Target:
    """The object as a request for it names it."""
    group = version.rpartition("/")[0]
    plural = _PLURALS.get(kind, f"{kind}s").lower()
    name, space = text(meta.get("name"), 256) or "", text(meta.get("namespace"), 256) or ""
    return Target(plural, name, space, group)


def known(version: str, kind: str) -> bool:
    """True of an object that is read."""
    group = version.rpartition("/")[0]
    if group in kubernetes.AI_GROUPS:
        return kubernetes.about(Target(f"{kind}s".lower(), "x", "x", group), None) is not None
    usual = group in {"", "apps", "batch", "rbac.authorization.k8s.io"}
    return usual and kind in _WORKLOADS | _BOUND | {"Node", "ServiceAccount"}


def described(said: Said, within: str) -> Thing | None:  # noqa: ARG001 - the object tells
    """The thing that an object of a cluster is; None of one that is none of an AI estate."""
    version, kind = text(said.get("apiVersion"), 128) or "", text(said.get("kind"), 64) or ""
    meta, spec = mapping(said.get("metadata")), mapping(said.get("spec"))
    if not known(version, kind) or not text(meta.get("name"), 256):
        return None
    if kind == "Node":
        return _node(said, meta)
    if kind in _BOUND:
        return _binding(said, meta)
    where = target(version, kind, meta)
    about = kubernetes.about(where, said)
    if about is None:
        return None
    if kind == "ServiceAccount":
        return Thing((about,), "service account", (), {}, _times(meta), {}, PEOPLE)
    pods = _pods(kind, spec)
    found, edges = kubernetes.told(where, "create", said)
    if kind == "Pod":  # its images hang on what made it
        edges = [
            edge(about, "runs_image", one, declared=True) for one in kubernetes.seen_in(said).images
        ]
        edges += _exact(about, said)
        edges += link(_host(spec.get("nodeName")), "hosts", about)
    # What makes a pod says more of it than the pod, which is one of several.
    alone = not listing(meta.get("ownerReferences"))
    part: Said = {} if alone else {"type": None}
    return Thing(
        distinct((about, *found)),
        f"kubernetes {kind.lower()}",
        (*edges, *_runs_as(where, pods, about)),
        {
            **tagged(meta.get("labels"), meta.get("annotations")),
            "status": text(at(said, "status", "phase"), 32),
            **part,
        },
        _times(meta),
        {"host_access": _reaches(pods)} if pods and alone else {},
    )


def _host(name: Json) -> Entity | None:
    return entity("host", (text(name, 256) or "").lower())


def _exact(about: Entity, said: Said) -> Iterator[Edge]:
    """The images that a pod runs by their digests, which its status knows."""
    for one in listing(at(said, "status", "containerStatuses"))[:_MOST]:
        number = text(mapping(one).get("imageID"), 512) or ""
        digest = number.rpartition("@")[2]
        if digest.startswith("sha256:"):
            name = (text(mapping(one).get("image"), 512) or "").partition("@")[0]
            yield from link(about, "runs_image", imaged(f"{name}@{digest}"))


def _pods(kind: str, spec: Said) -> Said:
    """How its pods are made."""
    if kind == "Pod":
        return spec
    inner = mapping(at(spec, "jobTemplate", "spec")) if kind == "CronJob" else spec
    return mapping(at(inner, "template", "spec"))


def _runs_as(where: Target, pods: Said, about: Entity) -> Iterator[Edge]:
    name = text(pods.get("serviceAccountName"), 256)
    if name and about.kind == "workload":
        space = where.namespace or "default"
        account = entity("principal", f"system:serviceaccount:{space}:{name}")
        yield from link(about, "runs_as", account)


def _reaches(pods: Said) -> bool:
    """True if its containers reach into their host."""
    if any(pods.get(key) is True for key in ("hostIPC", "hostNetwork", "hostPID")):
        return True
    if any("hostPath" in mapping(one) for one in listing(pods.get("volumes"))[:_MOST]):
        return True
    held = [*listing(pods.get("containers"))[:_MOST], *listing(pods.get("initContainers"))[:_MOST]]
    return any(at(one, "securityContext", "privileged") is True for one in held)


def _node(said: Said, meta: Said) -> Thing | None:
    info = mapping(at(said, "status", "nodeInfo"))
    faces = [mapping(one) for one in listing(at(said, "status", "addresses"))[:_MOST]]
    public = any(one.get("type") == "ExternalIP" for one in faces)
    size = mapping(meta.get("labels")).get("node.kubernetes.io/instance-type")
    return Thing(
        (_host(meta.get("name")),),
        "kubernetes node",
        (),
        {
            "version": text(info.get("kubeletVersion"), 64),
            "size": text(size, 64),
            "exposure": "internet" if public else None,
        },
        _times(meta),
        {"public_network": public if faces else None},
    )


def _binding(said: Said, meta: Said) -> Thing | None:
    """To whom a binding gives a role; groups of everybody among them."""
    space = text(meta.get("namespace"), 256) or ""
    people = [kubernetes.subject(one, space) for one in listing(said.get("subjects"))[:_MOST]]
    names = {text(mapping(one).get("name"), 256) for one in listing(said.get("subjects"))[:_MOST]}
    role = text(at(said, "roleRef", "name"), 256)
    if not distinct(people):
        return None
    checks = {"open_to_the_world": word(role, "cluster-admin") and bool(names & _ANYONE)}
    return Thing(
        tuple(people),
        "kubernetes binding",
        (),
        {"type": None, "role": role},
        _times(meta),
        checks,
        PEOPLE,
    )


def _times(meta: Said) -> tuple[Json, ...]:
    return (meta.get("creationTimestamp"),)
