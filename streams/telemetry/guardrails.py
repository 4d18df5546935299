"""Guardrails: what the answer of each vendor's guardrail decided, as words and categories.

A reader takes the answer as the vendor documents it, wherever it was stored, and gives pairs for
`streams.telemetry.verdicts.verdicts`; None where it is not that vendor's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from streams.records.untrusted import MOST, listing, mapping, number, text
from streams.source import Json
from streams.telemetry.assessments import decided

Said = tuple[Json, ...]  # the word of one policy, then its categories

# What the name of a rail or scanner says that it looks for.
_NAMED: Final = (
    ("jailbreak", "jailbreak"),
    ("injection detection", "malicious_code"),  # of NeMo: code, SQL, templates in what a model says
    ("prompt_guard", "prompt_guard"),
    ("promptguard", "prompt_guard"),
    ("prompt security", "prompt_injection"),
    ("injection", "prompt_injection"),
    ("alignment", "agent_alignment"),
    ("codeshield", "code_shield"),
    ("code_shield", "code_shield"),
    ("hidden_ascii", "hidden_ascii"),
    ("sensitive data", "sensitive_data"),
    ("pii", "pii"),
    ("gliner", "pii"),
    ("facts", "groundedness"),
    ("hallucination", "hallucination"),
    ("topic", "topic"),
    ("content safety", "content_safety"),
    ("llama guard", "content_safety"),
)


def answer(said: Mapping[str, Json]) -> tuple[str, list[Said]] | None:
    """The vendor of an answer, and what each policy in it decided."""
    for vendor, read in _READERS.items():
        found = read(said)
        if found is not None:
            return vendor, found
    return None


def bedrock(said: Mapping[str, Json]) -> list[Said] | None:
    """ApplyGuardrail, and the trace of a guardrail in a Converse or InvokeModel response."""
    trace = mapping(mapping(said.get("trace")).get("guardrail")) or mapping(
        mapping(said.get("amazon-bedrock-trace")).get("guardrail")
    )
    action = said.get("action") or said.get("amazon-bedrock-guardrailAction")
    known = action in ("GUARDRAIL_INTERVENED", "INTERVENED", "NONE")
    if not (known or trace or listing(said.get("assessments"))):
        return None
    found: list[Said] = [*decided({"assessments": said.get("assessments")}), *decided(trace)]
    return found or [("intervened" if "INTERVENED" in str(action) else "none",)]


def azure(said: Mapping[str, Json]) -> list[Said] | None:
    """Content filter results of a completion or its refusal, Prompt Shields, analysed texts."""
    shields = [mapping(said.get("userPromptAnalysis"))]
    shields += map(mapping, listing(said.get("documentsAnalysis"))[:MOST])
    if any("attackDetected" in one for one in shields):
        words = ("prompt_attack", *("indirect_attack" for _ in shields[1:]))
        return [
            ("detected", word) if one.get("attackDetected") is True else ("none",)
            for one, word in zip(shields, words, strict=True)
        ]
    inner = mapping(mapping(said.get("error")).get("innererror"))
    results = [
        *map(mapping, listing(said.get("prompt_filter_results"))[:MOST]),
        *map(mapping, listing(said.get("prompt_annotations"))[:MOST]),
        *map(mapping, listing(said.get("choices"))[:MOST]),
        inner,
        said,
    ]
    filters = [
        mapping(one.get("content_filter_results") or one.get("content_filter_result"))
        for one in results
    ]
    if not any(filters):
        return _analysed(said)
    refused = mapping(said.get("error")).get("code") == "content_filter"
    whole: Said = ("filtered",) if refused else ("none",)
    return [one for each in filters for one in _filtered(each)] or [whole]


def nemo(said: Mapping[str, Json]) -> list[Said] | None:
    """A NeMo Guardrails response with its generation log: a rail that stops refuses."""
    log = mapping(said.get("log")) or said
    rails = [mapping(one) for one in listing(log.get("activated_rails"))[:MOST]]
    if "activated_rails" not in log:
        return None
    return [
        ("deny", looked_for(one.get("name"))) if one.get("stop") is True else ("allow",)
        for one in rails
    ] or [("allow",)]


def llamafirewall(said: Mapping[str, Json]) -> list[Said] | None:
    """A ScanResult of LlamaFirewall, whose reason may name the scanner."""
    decision = text(said.get("decision"), 64)
    if decision is None or not {"score", "reason"} <= said.keys():
        return None
    if said.get("status") in ("error", "skipped"):
        return []
    decision = decision.rpartition(".")[2]  # `ScanDecision.BLOCK`
    return [(decision, looked_for(said.get("scanner") or said.get("reason")))]


def moderation(said: Mapping[str, Json]) -> list[Said] | None:
    """OpenAI's moderation, and Lakera Guard 1: it marks, and blocks nothing by itself."""
    results = [mapping(one) for one in listing(said.get("results"))[:MOST]]
    if not results or not all({"flagged", "categories"} <= one.keys() for one in results):
        return None
    return [
        ("flagged", *_true(mapping(one["categories"]))) if one["flagged"] is True else ("none",)
        for one in results
    ]


