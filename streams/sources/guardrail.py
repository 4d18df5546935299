"""Guardrail: what a guardrail decided of one prompt or answer, as its vendor's API said it.

Read are stored answers of Bedrock (ApplyGuardrail, traces of Converse), Azure (content filter
results, Prompt Shields, analysed texts), NeMo Guardrails (generation log), LlamaFirewall, Prisma
AIRS, Datadog AI Guard, Google Model Armor (also as it logs them), Cisco AI Defense, OpenAI
moderation and Lakera Guard; as they are, or under `response`, `result`, `verdict`, `output`,
`guardrail_response`, `body` or `jsonPayload` of the record that whoever stored them wrote. Most
answers say no time: that record says when (`time`, `timestamp`, `@timestamp`, `ts`, `created_at`,
`completed_at`, `created`), and may say which guardrail, application, agent, session, user and model
it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from schemas.canonical import digest
from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import MINUTE
from streams.names import aws
from streams.records.clocks import clock
from streams.records.envelope import records
from streams.records.untrusted import entity, listing, mapping, number, opened, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import guardrails, runtime
from streams.telemetry.runtime import Told
from streams.telemetry.verdicts import verdicts

NAME: Final = "guardrail"
TITLE: Final = "Guardrail verdicts"
LOGSOURCE: Final = Logsource(product="guardrail")
LATENESS: Final = 5 * MINUTE
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = frozenset(
    """
    aws.bedrock.guardrail.id gen_ai.agent.id gen_ai.conversation.id gen_ai.guardrail.id
    gen_ai.guardrail.name gen_ai.input.messages gen_ai.input.messages.size gen_ai.output.messages
    gen_ai.output.messages.size gen_ai.request.model guardrail.category guardrail.direction
    guardrail.request guardrail.score guardrail.vendor guardrail.verdict service.name trace.id
    user.email user.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = (
    "Bedrock ApplyGuardrail, Azure API 2024-02 to 2025-04, NeMo Guardrails 0.8 to 0.24,"
    " LlamaFirewall 1.0, AIRS scan v1, Lakera v1 and v2"
)
GAPS: Final = (
    "An answer without a time, alone in its file, is rejected: store it with the time.",
    "LlamaFirewall and NeMo tell a category only by the name of the scanner or rail.",
    "Lakera, OpenAI moderation, Prompt Shields and Model Armor only mark: their verdict is warn.",
)

_INNER: Final = (
    *("response", "result", "verdict", "output", "guardrail_response", "body", "data"),
    "jsonPayload",  # of a LogEntry
)
# Two keys that only that vendor's answer has together.
_KEYS: Final[tuple[tuple[bytes, ...], ...]] = (
    (b'"assessments"', b'"action"'),
    (b'"content_filter_results"',),
    (b'"content_filter_result"', b'"innererror"'),
    (b'"userPromptAnalysis"',),
    (b'"categoriesAnalysis"',),
    (b'"activated_rails"',),
    (b'"scan_id"', b'"prompt_detected"'),
    (b'"ai_guard.action"',),
    (b'"is_blocking_enabled"', b'"action"'),
    (b'"ai_guard"', b'"attack_categories"'),
    (b'"sanitizationResult"',),
    (b'"is_safe"', b'"classifications"'),
    (b'"flagged"', b'"categories"'),
    (b'"flagged"', b'"detector_type"'),
    (b'"flagged"', b'"request_uuid"'),
)
_LLAMAFIREWALL: Final = re.compile(
    rb'"decision"\s{0,8}:\s{0,8}"(?:ScanDecision\.)?(?:block|allow|human_in_the_loop)',
    re.IGNORECASE,
)
# Others that carry such an answer inside a record of their own.
_FOREIGN: Final = (
    *(b'"call_type"', b'"resourceSpans"', b'"resourceLogs"', b'"spanId"', b'"schemaType"'),
    *(b'"resource_spans"', b'"resource_logs"', b'"time_unix_nano"', b'"end_time_unix_nano"'),
    *(b'"eventSource"', b'"specversion"', b'"operationName"', b'"protoPayload"', b'"jsonrpc"'),
    *(b'"event_type"', b'"scan_results"', b'"event_timestamp"', b'"gradingResult"', b'"evalId"'),
)


