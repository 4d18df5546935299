"""Promptfoo: which tests, of a red team or of an evaluation, a model or an application failed.

Read are results of version 2, 3 and later as JSON, and single results as NDJSON. A result is a
finding: open where the test failed, closed where it passed; one that ended with an error says
nothing of the target, and is a scan that failed. Prompts and answers are content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.canonical import canonical, digest
from schemas.detection import Logsource
from schemas.entity import Entity
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.names import addresses, aws, models
from streams.records.clocks import told
from streams.records.envelope import records
from streams.records.untrusted import entity, listing, mapping, number, plain, secret, slices, text
from streams.reports import scans
from streams.reports.scans import Found, Scan, finding, level, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "promptfoo"
TITLE: Final = "promptfoo results"
LOGSOURCE: Final = Logsource(product="promptfoo")
LATENESS: Final = DAY  # results come when their run has ended
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"detection_finding", "scan_activity"})
ATTRIBUTES: Final = scans.ATTRIBUTES | frozenset(
    """
    eval.category eval.plugin eval.provider eval.run eval.score eval.strategy
    gen_ai.evaluation.explanation gen_ai.input.messages gen_ai.output.messages
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "results 2 and 3 (promptfoo 0.60 to 0.118), NDJSON"
GAPS: Final = (
    "A test is its prompt and variables: tests made anew are new findings, older ones stay open.",
    "CSV, HTML and JUnit output is not read.",
)

_ERROR: Final = 2  # ResultFailureReason
# How a provider is asked, between its name and the model's.
_MODES: Final = frozenset(
    """
    assistant chat completion converse embedding embeddings feature-extraction image messages
    moderation realtime responses sentence-similarity text-classification text-generation
    token-classification transcription
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_PROGRAMS: Final = frozenset(
    {"exec", "file", "golang", "http", "https", "javascript", "python", "webhook", "websocket"}
)
_SEVERITY: Final = "medium"  # of a test that says none


class _Results(msgspec.Struct):
    version: int | None = None
    timestamp: str | None = None
    results: list[msgspec.Raw] | None = None


class _Document(msgspec.Struct):
    results: _Results
    run: str | None = msgspec.field(default=None, name="evalId")


_DOCUMENT: Final = msgspec.json.Decoder(_Document)


class Context(NamedTuple):
    """The run that a result belongs to; time 0 where only the result is known."""

    time: int = 0
    run: str | None = None


def sniff(head: bytes) -> bool:
    """Results, each with what its test asked and how it was graded."""
    if b'"evalId"' in head[:4096] and b'"results"' in head[:4096]:
        return True
    if b'"promptIdx"' in head or b'"promptId"' in head:
        return b'"gradingResult"' in head or b'"testCase"' in head
    return b'"gradingResult"' in head and b'"results"' in head and b'"provider"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The results, in the order of the document."""
    if b'"results"' not in document[:65_536] or document.lstrip().startswith(b"["):
        return (Raw(raw.data, Context()) for raw in records(document))
    whole = slices(document, _DOCUMENT)
    context = Context(told(whole.results.timestamp), whole.run)
    found = whole.results.results
    if not found:
        raise Unreadable("empty", "there are no `results` in it: nothing was tested")
    return (Raw(bytes(one), context) for one in found)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One test: passed, failed, or ended with an error."""
    said, context = mapping(record), raw.context
    if not isinstance(context, Context) or not said:
        raise Unreadable("wrong-shape", "a result is an object")
    provider = said.get("provider")
    named = mapping(provider).get("id") or (provider if isinstance(provider, str) else None)
    target = _target(text(named, 384), mapping(provider).get("label"))
    if target is None or "success" not in said:
        raise Unreadable("wrong-shape", "a result says its `provider` and its `success`")
    case = mapping(said.get("testCase"))
    about = {**mapping(case.get("metadata")), **mapping(said.get("metadata"))}
    plugin, strategy = text(about.get("pluginId"), 128), text(about.get("strategyId"), 128)
    of = plugin or _metric(said, case) or "test"
    kept: dict[str, Json] = {
        "eval.plugin": plugin,
        "eval.strategy": strategy,
        "eval.category": text(about.get("harmCategory"), 128),
        "eval.provider": None if secret(str(named)) else text(named, 384),
        "eval.run": context.run or text(about.get("evaluationId"), 128),
        "eval.score": number(said.get("score")),
    }
    scan = Scan(NAME, NAME, target, context.time)
    private = _private(said)
    if _broken(said):
        return Parsed(scanned(scan, 0, evidence, status="failure", **kept), private)
    variables = said.get("vars") or case.get("vars") or mapping(said.get("prompt")).get("raw")
    asked = canonical([said.get("promptId"), variables]).decode()
    place = f"{strategy or 'basic'}:{digest(asked)[:12]}"
    passed = said.get("success") is True
    found = Found(
        sort="detection",
        of=of,
        title=f"{of} {'passed' if passed else 'failed'}"
        + (f" under {strategy}" if strategy else ""),
        severity=level(about.get("severity"), _SEVERITY),
        place=place,
        closed=passed,
        attributes=kept | {"check.id": of},
    )
    return Parsed(finding(scan, found, evidence), private)


def _broken(said: dict[str, Json]) -> bool:
    """True if the test did not come to a verdict. Old results have a reason in `error`, too."""
    reason = said.get("failureReason")
    if said.get("success") is True:
        return False
    if isinstance(reason, int):
        return reason == _ERROR
    return bool(text(said.get("error"))) and not mapping(said.get("gradingResult"))


def _metric(said: dict[str, Json], case: dict[str, Json]) -> str | None:
    """The first assertion that a result was graded by."""
    graded = listing(mapping(said.get("gradingResult")).get("componentResults"))
    asserted = [mapping(mapping(one).get("assertion")) for one in graded]
    asserted += [mapping(one) for one in listing(case.get("assert"))]
    names = (text(one.get("metric") or one.get("type"), 128) for one in asserted)
    return next(filter(None, names), None)


def _target(provider: str | None, label: Json) -> Entity | None:
    """What was tested, of `openai:chat:gpt-4o`, an address, or a program."""
    family, _, rest = (provider or "").partition(":")
    mode, _, behind = rest.partition(":")
    name = behind if mode in _MODES and behind else rest  # `ollama:chat:llama3:8b`
    if "://" in rest or family in _PROGRAMS:
        return addresses.endpoint(provider, label)
    match family:
        case "huggingface":
            return models.model(f"huggingface {name}" if name else None)
        case "bedrock":
            return aws.model(name)
        case "azure" | "azureopenai":
            return entity("endpoint", name.lower(), label)
        case _:
            return entity("model", name or provider, label)


def _private(said: dict[str, Json]) -> dict[str, Json]:
    response = mapping(said.get("response"))
    shown = {
        "gen_ai.input.messages": plain(mapping(said.get("prompt")).get("raw") or said.get("vars")),
        "gen_ai.output.messages": plain(response.get("output") or response.get("raw")),
        "gen_ai.evaluation.explanation": plain(mapping(said.get("gradingResult")).get("reason")),
    }
    return {name: value for name, value in shown.items() if value is not None}
