import pytest

from streams.reports.probes import Run, began, digest, row, target


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        ("openai.OpenAIGenerator", "gpt-4o", "model:gpt-4o"),
        ("huggingface", "Example/Writer", "model:huggingface/example/writer"),
        ("bedrock", "eu.vendor.m-v1:0", "model:vendor.m-v1:0"),
        ("azure.AzureOpenAIGenerator", "Chat", "endpoint:chat"),
        ("rest.RestGenerator", "https://chat.example", "endpoint:https://chat.example"),
        ("nim", "https://nim.example/v1", "endpoint:https://nim.example/v1"),
        ("litellm", "openai/gpt-4o", "model:gpt-4o"),
        ("litellm.LiteLLMGenerator", "bedrock/eu.vendor.m-v1:0", "model:vendor.m-v1:0"),
        ("litellm", "gpt-4o", "model:gpt-4o"),
        (
            "huggingface.InferenceEndpoint",
            "https://a.hub.example",
            "endpoint:https://a.hub.example",
        ),
        ("huggingface.Model", "./models/writer", "model:./models/writer"),
        ("test", None, "endpoint:test"),
        (None, "gpt-4o", None),
    ],
)
def test_what_was_probed(kind: str | None, name: str | None, key: str | None) -> None:
    found = target(kind, name)
    assert (found.key if found else None) == key


def test_what_was_said_first_stays() -> None:
    run = began(Run(), {"plugins.model_type": "openai", "plugins.model_name": "gpt-4o"})
    run = began(run, {"target_type": "other", "start_time": "2026-03-04T05:06:07", "run": "r"})
    assert (run.kind, run.name, run.time, run.id) == (
        "openai",
        "gpt-4o",
        1_772_600_767_000_000,
        "r",
    )


def test_a_digest_by_probe_and_detector() -> None:
    line = (
        b'{"entry_type":"digest","eval":{"g":{"_summary":{"group":"g"},"g.P":{"_summary":{},'
        b'"d.D": {"detector_defcon": 2}}}}}'
    )
    assert list(digest(line)) == [(b'{"detector_defcon": 2}', "g.P", "d.D", 2)]
    assert list(digest(b'{"eval": 7}')) == []


def test_what_is_no_row() -> None:
    assert row(b"{") is None
    assert row(b"[" * 100_000) is None
