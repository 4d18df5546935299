"""ARNs: the asset behind the ARN of an AWS resource, as all sources name it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from schemas.entity import Entity, Kind, image, principal
from streams.names import aws
from streams.records.untrusted import entity, text
from streams.source import Json

# (service, type of resource) -> kind, and what stands before the name in the id.
_TYPES: Final[dict[tuple[str, str], tuple[Kind, str]]] = {
    ("bedrock", "agent"): ("agent", ""),
    ("bedrock", "guardrail"): ("guardrail", ""),
    ("bedrock", "knowledge-base"): ("datastore", ""),
    ("bedrock", "model-customization-job"): ("job", "bedrock/"),
    ("bedrock-agentcore", "memory"): ("datastore", ""),
    ("bedrock-agentcore", "runtime"): ("agent", ""),
    ("eks", "cluster"): ("workload", "eks/"),
    ("dynamodb", "table"): ("datastore", "dynamodb/"),
    ("ec2", "instance"): ("host", ""),
    ("es", "domain"): ("datastore", "opensearch/"),
    ("aoss", "collection"): ("datastore", "opensearch/"),
    ("kinesis", "stream"): ("datastore", "kinesis/"),
    ("lambda", "function"): ("workload", "lambda/"),
    ("rds", "cluster"): ("datastore", "rds/"),
    ("rds", "db"): ("datastore", "rds/"),
    ("s3vectors", "bucket"): ("datastore", "s3vectors/"),
    ("sagemaker", "endpoint"): ("endpoint", ""),
    ("sagemaker", "model"): ("model", ""),
    ("sagemaker", "notebook-instance"): ("workload", "sagemaker/"),
    ("sagemaker", "processing-job"): ("job", "sagemaker/"),
    ("sagemaker", "training-job"): ("job", "sagemaker/"),
    ("sagemaker", "transform-job"): ("job", "sagemaker/"),
}
_CALLERS: Final = frozenset({"assumed-role", "federated-user", "role", "user"})
_MODELS: Final = frozenset(
    {
        *("application-inference-profile", "custom-model", "custom-model-deployment"),
        *("foundation-model", "imported-model", "inference-profile", "provisioned-model"),
    }
)


def asset(arn: Json) -> Entity | None:
    """The asset that an ARN names; None of what is no ARN, or of a resource that nobody asks for.

    Whatever may be called in Bedrock is a model; a gateway is an MCP server; a bucket is a
    datastore whatever object in it is named.
    """
    return _asset(text(arn, 512) or "")


@lru_cache(maxsize=8_192)  # the same few things are named again and again
def _asset(whole: str) -> Entity | None:
    parts = whole.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    service, region, rest = parts[2], parts[3], parts[5]
    kind, _, last = rest.replace(":", "/", 1).partition("/")
    match service, kind:
        case "s3", bucket:
            found = entity("datastore", f"s3/{bucket}") if bucket else None
        case (("iam" | "sts"), who) if who in _CALLERS:
            found = principal(whole)
        case "ecr", _ if "sha256:" in whole:
            found = image(
                f"{last.rpartition('/sha256')[0]}@sha256:{whole.rpartition('sha256:')[2]}"
            )
        case "ecs", "task-definition":
            found = aws.task(None, whole)
        case "bedrock", profile if profile in _MODELS:
            found = aws.model(whole)
        case "bedrock-agentcore", "gateway":
            found = gateway(last, region)
        case "ec2", number if number.startswith("i-"):  # written without its type
            found = entity("host", number)
        case _:
            known = _TYPES.get((service, kind))
            name = last.partition("/")[0].partition(":")[0]  # without version, alias or endpoint
            found = entity(known[0], known[1] + name) if known and name else None
    return found


def gateway(name: Json, region: Json) -> Entity | None:
    """The MCP server that a gateway of AgentCore is: by the host where it listens."""
    known, where = aws.tail(name), text(region, 64)
    if known is None:
        return None
    host = f"{known}.gateway.bedrock-agentcore.{where}.amazonaws.com"
    return entity("mcp_server", host if where else known, known)
