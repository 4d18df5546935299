"""Verdicts: what a guardrail decided, in one vocabulary, however the telemetry says it.

Two proposals for OpenTelemetry (`gen_ai.security.*`, `gen_ai.guardrail.*`) and the finish reasons
of models say it today. Here it is `guardrail.verdict`, which is allow, warn, modify or deny, and
`guardrail.category`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streams.source import Json
from streams.untrusted import listing, plain, text

_PREFIXES: Final = ("gen_ai.security.", "gen_ai.guardrail.", "guardrail.")
_STRENGTH: Final = ("allow", "warn", "modify", "deny")  # of several verdicts the strongest counts
_WORDS: Final = {
    "allow": "allow",
    "allowed": "allow",
    "block": "deny",
    "blocked": "deny",
    "deny": "deny",
    "denied": "deny",
    "escalate": "warn",
    "intervened": "deny",
    "mask": "modify",
    "modify": "modify",
    "pass": "allow",
    "redact": "modify",
    "warn": "warn",
}
_STOPPED: Final = frozenset({"content_filter", "content_filtered", "guardrail_intervened"})


def verdict(*said: Mapping[str, Json]) -> dict[str, Json]:
    """`guardrail.*` attributes of a record and of its events; empty where no guardrail spoke."""
    judged = [(word, one) for one in said if (word := _word(one)) is not None]
    if not judged:
        return {}
    word, strongest = max(judged, key=lambda pair: _STRENGTH.index(pair[0]))
    category = plain(_first(strongest, "risk.category", "category"))
    return {"guardrail.verdict": word} | ({"guardrail.category": category} if category else {})


def _word(said: Mapping[str, Json]) -> str | None:
    for name in ("verdict.type", "verdict", "action.type", "action"):
        word = text(_first(said, name))
        if word is not None and word.lower() in _WORDS:
            return _WORDS[word.lower()]
    reasons = listing(said.get("gen_ai.response.finish_reasons"))
    return "deny" if any(reason in _STOPPED for reason in map(text, reasons)) else None


def _first(said: Mapping[str, Json], *names: str) -> Json:
    found = (said.get(prefix + name) for name in names for prefix in _PREFIXES)
    return next((value for value in found if value is not None), None)
