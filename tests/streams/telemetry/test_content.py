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
        ("glpat-" + "x0" * 10, "gitlab_token"),
        ("AIza" + "x0" * 17 + "x", "google_api_key"),
        ("hf_" + "x0" * 17, "huggingface_token"),
        ("eyJhbGciOiJub25l.eyJzdWIiOiJ4In0AAAA.c2lnbmF0dXJlLXNpZ25hdHVyZQ", "jwt"),
        ("aws_secret_access_key = " + "example0" * 5, "aws_secret_key"),
        ("dapi" + "0" * 32, "databricks_token"),
        ("GOCSPX-" + "x0" * 14, "google_oauth_secret"),
        ("gsk_" + "x0" * 26, "groq_key"),
        ("lsv2_pt_" + "0" * 32 + "_" + "0" * 10, "langsmith_key"),
        ("sk-or-v1-" + "0" * 64, "openrouter_key"),
        ("pplx-" + "x0" * 24, "perplexity_key"),
        ("pcsk_" + "0" * 6 + "_" + "x0" * 30, "pinecone_key"),
        ("r8_" + "0" * 37, "replicate_token"),
        ("SG." + "0" * 22 + "." + "x0" * 21 + "x", "sendgrid_key"),
        ("https://hooks.slack.com/services/T00000000/B00000000/" + "x0" * 12, "slack_webhook"),
        ("xapp-1-A00000000-0000000000-example", "slack_token"),
        ("hvs." + "x0" * 14, "vault_token"),
        ("xai-" + "0" * 80, "xai_key"),
        ("redis://:p4ssw0rd@cache.example:6379/0", "password_in_url"),
        ("sk-proj-example0-example0_example0", "openai_key"),
        ("npm_" + "0" * 36, "npm_token"),
        ("sk-proj-" + "example0" * 3, "openai_key"),
        ("postgres://app:example@db.example/x", "password_in_url"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "private_key"),
        ("pypi-AgE" + "x0" * 25, "pypi_token"),
        ("xoxb-0000000000-example", "slack_token"),
        ("sk_live_" + "0" * 24, "stripe_key"),
    ],
)
def test_secrets(text: str, kind: str) -> None:
    found = told({PROMPT: f"Use {text} here"})
    assert (found["content.secrets"], found["content.secrets.where"]) == ([kind], ["prompt"])


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA" + "X" * 16,
        "ghp_" + "x" * 36,
        "sk-your_openai_api_key_goes_here_1",
        "sk-learn_style_transformer_pipeline_api",
        "a task-runner-configuration-of-the-service2",
        "xoxb-your-bot-token",
        "mongodb+srv://username:password@cluster.example",
        "postgres://app:password@localhost/x",
        "mysql://{user}:{password}@{host}/x",
        "redis://:${REDIS_PASSWORD}@redis:6379",
        "https://<user>:<token>@code.example/x",
        "http://host:8080/@scope/package",
        "AKIA and sk- and eyJ are prefixes",
    ],
)
def test_what_stands_for_a_secret_is_none(text: str) -> None:
    assert told({"gen_ai.output.messages": f"Use {text} here"}) == {}


def test_every_kind_is_tried() -> None:
    assert len(SECRETS) == 28
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
        ("card 3782-822463-10005", ["credit_card"]),
        ("card 2223003122003222", ["credit_card"]),
        ("device 356938035643809", []),  # passes the check, and no issuer has it
        ("trace 4111111111111111-0000", []),
        ("30000000000004 bytes", []),
        ("call +1 (415) 555-2671 or +49 151 12345678", ["phone_e164"]),
        ("+12345678 lines, +20240101, diff +1234567890", []),
        ("postgres://app:s3cret0@db.example.com/x", []),
        ("git@code.example", []),
        ("npm i tool@1.2.3 and pip install tool@2.1", []),
        ("müller@mail.example", ["email"]),
    ],
)
def test_personal_data(text: str, kinds: list[str]) -> None:
    assert told({"gen_ai.output.messages": text}).get("content.pii", []) == kinds


@pytest.mark.parametrize(
    "text",
    [
        "a\u200bb",
        "x\u3164",
        "a\u200fb",
        "\U000e0041\U000e0042",
        "\x1b[31mred",
        orjson.dumps(["\x1b[31m"]).decode(),
    ],
)
def test_hidden(text: str) -> None:
    assert told({"gen_ai.tool.call.result": text}) == {
        "content.hidden": True,
        "content.hidden.where": ["tool_result"],
    }


def test_plain_text_tells_nothing() -> None:
    assert told({PROMPT: "Größe, 大きさ, 👩‍👩‍👧: how large is it?"}) == {}
    assert told({PROMPT: "שלום\u200f, العربية\u200e (PDF), អ្វី\u200bដែល"}) == {}
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


def test_which_is_where() -> None:
    private = {PROMPT: "card 4111 1111 1111 1111", "gen_ai.output.messages": "to ada@example.com"}
    assert told(private) == {
        "content.pii": ["credit_card", "email"],
        "content.pii.where": ["output", "prompt"],
        "content.pii.at": ["output:email", "prompt:credit_card"],
    }


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
