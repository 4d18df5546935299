"""Amazon Bedrock model invocation log: who asked what of a model, and what a guardrail did.

Read are records of `ModelInvocationLog` 1.0: files in S3 (NDJSON, gz), subscriptions of CloudWatch
Logs, a list of records, and one record alone. Bodies are those of Converse, ConverseStream and
InvokeModel of any model family, as an object, a list (streamed), a text, or a place in S3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity, principal
from schemas.event import Edge, Event, EventEvidence
from schemas.times import HOUR
from streams.names import aws, identity
from streams.records import envelope
from streams.records.untrusted import distinct, edge, entity, mapping, moment, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry.assessments import guardrails, judged
from streams.telemetry.bodies import Answer, answer, content, settings, tokens
from streams.telemetry.semconv import parted

NAME: Final = "bedrock_invocation"
TITLE: Final = "Amazon Bedrock model invocation log"
LOGSOURCE: Final = Logsource(product="aws", service="bedrock")
LATENESS: Final = HOUR  # S3 gets a file every few minutes, busy accounts later
NARROW: Final[Narrow | None] = None
VERSIONS: Final = "ModelInvocationLog 1.0"
GAPS: Final = (
    "A body that lies in S3 is not fetched: where it lies is kept.",
    "An application inference profile is a model of its own: the log does not say whose it is.",
    "Which tools a model asked for is left to the spans of the agent.",
)
CATEGORIES: Final = frozenset({"api_activity"})
_CONTENT: Final = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
)
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.service aws.bedrock.guardrail.id aws.bedrock.inference_region
    aws.bedrock.input.s3_path aws.bedrock.output.s3_path aws.bedrock.request_metadata aws.request_id
    cloud.region enduser.id error.code gen_ai.agent.id gen_ai.conversation.id gen_ai.operation.name
    gen_ai.provider.name gen_ai.request.max_tokens gen_ai.request.model gen_ai.request.temperature
    gen_ai.request.top_p gen_ai.response.finish_reasons gen_ai.response.id gen_ai.response.model
    gen_ai.usage.cache_write.input_tokens gen_ai.usage.cache_read.input_tokens
    gen_ai.usage.input_tokens gen_ai.usage.output_tokens guardrail.category guardrail.verdict
    identity.link service.name trace.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
) | {name + end for name in _CONTENT for end in ("", ".size")}


def sniff(head: bytes) -> bool:
    """A record names its schema, or has the keys of input and output; escaped in a subscription."""
    if b'ModelInvocationLog"' in head or b'ModelInvocationLog\\"' in head:
        return True
    return b"inputContentType" in head and b"modelId" in head and b"inputBody" in head


def split(document: bytes) -> Iterator[Raw]:
    """The records of a file, a subscription, a list, or the one record."""
    return envelope.records(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One invocation."""
    said = mapping(record)
    operation = text(said.get("operation"), 128)
    if operation is None or "modelId" not in said:
        raise Unreadable("wrong-shape", "an invocation has `operation` and `modelId`")
    time = moment(said.get("timestamp"))
    failed = text(said.get("errorCode")) is not None
    asked, answered = mapping(said.get("input")), mapping(said.get("output"))
    question, told = mapping(asked.get("inputBodyJson")), answer(answered.get("outputBodyJson"))
    metadata = identity.metadata(
        said.get("requestMetadata") or question.get("requestMetadata"),
        mapping(question.get("metadata")).get("user_id"),
    )
    arn = text(mapping(said.get("identity")).get("arn"), 512)
    who = identity.caller(arn)
    actor = principal(arn) if arn else None
    guards = [one for name in guardrails(told.guardrail) if (one := entity("guardrail", name))]
    found = {
        **_attributes(said, question, told),
        **metadata,
        **judged(told.guardrail, told.stop, told.last("amazon-bedrock-guardrailAction")),
        "aws.bedrock.guardrail.id": guards[0].id if guards else None,
        "identity.link": identity.link(who, metadata),
    }
    kept, private = parted(content(asked.get("inputBodyJson"), answered.get("outputBodyJson")))
    model = aws.model(said.get("modelId"))
    session = entity("session", metadata.get("gen_ai.conversation.id"))
    agent = entity("agent", metadata.get("gen_ai.agent.id"))
    application = entity("application", metadata.get("service.name"))
    named = identity.mailed(metadata.get("enduser.id"))
    return Parsed(
        Event(
            uid=text(said.get("requestId"), 128) or evidence.sha256,
            time=time,
            source=NAME,
            class_uid=6003,
            class_name="API Activity",
            activity=operation,
            status="failure" if failed else "success",
            message=f"{operation} of {model.id if model else 'a model'}",
            actor=actor,
            entities=distinct(
                (
                    *(model, *guards, agent, application, session, actor, who.session),
                    *(who.person, named, entity("account", said.get("accountId"))),
                )
            ),
            edges=(
                *(() if failed else _edges(model, actor, agent, application, guards)),
                *identity.chain(who, actor, agent_session=session),
            ),
            attributes={key: value for key, value in (found | kept).items() if value is not None},
            evidence=evidence,
        ),
        private,
    )


def _edges(
    model: Entity | None,
    actor: Entity | None,
    agent: Entity | None,
    application: Entity | None,
    guards: list[Entity],
) -> Iterator[Edge]:
    """Whom metadata names is the caller's word, as sure as that."""
    if model is not None and actor is not None:
        yield edge(actor, "calls", model)
    doer = agent or application
    if doer is not None:
        if model is not None:
            yield edge(doer, "calls", model, confidence=0.6)
        yield from (edge(doer, "guarded_by", guard, confidence=0.6) for guard in guards)
    if agent is not None and application is not None:
        yield edge(application, "runs", agent, confidence=0.6)


def _attributes(said: dict[str, Json], question: dict[str, Json], told: Answer) -> dict[str, Json]:
    asked, answered = mapping(said.get("input")), mapping(said.get("output"))
    model = text(said.get("modelId"), 512)
    return {
        "api.service": "bedrock-runtime.amazonaws.com",
        "api.operation": text(said.get("operation"), 128),
        "aws.bedrock.inference_region": text(said.get("inferenceRegion"), 64),
        "aws.bedrock.input.s3_path": text(asked.get("inputBodyS3Path"), 1024),
        "aws.bedrock.output.s3_path": text(answered.get("outputBodyS3Path"), 1024),
        "aws.request_id": text(said.get("requestId"), 128),
        "cloud.region": text(said.get("region"), 64),
        "error.code": text(said.get("errorCode"), 256),
        "gen_ai.operation.name": "embeddings" if "embed" in (model or "") else "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": model,
        "gen_ai.response.finish_reasons": [told.stop] if told.stop else None,
        "gen_ai.response.id": text(told.last("id"), 256),
        "gen_ai.response.model": text(told.last("model"), 256),
        **settings(question),
        **tokens(asked, answered, told),
    }