def lakera(said: Mapping[str, Json]) -> list[Said] | None:
    """Lakera Guard 2: `flagged`, with a breakdown by detector where it was asked for."""
    if "flagged" not in said or not {"breakdown", "metadata", "payload"} & said.keys():
        return None
    rows = (mapping(one) for one in listing(said.get("breakdown"))[:MOST])
    kinds = [one.get("detector_type") for one in rows if one.get("detected") is True]
    return [("flagged" if said["flagged"] is True else "none", *kinds)]


def airs(said: Mapping[str, Json]) -> list[Said] | None:
    """Prisma AIRS: the action, and what was detected in prompt, response and tool."""
    if not {"action", "category"} <= said.keys() or not {"scan_id", "report_id"} & said.keys():
        return None
    parts = ("prompt_detected", "response_detected", "tool_detected")
    kinds = [kind for part in parts for kind in _true(mapping(said.get(part)))]
    return [(said["action"], *kinds)]


def ai_guard(said: Mapping[str, Json]) -> list[Said] | None:
    """Datadog AI Guard: an evaluation, or the tags of its span."""
    inner = mapping(mapping(said.get("data")).get("attributes")) or said
    action = inner.get("ai_guard.action") or mapping(inner.get("ai_guard")).get("action")
    kinds = inner.get("ai_guard.attack_categories") or mapping(inner.get("ai_guard")).get(
        "attack_categories"
    )
    if action is None and inner.get("action") in ("ALLOW", "DENY", "ABORT") and "tags" in inner:
        action, kinds = inner["action"], inner["tags"]
    if action is None:
        return None
    blocked = inner.get("ai_guard.blocked", inner.get("is_blocking_enabled"))
    word = "warn" if blocked in (False, "false") and action != "ALLOW" else action
    return [(word, *(listing(kinds) or (kinds,)))]


def model_armor(said: Mapping[str, Json]) -> list[Said] | None:
    """Google Model Armor: which filters matched; it marks, unless who asked it says that it blocks.

    The harm filter says itself which harms it matched.
    """
    result = mapping(said.get("sanitizationResult"))
    if "filterMatchState" not in result:
        return None
    filters = dict(mapping(result.get("filterResults")))
    harms = mapping(mapping(mapping(filters.get("rai")).get("raiFilterResult")))
    kinds = mapping(harms.get("raiFilterTypeResults"))
    if any(_matched(one) for one in kinds.values()):
        filters = {name: one for name, one in filters.items() if name != "rai"} | kinds
    matched = [name for name, one in filters.items() if _matched(one)]
    if result["filterMatchState"] != "MATCH_FOUND":
        return [("none", *matched)]
    blocked = (text(result.get("sanitizationVerdict"), 64) or "").endswith("_BLOCK")
    return [("block" if blocked else "detected", *matched)]


def ai_defense(said: Mapping[str, Json]) -> list[Said] | None:
    """Cisco AI Defense: an inspection with the rules that it broke."""
    if "is_safe" not in said or not {"classifications", "rules"} & said.keys():
        return None
    rules = (mapping(one) for one in listing(said.get("rules"))[:MOST])
    unsafe = said["is_safe"] is False
    broken = [one.get("rule_name") for one in rules if unsafe]
    return [(said.get("action") or ("detected" if unsafe else "safe"), *broken)]


def looked_for(name: Json) -> str | None:
    """The category that the name of a rail or scanner says; None if it says none."""
    known = (text(name, 256) or "").lower()
    return next((kind for part, kind in _NAMED if part in known), None)


def _analysed(said: Mapping[str, Json]) -> list[Said] | None:
    """Azure AI Content Safety: how severe each harm is, and the blocklists that matched."""
    if "categoriesAnalysis" not in said:
        return None
    harms = [mapping(one) for one in listing(said["categoriesAnalysis"])[:MOST]]
    kinds = [one.get("category") for one in harms if number(one.get("severity"))]
    kinds += ["word"] if listing(said.get("blocklistsMatch")) else []
    return [("detected" if kinds else "none", *kinds)]


def _filtered(results: Mapping[str, Json]) -> Iterator[Said]:
    for kind, one in list(results.items())[:MOST]:
        several = listing(one)[:MOST] or [one]  # of blocklists each stands by itself
        if any(mapping(each).get("filtered") is True for each in several):
            yield "filtered", kind
        elif any(mapping(each).get("detected") is True for each in several):
            yield "detected", kind


def _matched(result: Json) -> bool:
    return b"MATCH_FOUND" in _flat(result)


def _true(flags: Mapping[str, Json]) -> Iterable[str]:
    return [kind for kind, is_so in list(flags.items())[:MOST] if is_so is True]


def _flat(value: Json) -> bytes:
    """The words of a filter's result, as far down as they go."""
    if isinstance(value, str):
        return b" NO" if value == "NO_MATCH_FOUND" else value.encode()
    inside = mapping(value).values() if isinstance(value, dict) else listing(value)
    return b" ".join(_flat(one) for one in list(inside)[:MOST])


_READERS: Final[dict[str, Callable[[Mapping[str, Json]], list[Said] | None]]] = {
    "aws.bedrock": bedrock,
    "azure": azure,
    "nemo_guardrails": nemo,
    "llamafirewall": llamafirewall,
    "prisma_airs": airs,
    "datadog.ai_guard": ai_guard,
    "gcp.model_armor": model_armor,
    "cisco.ai_defense": ai_defense,
    "moderation": moderation,
    "lakera": lakera,
}
