"""Kubernetes inventory: what kubectl lists of the workloads of a cluster and of what serves AI.

Read are objects as `kubectl get ... -o json` writes them, alone, in a `List`, or one a line: pods
and what makes them, nodes, service accounts, bindings of roles, and the objects of KServe, Seldon,
Ray, Kubeflow, kagent, ToolHive and NVIDIA NIM.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.described import answers, cluster
from streams.described.shape import within
from streams.source import Json, Narrow, Parsed, Raw

NAME: Final = "kubernetes_inventory"
TITLE: Final = "Kubernetes objects of kubectl"
LOGSOURCE: Final = Logsource(product="kubernetes", service="inventory")
LATENESS: Final = DAY  # answers are fetched now and then
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = answers.CATEGORIES
ATTRIBUTES: Final = answers.ATTRIBUTES
VERSIONS: Final = "Kubernetes 1.24 to 1.34; the custom objects as of 2026"
GAPS: Final = (
    "An object does not say when it was last changed: a thing has the time of its making.",
    "What a list no longer names is not ended by it; a deletion in the audit log ends it.",
    "Clusters are not told apart: kubectl does not name its cluster.",
    "What a Service or an Ingress opens is not followed to the pods behind it.",
)
_LISTS: Final = frozenset({"items"})


def sniff(head: bytes) -> bool:
    """The first object is of a kind that is read: not an event of the audit, not a report."""
    if b'"apiVersion"' not in head or b'"metadata"' not in head:
        return False
    return any(
        cluster.known(keys.get("apiVersion", ""), keys.get("kind", "")) and "metadata" in keys
        for _, keys in within(head, _LISTS)
    )


def split(document: bytes) -> Iterator[Raw]:
    """The things of an answer."""
    return answers.split(document, cluster.described, _LISTS)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One thing, or a check of one."""
    return answers.event(NAME, raw, record, evidence, cluster.described)
