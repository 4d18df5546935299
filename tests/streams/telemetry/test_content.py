"""Content is told by kind, and by fingerprints where a key is set. All values are made up."""

import hmac
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from correlators.normal import CONTENT
from schemas.config import Limits
from schemas.event import Reject
from streams.reading import Reader
from streams.source import named
from streams.telemetry.content import PII, SECRETS, last_prompt, told

KEY = b"a key of thirty-two characters.."
AWS = "AKIAEXAMPLE000000000"
PROMPT = "gen_ai.input.messages"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sk-ant-" + "example0" * 3, "anthropic_key"),
        (f"key={AWS}.", "aws_access_key"),
        ("AccountKey=" + "A" * 86 + "==", "azure_storage_key"),
        ("ghp_" + "0" * 36, "github_token"),
        ("github_pat_" + "0" * 22, "github_token"),
        ("glpat-" + "x" * 20, "gitlab_token"),
        ("AIza" + "x" * 35, "google_api_key"),
        ("hf_" + "x" * 34, "huggingface_token"),
        ("eyJhbGciOiJub25l.eyJzdWIiOiJ4In0AAAA.c2lnbmF0dXJlLXNpZ25hdHVyZQ", "jwt"),
        ("npm_" + "0" * 36, "npm_token"),
        ("sk-proj-" + "example0" * 3, "openai_key"),
        ("postgres://app:example@db.example/x", "password_in_url"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "private_key"),
        ("pypi-AgE" + "x" * 50, "pypi_token"),
        ("xoxb-0000000000-example", "slack_token"),
        ("sk_live_" + "0" * 24, "stripe_key"),
    ],
)
def test_secrets(text: str, kind: str) -> None:
    found = told({PROMPT: f"Use {text} here"})
    assert (found["content.secrets"], found["content.secrets.where"]) == ([kind], ["prompt"])


def test_every_kind_is_tried() -> None:
    assert len(SECRETS) == 15
    assert sorted(PII) == ["credit_card", "email", "iban", "phone_e164", "us_ssn"]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("write to ada@example.com, please", ["email"]),
        ("card 4111 1111 1111 1111", ["credit_card"]),
        ("card 4111 1111 1111 1112", []),  # no Luhn number
        ("order 0000 0000 0000 0000", []),
        ("IBAN DE89 3704 0044 0532 0130 00", ["iban"]),
        ("IBAN DE88370400440532013000", []),  # wrong check digits
        ("SSN 123-45-6789", ["us_ssn"]),
        ("SSN 666-45-6789 and 000-45-6789 and 923-45-6789", []),
        ("call +4915112345678", ["phone_e164"]),
        ("1+4915112345678", []),
        ("a@b, not an address", []),
        ("version 4.1.1.1 of 2026-03-04", []),
    ],
)
def test_personal_data(text: str, kinds: list[str]) -> None:
    assert told({"gen_ai.output.messages": text}).get("content.pii", []) == kinds


@pytest.mark.parametrize(
    "text",
    ["a\u200bb", "\U000e0041\U000e0042", "\x1b[31mred", orjson.dumps(["\x1b[31m"]).decode()],
)
def test_hidden(text: str) -> None:
    assert told({"gen_ai.tool.call.result": text}) == {
        "content.hidden": True,
        "content.hidden.where": ["tool_result"],
    }


def test_plain_text_tells_nothing() -> None:
    assert told({PROMPT: "Größe, 大きさ, 👩‍👩‍👧: how large is it?"}) == {}
    assert told({}) == {}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("gen_ai.input.messages", "prompt"),
        ("llm.input_messages.0.message.content", "prompt"),
        ("gen_ai.output.messages", "output"),
        ("gen_ai.tool.call.arguments", "tool_arguments"),
        ("gen_ai.retrieval.documents", "retrieved"),
        ("http.request.header.x", "other"),
    ],
)
def test_where(name: str, place: str) -> None:
    assert told({name: AWS})["content.secrets.where"] == [place]


def test_fingerprints_need_a_key() -> None:
    private: dict[str, Any] = {PROMPT: f"Use {AWS}", "gen_ai.output.messages": f"{AWS} it is"}
    assert "content.fingerprints" not in told(private)
    digest = hmac.new(KEY, AWS.encode(), sha256).hexdigest()[:16]
    assert told(private, KEY)["content.fingerprints"] == [f"aws_access_key:{digest}"]
    assert told(private, b"another key, other fingerprints")["content.fingerprints"] != [digest]


def test_equal_prompts_are_known_again() -> None:
    one = [{"role": "system", "content": "Help."}, {"role": "user", "content": "What  is\nTHIS?"}]
    two = [{"role": "user", "parts": [{"type": "text", "content": "what is this?"}]}]
    prompts = [told({PROMPT: orjson.dumps(said).decode()}, KEY) for said in (one, two)]
    expected = hmac.new(KEY, b"what is this?", sha256).hexdigest()[:16]
    assert prompts == [{"content.prompt": expected}] * 2


@pytest.mark.parametrize(
    ("value", "prompt"),
    [
        ("plain", "plain"),
        ('[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]', "a"),
        ('[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image"}]}]', "a"),
        ('[{"role":"assistant","content":"b"}]', None),
        ('{"messages', '{"messages'),
        ('["a","b"]', "b"),
    ],
)
def test_the_last_prompt(value: str, prompt: str | None) -> None:
    assert last_prompt(value) == prompt


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=200), max_size=4))
def test_it_is_deterministic_and_declared(private: dict[str, str]) -> None:
    found = told(private, KEY)
    assert found == told(dict(reversed(private.items())), KEY)
    assert found.keys() <= CONTENT


def test_every_source_tells_it() -> None:
    """At one place: the event has the kinds and the fingerprints, and not the values."""
    record = {"call_type": "completion", "startTime": 1772600767, "messages": f"Use {AWS}"}
    limits = Limits(key=SecretStr(KEY.decode()))
    (outcome,) = Reader(named("litellm"), "file:x", limits).read(orjson.dumps(record), 0)
    assert not isinstance(outcome.result, Reject)
    attributes = outcome.result.event.attributes
    assert attributes["content.secrets"] == ["aws_access_key"]
    assert len(attributes["content.prompt"]) == 16
    assert AWS not in outcome.result.event.model_dump_json()
