"""Verdicts: what a guardrail decided, in one vocabulary, however it is said.

Here it is `guardrail.verdict`, which is allow, warn, modify or deny, and `guardrail.category`: one
word of CATEGORIES where the vendor's is known, a list of them where several spoke, the vendor's own
word elsewhere. In OpenTelemetry two proposals (`gen_ai.security.*`, `gen_ai.guardrail.*`) and the
finish reasons of models say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from streams.source import Json
from streams.untrusted import listing, plain, text

_PREFIXES: Final = ("gen_ai.security.", "gen_ai.guardrail.", "guardrail.")
STRENGTH: Final = ("allow", "warn", "modify", "deny")  # of several verdicts the strongest counts
_WORDS: Final = {
    "allow": "allow",
    "allowed": "allow",
    "anonymized": "modify",
    "anonymised": "modify",
    "block": "deny",
    "blocked": "deny",
    "deny": "deny",
    "denied": "deny",
    "detected": "warn",
    "escalate": "warn",
    "filtered": "deny",
    "flagged": "warn",
    "guardrail_intervened": "deny",
    "intervened": "deny",
    "mask": "modify",
    "masked": "modify",
    "modify": "modify",
    "none": "allow",
    "pass": "allow",
    "passed": "allow",
    "redact": "modify",
    "redacted": "modify",
    "reject": "deny",
    "rejected": "deny",
    "safe": "allow",
    "warn": "warn",
}
# Vendor's word, in small letters with `_` -> ours. What is not here stays as the vendor says it.
_CATEGORIES: Final = {
    "cross_prompt_injection": "indirect_attack",
    "content_safety": "harmful_content",
    "contextual_grounding": "ungrounded",
    "credentials": "secret",
    "grounding": "ungrounded",
    "groundedness": "ungrounded",
    "hallucination": "ungrounded",
    "injection": "prompt_attack",
    "insults": "hate",
    "prompt_injection": "prompt_attack",
    "sensitive_data": "pii",
    "sensitive_info_disclosure": "pii",
    "sensitive_information": "pii",
    "secrets": "secret",
    "selfharm": "self_harm",
    "topic": "denied_topic",
    "toxicity": "hate",
    "word": "denied_word",
    "xpia": "indirect_attack",
}
CATEGORIES: Final = frozenset(_CATEGORIES.values()) | {
    *("jailbreak", "malicious_code", "misconduct", "protected_material", "sexual"),
    *("tool_misuse", "violence"),
}
_STOPPED: Final = frozenset({"content_filter", "content_filtered", "guardrail_intervened"})


def verdict(*said: Mapping[str, Json]) -> dict[str, Json]:
    """`guardrail.*` attributes of a record and of its events; empty where no guardrail spoke."""
    judged = [(_word(one), plain(_first(one, "risk.category", "category"))) for one in said]
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
    if known is None:
        return None
    own = "_".join(re.findall(r"[a-z0-9:.]+", known.lower()))
    return _CATEGORIES.get(own, own) or None


def _word(said: Mapping[str, Json]) -> str | None:
    for name in ("verdict.type", "verdict", "action.type", "action"):
        known = word(_first(said, name))
        if known is not None:
            return known
    reasons = listing(said.get("gen_ai.response.finish_reasons"))
    return "deny" if any(reason in _STOPPED for reason in map(text, reasons)) else None


def _first(said: Mapping[str, Json], *names: str) -> Json:
    found = (said.get(prefix + name) for name in names for prefix in _PREFIXES)
    return next((value for value in found if value is not None), None)
