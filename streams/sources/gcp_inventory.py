"""Google Cloud inventory: what describe and list calls of Google answer of an AI estate.

Read are answers of `gcloud ... --format json` and of the APIs themselves, alone, in lists or one a
line: Vertex AI (endpoints, models, jobs, data sets, indexes, agents, workbenches), Discovery
Engine, Model Armor, service accounts and their keys, Workspace users, projects, policies of the
asset inventory, Cloud Run, GKE, Compute Engine, the Artifact Registry, Cloud Storage, BigQuery and
Bigtable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.described import answers, google, google_estate
from streams.described.shape import within
from streams.source import Json, Narrow, Parsed, Raw

NAME: Final = "gcp_inventory"
TITLE: Final = "Google Cloud describe and list answers"
LOGSOURCE: Final = Logsource(product="gcp", service="inventory")
LATENESS: Final = DAY  # answers are fetched now and then
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = answers.CATEGORIES
ATTRIBUTES: Final = answers.ATTRIBUTES
VERSIONS: Final = "Vertex AI v1 and v1beta1, the other APIs as of 2026"
GAPS: Final = (
    "An answer does not say when it was fetched: a thing has the time of its last change.",
    "What a list no longer names is not ended by it; a call that deletes it ends it.",
    "A policy says who may use a resource, not what the role allows.",
    "Groups of a policy are not led to their members.",
)
_LISTS: Final = frozenset(
    """
    accounts batchPredictionJobs clusters customJobs dataStores datasets dockerImages endpoints
    engines indexes instances items keys models pipelineJobs policy_results projects ragCorpora
    reasoningEngines repositories results tables templates trainingPipelines tuningJobs users
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_NAME: Final = re.compile(
    r"projects/[^/]+/(?:locations/[^/]+/(?:publishers/[^/]+/|collections/[^/]+/|featurestores/[^/]+/"
    r"|repositories/[^/]+/)?"
    r"(?:batchPredictionJobs|customJobs|dataStores|datasets|dockerImages|endpoints|engines"
    r"|featureOnlineStores|featurestores|hyperparameterTuningJobs|indexes|instances|models|nasJobs"
    r"|pipelineJobs|ragCorpora|reasoningEngines|repositories|templates|trainingPipelines|tuningJobs)"
    r"|serviceAccounts/[^/]+(?:/keys)?|instances(?:/[^/]+/tables)?|serviceAccounts)(?:/[^/]+)?"
)
_MARKS: Final = (
    *(b"projects/", b"#", b"googleapis.com"),
    *(b'"projectId"', b'"lifecycleState"', b'"storage_url"'),
)
_ABOVE: Final = re.compile(r"\b(?:folders|organizations)/\d")
_KINDS: Final = frozenset({"admin#directory#user", "compute#instance", "storage#bucket"})


def sniff(head: bytes) -> bool:
    """The first record has a name, link or kind that resources of Google have."""
    return any(one in head for one in _MARKS) and any(
        _ours(keys) for _, keys in within(head, _LISTS)
    )


def split(document: bytes) -> Iterator[Raw]:
    """The things of an answer."""
    return answers.split(document, google.described, _LISTS)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One thing, or a check of one."""
    return answers.event(NAME, raw, record, evidence, google.described)


def _ours(keys: Mapping[str, str]) -> bool:
    if "logName" in keys or "protoPayload" in keys:
        return False
    if keys.get("apiVersion") == "serving.knative.dev/v1":
        return "metadata" in keys
    return (
        _NAME.fullmatch(keys.get("name", "")) is not None
        or keys.get("kind") in _KINDS
        or keys.get("storage_url", "").startswith("gs://")
        or google_estate.is_machine(keys.get("selfLink", ""))
        or ("currentMasterVersion" in keys and "selfLink" in keys)
        or ("lifecycleState" in keys and _ABOVE.search(" ".join(keys.values())) is not None)
        or {"projectId", "lifecycleState", "projectNumber"} <= keys.keys()
        or {"tableReference", "type"} <= keys.keys()
        or {"datasetReference", "location"} <= keys.keys()
        or {"resource", "policy", "assetType"} <= keys.keys()
        or {"full_resource_name", "policies"} <= keys.keys()
    )