def sniff(head: bytes) -> bool:
    """The keys of one vendor's answer, in no other format's record."""
    if any(key in head for key in _FOREIGN):
        return False
    if b'"score"' in head and b'"reason"' in head and _LLAMAFIREWALL.search(head):
        return True
    return any(all(key in head for key in keys) for keys in _KEYS)


def split(document: bytes) -> Iterator[Raw]:
    """The answers of a document."""
    return records(document, "records")


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - the protocol
    """One decision."""
    around: list[Mapping[str, Json]] = [mapping(record)]
    answer = guardrails.answer(around[0])
    while answer is None and len(around) < 4:
        inner = [one for name in _INNER if (one := mapping(opened(around[0].get(name))))]
        if not inner:
            break
        around = [inner[0], *around]
        answer = guardrails.answer(around[0])
    if answer is None:
        raise Unreadable("wrong-shape", "no answer of a guardrail that is known is in it")
    vendor, said = answer

    def of(*names: str) -> Json:
        """The first of these fields, in the answer or around it."""
        found = (one.get(name) for one in around for name in names)
        return next((value for value in found if value not in (None, "", [], {})), None)

    known = text(
        of("request_id", "requestId", "scan_id", "report_id", "event_id", "id", "insertId"), 128
    )
    known = known or text(mapping(of("metadata")).get("request_uuid"), 128)
    when = clock(
        of("time", "timestamp", "@timestamp", "ts", "eventTime", "completed_at", "created_at"),
        of("created", "createdAt"),
        _railed(around[0]),
    )
    guard = aws.tail(of("guardrail_id", "guardrailId", "guardrailIdentifier", "guardrailArn"))
    labels = mapping(mapping(of("resource")).get("labels"))
    guard = guard or text(labels.get("template_id"), 256)  # of Model Armor
    named = text(of("guardrail_name", "guardrailName", "guardrail", "profile_name"), 256)
    guard = guard or text(of("profile_id"), 256) or named
    given: dict[str, Json] = {
        "gen_ai.agent.id": of("agent_id", "agent"),
        "gen_ai.conversation.id": of("session_id", "sessionId", "conversation_id", "tr_id"),
        "gen_ai.request.model": of("modelId", "model_name", "model"),
        "gen_ai.guardrail.id": guard,
        "gen_ai.guardrail.name": named,
        "gen_ai.input.messages": of("prompt", "messages", "content", "input"),
        "gen_ai.output.messages": of("outputs", "output", "completion"),
        "guardrail.vendor": vendor,
        "guardrail.request": known,
        "guardrail.score": number(of("score")),
        "guardrail.direction": text(of("direction", "source", "operationType"), 64),
        "service.name": of("application", "app_name", "app", "service", "service.name"),
        "trace.id": of("trace_id", "traceId"),
        "user.email": of("user_email", "email"),
        "user.id": of("user_id", "user", "principal"),
    }
    if screened := mapping(of("sanitizationInput")):  # as Model Armor logs it
        answered = "RESPONSE" in (text(of("operationType"), 64) or "")
        side = "gen_ai.output.messages" if answered else "gen_ai.input.messages"
        given[side] = screened.get("text")
    if vendor == "aws.bedrock":
        given["aws.bedrock.guardrail.id"] = guard
    given |= verdicts(*said)
    return runtime.runtime(
        Told(
            source=NAME,
            uid=digest(NAME, vendor, known, when) if known else evidence.sha256,
            time=when,
            activity="apply_guardrail",
            said=given,
            status="success" if said else "failure",
            others={"guardrail": entity("guardrail", guard or vendor, named)},
            client=runtime.client(of("client_ip", "source_ip", "user_ip")),
        ),
        evidence,
    )


def _railed(answer: Mapping[str, Json]) -> Json:
    """When NeMo's last rail ended."""
    log = mapping(answer.get("log")) or answer
    rails = [mapping(one) for one in listing(log.get("activated_rails"))]
    times = (number(one.get("finished_at") or one.get("started_at")) for one in rails)
    return max(filter(None, times), default=None)
