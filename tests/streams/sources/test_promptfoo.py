import pytest

from schemas.canonical import canonical
from schemas.event import EventEvidence
from streams.sources import promptfoo
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "promptfoo.json": [
        {
            "is": "Detection Finding: Close",
            "time": "2026-03-04T05:06:07.123000Z",
            "severity": "critical",
            "of": ["model:gpt-4o"],
            "finding": "resolved | harmful:hate | jailbreak:22a60d9d8188 | "
            "harmful:hate passed under jailbreak",
            "eval.plugin": "harmful:hate",
            "eval.strategy": "jailbreak",
            "eval.category": "Hate",
            "eval.provider": "openai:chat:gpt-4o",
            "eval.run": "eval-1",
            "eval.score": 1,
            "check.id": "harmful:hate",
            "scan.tool": "promptfoo",
        },
        {
            "is": "Detection Finding: Create",
            "time": "2026-03-04T05:06:07.123000Z",
            "severity": "critical",
            "of": ["model:gpt-4o"],
            "finding": "open | harmful:hate | jailbreak:5a34f0bbad94 | harmful:hate "
            "failed under jailbreak",
            "eval.plugin": "harmful:hate",
            "eval.strategy": "jailbreak",
            "eval.category": "Hate",
            "eval.provider": "openai:chat:gpt-4o",
            "eval.run": "eval-1",
            "eval.score": 0,
            "check.id": "harmful:hate",
            "scan.tool": "promptfoo",
        },
        {
            "is": "Scan Activity: Error",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "failure",
            "of": ["model:gpt-4o"],
            "scan.findings": 0,
            "scan.tool": "promptfoo",
            "eval.plugin": "harmful:hate",
            "eval.strategy": "jailbreak",
            "eval.category": "Hate",
            "eval.provider": "openai:chat:gpt-4o",
            "eval.run": "eval-1",
            "eval.score": 0,
        },
    ],
    "promptfoo.old.json": [
        {
            "is": "Detection Finding: Create",
            "time": "2026-03-04T05:06:07.123000Z",
            "severity": "medium",
            "of": ["endpoint:https://chat.example/v1"],
            "finding": "open | contains | basic:243440ac6267 | contains failed",
            "eval.provider": "https://chat.example/v1",
            "eval.score": 0,
            "check.id": "contains",
            "scan.tool": "promptfoo",
        },
        {
            "is": "Scan Activity: Error",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "failure",
            "of": ["model:huggingface/example/writer"],
            "scan.findings": 0,
            "scan.tool": "promptfoo",
            "eval.provider": "huggingface:text-generation:Example/Writer",
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [
        ("wrong-shape", "a result says its `provider` and its `success`"),
        ("wrong-shape", "a result says its `provider` and its `success`"),
    ]
    assert rejected("promptfoo.bad.json") == said


def test_an_error_is_not_a_pass() -> None:
    *_, broken = read("promptfoo.json")
    assert (broken.status, broken.finding) == ("failure", None)


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b'{"evalId": "eval-1", "results": {}}', True),
        (b'{"testIdx":0,"promptIdx":0,"gradingResult":{},"success":true}', True),
        (b'{"results": [{"provider": "aws"}]}', False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert promptfoo.sniff(head) is known


def test_a_result_alone() -> None:
    row = b'{"promptIdx":0,"provider":"openai:gpt-4o","success":true,"testCase":{}}'
    (raw,) = promptfoo.split(row)
    evidence = EventEvidence(origin="file:x#1", sha256="00")
    event = promptfoo.event(raw, {"provider": "openai:gpt-4o", "success": True}, evidence).event
    assert (event.entities[0].key, event.activity) == ("model:gpt-4o", "Close")


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        ("openai:responses:gpt-4o-2024-08-06", "model:gpt-4o-2024-08-06"),
        ("openai:chat:ft:gpt-4o:claims::a1", "model:ft:gpt-4o:claims::a1"),
        ("ollama:chat:llama3.3:70b", "model:llama3.3:70b"),
        ("bedrock:converse:eu.vendor.m-v1:0", "model:vendor.m-v1:0"),
        ("bedrock:eu.vendor.m-v1:0", "model:vendor.m-v1:0"),
        ("huggingface:text-generation:Example/Writer", "model:huggingface/example/writer"),
        ("azure:chat:Claims", "endpoint:claims"),
        ("vertex:gemini-2.5-pro", "model:gemini-2.5-pro"),
        ("python:agent.py", "endpoint:python:agent.py"),
        ("https://u:p@chat.example/v1?key=obviously-fake", "endpoint:https://chat.example/v1"),
    ],
)
def test_what_was_tested(provider: str, key: str) -> None:
    (raw,) = promptfoo.split(b'{"promptIdx":0,"provider":"x","success":true,"testCase":{}}')
    evidence = EventEvidence(origin="file:x#1", sha256="00")
    said = {"provider": provider, "success": True}
    event = promptfoo.event(raw, said, evidence).event
    assert event.entities[0].key == key
    assert b"obviously-fake" not in canonical(event.body())
