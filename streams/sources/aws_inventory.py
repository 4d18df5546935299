"""AWS inventory: what describe and list calls of AWS answer of an AI estate.

Read are answers as the AWS command line and SDKs give them, alone, in their lists, in pages or one
a line: SageMaker (endpoints, configurations, models, packages, jobs, notebooks), Bedrock (agents,
knowledge bases, guardrails, custom models, jobs, throughput), AgentCore, IAM (users, roles, keys),
Identity Center users, ECS, EKS, ECR, EMR, Lambda, EC2, Systems Manager hosts, S3, RDS, DynamoDB and
OpenSearch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.described import answers, aws_ai, aws_estate
from streams.described.answers import Thing
from streams.described.shape import within
from streams.source import Json, Narrow, Parsed, Raw

NAME: Final = "aws_inventory"
TITLE: Final = "AWS describe and list answers"
LOGSOURCE: Final = Logsource(product="aws", service="inventory")
LATENESS: Final = DAY  # answers are fetched now and then
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = answers.CATEGORIES
ATTRIBUTES: Final = answers.ATTRIBUTES
VERSIONS: Final = "answers as botocore 1.44 and AWS CLI 2 have them"
GAPS: Final = (
    "An answer does not say when it was fetched: a thing has the time of its last change or use.",
    "What a list no longer names is not ended by it; a call that deletes it ends it.",
    "`list-access-keys` names the user of a key without account: it is an attribute, no edge.",
    "Answers that do not name their resource (`get-bucket-acl` and the like) say nothing.",
    "Foundation models are what AWS offers, not what is used: they are rejected.",
)
_LISTS: Final = frozenset(
    """
    AccessKeyMetadata Buckets Clusters Cluster DBClusters DBInstances DomainStatusList DomainStatus
    EndpointConfigs Endpoints Functions InferenceComponents InstanceInformationList Instances
    ModelPackageSummaryList Models NotebookInstances ProcessingJobSummaries Reservations Role Roles
    ServiceSpecificCredentials Table Tables TrainingJobSummaries TransformJobSummaries User Users
    actionGroupSummaries agent agentActionGroup agentActionGroups agentKnowledgeBase
    agentKnowledgeBaseSummaries agentRuntimes agentSummaries cluster clusters collectionDetails
    collectionSummaries containerInstances dataSource dataSourceSummaries guardrails imageDetails
    importedModelSummaries inferenceProfileSummaries items knowledgeBase knowledgeBaseSummaries
    modelCustomizationJobSummaries modelDeploymentSummaries modelImportJobSummaries modelSummaries
    provisionedModelSummaries repositories services taskDefinition tasks
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_NAMED: Final = ("modelArn", "ModelArn", "NotebookInstanceArn", "inferenceProfileArn")


def sniff(head: bytes) -> bool:
    """The first record has the keys of a thing that AWS describes, and an ARN or an id of AWS."""
    marked = any(key in head for key in (b'Arn"', b'"arn', b'"ARN"', b'Id"', b'"Buckets"'))
    return marked and any(_ours(name, keys) for name, keys in within(head, _LISTS))


def split(document: bytes) -> Iterator[Raw]:
    """The things of an answer."""
    return answers.split(document, _read, _LISTS)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One thing, or a check of one."""
    return answers.event(NAME, raw, record, evidence, _read)


def _read(said: dict[str, Json], inside: str) -> Thing | None:
    return aws_ai.described(said) or aws_estate.described(said, inside)


def _ours(name: str, keys: Mapping[str, str]) -> bool:
    if name == "Buckets":
        return {"Name", "CreationDate"} <= keys.keys()
    small = {aws_ai.small_key(key): value for key, value in keys.items()}
    arn = any(value.startswith("arn:aws") for value in keys.values())
    for one in aws_ai.KINDS:
        if one.marks <= small.keys() and (arn or name or "agentStatus" in keys):
            return True
    if arn and any(key in keys for key in _NAMED):
        return True
    return any(one.marks <= keys.keys() for one in aws_estate.SHAPES)
