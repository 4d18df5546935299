import pytest

from streams.verdicts import verdict


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"gen_ai.security.verdict.type": "ALLOW"}, "allow"),
        ({"gen_ai.guardrail.verdict.type": "modify"}, "modify"),
        ({"guardrail.verdict": "blocked"}, "deny"),
        ({"gen_ai.security.action.type": "redact"}, "modify"),
        ({"gen_ai.security.verdict.type": "odd", "gen_ai.security.action.type": "block"}, "deny"),
        ({"gen_ai.response.finish_reasons": ["guardrail_intervened"]}, "deny"),
        ({"gen_ai.response.finish_reasons": [["content_filter"], 7]}, None),
        ({"gen_ai.security.verdict.type": 7}, None),
        ({"gen_ai.guardrail.id": "gr1"}, None),
        ({}, None),
    ],
)
def test_words(said: dict[str, object], word: str | None) -> None:
    assert verdict(said) == ({} if word is None else {"guardrail.verdict": word})


def test_the_strongest_counts_with_its_category() -> None:
    prefix = "gen_ai.security."
    allowed = {f"{prefix}verdict.type": "allow", f"{prefix}risk.category": "violence"}
    denied = {f"{prefix}verdict.type": "deny", f"{prefix}risk.category": "jailbreak"}
    strongest = {"guardrail.verdict": "deny", "guardrail.category": "jailbreak"}
    assert verdict(allowed, denied) == verdict(denied, allowed) == strongest
    assert verdict() == {}
