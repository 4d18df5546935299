"""Verdicts: what a guardrail decided, in one vocabulary, however it is said.

Here it is `guardrail.verdict`, which is allow, warn, modify or deny, and `guardrail.category`: one
word of CATEGORIES where the vendor's is known, a list of them where several spoke, the vendor's own
word elsewhere. In OpenTelemetry two proposals (`gen_ai.security.*`, `gen_ai.guardrail.*`) and the
finish reasons of models say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from streams.records.untrusted import listing, plain, text
from streams.source import Json

_PREFIXES: Final = ("gen_ai.security.", "gen_ai.guardrail.", "guardrail.")
STRENGTH: Final = ("allow", "warn", "modify", "deny")  # of several verdicts the strongest counts
_WORDS: Final = {
    "abort": "deny",
    "aborted": "deny",
    "accept": "allow",
    "accepted": "allow",
    "alert": "warn",
    "allow": "allow",
    "allowed": "allow",
    "anonymised": "modify",
    "anonymized": "modify",
    "approved": "allow",
    "approved_for_session": "allow",
    "ask": "warn",
    "auto_accept": "allow",
    "benign": "allow",
    "block": "deny",
    "blocked": "deny",
    "confirm": "warn",
    "denied": "deny",
    "deny": "deny",
    "detected": "warn",
    "escalate": "warn",
    "filtered": "deny",
    "flag": "warn",
    "flagged": "warn",
    "guardrail_intervened": "deny",
    "human_in_the_loop_required": "warn",
    "intervened": "deny",
    "malicious": "warn",
    "mask": "modify",
    "masked": "modify",
    "modify": "modify",
    "monitor": "warn",
    "none": "allow",
    "pass": "allow",
    "passed": "allow",
    "redact": "modify",
    "redacted": "modify",
    "reject": "deny",
    "rejected": "deny",
    "safe": "allow",
    "sanitized": "modify",
    "warn": "warn",
}
# Vendor's word, in small letters with `_` -> ours. What is not here stays as the vendor says it.
_CATEGORIES: Final = {
    "agent": "tool_misuse",
    "agent_alignment": "tool_misuse",
    "agent_security": "tool_misuse",
    "code_shield": "malicious_code",
    "content_safety": "harmful_content",
    "contextual_grounding": "ungrounded",
    "credentials": "secret",
    "cross_prompt_injection": "indirect_attack",
    "custom_blocklists": "denied_word",
    "dangerous": "harmful_content",
    "data_leakage": "pii",
    "dlp": "pii",
    "groundedness": "ungrounded",
    "grounding": "ungrounded",
    "hallucination": "ungrounded",
    "harassment": "hate",
    "harassment_threatening": "hate",
    "hate_speech": "hate",
    "hate_threatening": "hate",
    "hidden_ascii": "prompt_attack",
    "illicit": "harmful_content",
    "illicit_violent": "harmful_content",
    "indirect_injection": "indirect_attack",
    "indirect_prompt_injection": "indirect_attack",
    "injection": "prompt_attack",
    "instruction_override": "prompt_attack",
    "insults": "hate",
    "malicious_uris": "malicious_url",
    "pi_and_jailbreak": "prompt_attack",
    "pii_detection": "pii",
    "profanity": "denied_word",
    "prompt_guard": "prompt_attack",
    "prompt_injection": "prompt_attack",
    "prompt_shield": "prompt_attack",
    "protected_material_code": "protected_material",
    "protected_material_text": "protected_material",
    "sdp": "pii",
    "secrets": "secret",
    "self_harm_instructions": "self_harm",
    "self_harm_intent": "self_harm",
    "selfharm": "self_harm",
    "sensitive_data": "pii",
    "sensitive_info_disclosure": "pii",
    "sensitive_information": "pii",
    "sexual_minors": "sexual",
    "sexually_explicit": "sexual",
    "tool_injection": "indirect_attack",
    "topic": "denied_topic",
    "topic_violation": "denied_topic",
    "toxic_content": "hate",
    "toxicity": "hate",
    "unknown_links": "malicious_url",
    "url_cats": "malicious_url",
    "violence_graphic": "violence",
    "word": "denied_word",
    "xpia": "indirect_attack",
}
CATEGORIES: Final = frozenset(_CATEGORIES.values()) | {
    *("jailbreak", "malicious_code", "misconduct", "protected_material", "sexual"),
    *("tool_misuse", "violence"),
}
# Names that say the decision, in this order, and the category; of all that a record has, few are.
_DECISIONS: Final = tuple(
    tuple(prefix + name for prefix in _PREFIXES)
    for name in ("verdict.type", "verdict", "action.type", "action")
)
_RISKS: Final = tuple(
    prefix + name for name in ("risk.category", "category") for prefix in _PREFIXES
)
_REASONS: Final = "gen_ai.response.finish_reasons"
_NAMES: Final = frozenset({name for names in _DECISIONS for name in names} | {_REASONS})
_STOPPED: Final = frozenset({"content_filter", "content_filtered", "guardrail_intervened"})


def verdict(*said: Mapping[str, Json]) -> dict[str, Json]:
    """`guardrail.*` attributes of a record and of its events; empty where no guardrail spoke."""
    judged = [
        (_word(one), plain(_first(one, _RISKS))) for one in said if not _NAMES.isdisjoint(one)
    ]
    return verdicts(*((found, *(listing(named) or (named,))) for found, named in judged))


def verdicts(*said: tuple[Json, ...]) -> dict[str, Json]:
    """`guardrail.*` attributes of what several policies decided: each its word and its categories.

    The strongest word counts, with the categories of all that said it. Words that nobody knows say
    nothing.
    """
    known = [(found, ones) for first, *ones in said if (found := word(first)) is not None]
    if not known:
        return {}
    strongest = max((found for found, _ in known), key=STRENGTH.index)
    said_so = (category(one) for found, ones in known if found == strongest for one in ones)
    named = sorted({one for one in said_so if one is not None})
    kept: dict[str, Json] = {"guardrail.verdict": strongest}
    if named:
        kept["guardrail.category"] = named[0] if len(named) == 1 else named
    return kept


def word(said: Json) -> str | None:
    """allow, warn, modify or deny, for any word that a vendor has for it."""
    known = text(said, 64)
    return None if known is None else _WORDS.get(known.strip().lower())


def category(said: Json) -> str | None:
    """Our word for the category of a vendor, else that of the vendor in small letters with `_`."""
    known = text(said, 128)
    return None if known is None else _category(known)


@lru_cache(maxsize=1_024)  # a guardrail has its few words
def _category(known: str) -> str | None:
    own = "_".join(re.findall(r"[a-z0-9:.]+", known.lower()))
    if own.startswith("pii_"):
        return "pii"  # `pii/email`
    return _CATEGORIES.get(own, own) or None


def _word(said: Mapping[str, Json]) -> str | None:
    for names in _DECISIONS:
        known = word(_first(said, names))
        if known is not None:
            return known
    reasons = listing(said.get(_REASONS))
    return "deny" if any(reason in _STOPPED for reason in map(text, reasons)) else None


def _first(said: Mapping[str, Json], names: tuple[str, ...]) -> Json:
    for name in names:
        value = said.get(name)
        if value is not None:
            return value
    return None
