import pytest

from streams.telemetry.verdicts import CATEGORIES, category, verdict, verdicts, word


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


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("GUARDRAIL_INTERVENED", "deny"),
        ("human_in_the_loop_required", "warn"),
        ("auto_accept", "allow"),
        ("ABORT", "deny"),
        ("anonymized", "modify"),
        ("success", None),  # of the call, not of the guardrail
        ("", None),
        (7, None),
    ],
)
def test_words_of_vendors(said: object, known: str | None) -> None:
    assert word(said) == known


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("PROMPT_ATTACK", "prompt_attack"),
        ("Prompt Injection", "prompt_attack"),
        ("indirect-prompt-injection", "indirect_attack"),
        ("pi_and_jailbreak", "prompt_attack"),
        ("self-harm/intent", "self_harm"),
        ("pii/email", "pii"),
        ("dlp", "pii"),
        ("Weapons of mass destruction", "weapons_of_mass_destruction"),  # its own word
        ("", None),
    ],
)
def test_categories_of_vendors(said: str, known: str | None) -> None:
    assert category(said) == known


def test_one_vocabulary_is_closed() -> None:
    assert {category(one) for one in CATEGORIES} == CATEGORIES


def test_several_categories_are_a_list() -> None:
    assert verdicts(("block", "jailbreak", "dlp"), ("allow", "violence")) == {
        "guardrail.verdict": "deny",
        "guardrail.category": ["jailbreak", "pii"],
    }
