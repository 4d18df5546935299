"""Teams against a strict double of a workflow's webhook: cards for what is worth one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from sinks.delivery.digest import Issue
from sinks.delivery.memory import Memory
from sinks.delivery.past import NOTE
from sinks.delivery.people import People
from sinks.delivery.sink import Delivered, Sink
from sinks.teams import Settings, connect
from tests.sinks.alerts import HOSTILE, alert
from tests.sinks.cards import faults, texts
from tests.sinks.made import Sinks, verdict
from tests.sinks.receiving import Receiver, Reply, Request
from tests.sinks.storms import news_storm

ID = "a" * 32


class Workflow:
    """Posts what it takes to a channel."""

    def __init__(self) -> None:
        self.cards: list[dict[str, Any]] = []

    def answer(self, request: Request) -> Reply:
        message = orjson.loads(request.body)
        wrong = list(faults(message))
        if wrong:
            code = {"error": {"code": "TriggerInputSchemaMismatch", "message": wrong}}
            return Reply(400, orjson.dumps(code))
        self.cards += [one["content"] for one in message["attachments"]]
        return Reply(202)

    @property
    def headlines(self) -> list[str]:
        return [card["fallbackText"] for card in self.cards]


@pytest.fixture
def workflow() -> Workflow:
    return Workflow()


@pytest.fixture
def receiver(workflow: Workflow) -> Iterator[Receiver]:
    with Receiver(workflow.answer) as receiver:
        yield receiver


def entry(receiver: Receiver, **more: object) -> dict[str, Any]:
    url = f"{receiver.url}/workflows/0/triggers/manual/paths/invoke?sig=secret"
    return {"name": "soc", "kind": "teams", "url": url, "timeout": "2s"} | more


@pytest.fixture
def soc(receiver: Receiver, sinks: Sinks) -> Sink:
    return sinks.made(entry(receiver))


def test_an_alert_as_it_arrives(receiver: Receiver, workflow: Workflow, sinks: Sinks) -> None:
    soc = sinks.made(entry(receiver, link="https://boards.example/d/a?id={id}"))
    assert soc.write([alert(ID)]) == Delivered(1)

    def line(text: str, spacing: str = "", **style: object) -> dict[str, Any]:
        told: dict[str, Any] = {"type": "RichTextBlock"}
        told["inlines"] = [{"type": "TextRun", "text": text, **style}]
        return told | ({"spacing": spacing} if spacing else {})

    headline = "WARNING 87 · support-bot: A poisoned tool is at work in support-bot"
    assert workflow.cards == [
        {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "fallbackText": headline,
            "msteams": {"width": "Full"},
            "body": [
                line(headline, size="large", weight="bolder", color="attention"),
                line("new: warning, priority 87", weight="bolder"),
                line("An injection reached an agent that may send mail; three families agree."),
                line("Why", "medium", weight="bolder"),
                line(
                    "+2,400 points family:runtime · record"
                    " eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
                    "none",
                ),
                line("What next", "medium", weight="bolder"),
                line(
                    "62 % within 24h: Exfiltration via AI Agent Tool Invocation (AML.T0086);"
                    " stopped by: Take mcp-mail/send from the agent",
                    "none",
                ),
                line("What to do", "medium", weight="bolder"),
                line(
                    "1. Take mcp-mail/send from the agent (AML.M0026): -2400 points",
                    "none",
                ),
                line("Look further", "medium", weight="bolder"),
                line(f"barograph explain {ID}", "none", fontType="monospace"),
                line(
                    f"barograph query --name ledger --param alert={ID}",
                    "none",
                    fontType="monospace",
                ),
                line(f"barograph verify {ID}", "none", fontType="monospace"),
                line(
                    "began 2026-01-01 12:00, last seen 2026-01-01 13:30,"
                    " expires 2026-01-02 13:30 UTC",
                    isSubtle=True,
                    size="small",
                ),
            ],
            "actions": [
                {
                    "type": "Action.OpenUrl",
                    "title": "Open it",
                    "url": f"https://boards.example/d/a?id={ID}",
                }
            ],
        }
    ]
    assert receiver.got[0].headers["content-type"] == "application/json; charset=utf-8"


def test_a_card_is_for_what_is_worth_one(soc: Sink, workflow: Workflow) -> None:
    soc.write([alert(ID, 1, stage="watch", priority=40)])
    soc.write([alert(ID, 2, stage="watch", priority=41)])
    soc.write([alert(ID, 3, stage="warning", priority=41)])
    soc.write([alert(ID, 4, stage="watch", priority=41)])
    soc.write([alert(ID, 5, "final", priority=41, status="expired")])
    assert [head.partition(" · ")[0] for head in workflow.headlines] == [
        "WATCH 40",
        "WARNING 41",
        "WARNING EXPIRED 41",
    ]
    assert texts(workflow.cards[2])[1] == "expired: it has not held for its time to live"
    assert workflow.cards[2]["body"][0]["inlines"][0]["color"] == "default"


def test_a_withdrawn_alert_is_struck(soc: Sink, workflow: Workflow) -> None:
    soc.write([alert(ID)])
    soc.write([alert(ID, 2, "withdrawn")])
    title = workflow.cards[1]["body"][0]["inlines"][0]
    assert title["strikethrough"] is True
    assert texts(workflow.cards[1])[1].startswith("withdrawn: it never held")


def test_hostile_texts_are_words(soc: Sink, workflow: Workflow) -> None:
    mean = f"[x](https://evil.example) **b** <at>all</at> {HOSTILE}"
    why = [{"term": mean, "value": 1, "weight": 1, "points": 1, "evidence": []}] * 900
    assert soc.write([alert(ID, title=mean, summary=mean * 90, why=why)]) == Delivered(1)
    shown = texts(workflow.cards[0])
    assert shown[0].startswith("WARNING 87 · support-bot: [x](hxxps[:]//evil[.]example) **b**")
    assert all(text.isprintable() for text in shown)
    assert b"https:" not in orjson.dumps(workflow.cards[0]["body"])


def test_the_longest_card_is_far_below_what_is_taken(
    soc: Sink, workflow: Workflow, receiver: Receiver
) -> None:
    wide = "\U0001f480" * 4000  # a character that counts twice
    more: dict[str, Any] = {
        name: [one | dict.fromkeys((k for k, v in one.items() if isinstance(v, str)), wide)] * 9
        for name in ("next", "actions", "why")
        for one in alert(ID).body[name]
    }
    assert soc.write([alert(ID, title=wide, summary=wide, **more)]) == Delivered(1)
    assert len(workflow.cards) == 1
    assert len(receiver.got[0].body) < 12 * 1024


def test_how_many_were_passed_over(receiver: Receiver, workflow: Workflow, tmp_path: Path) -> None:
    speaker = connect(Settings.model_validate(entry(receiver)), tmp_path).speaker
    assert speaker.gather(Issue("k", (), 0, (), 0, 1, NOTE)).verdict == "ok"
    speaker.rest()
    assert texts(workflow.cards[0]) == ["Barograph: 1 alert of the past", NOTE]


def test_a_digest_is_shortened_until_it_fits(
    receiver: Receiver, workflow: Workflow, sinks: Sinks, tmp_path: Path
) -> None:
    link = "https://boards.example/{id}?" + "x" * 900
    settings = Settings.model_validate(entry(receiver, digest="1h", link=link))
    now = [1_767_268_800.0]
    speaker = connect(settings, tmp_path).speaker
    memory = Memory(tmp_path / "digest.sqlite")
    soc = sinks.kept(People(speaker, settings, memory, lambda: now[0]))
    low: dict[str, Any] = {"stage": "watch", "peak_stage": "watch", "title": "\u202e" * 140}
    actions = [{"text": "\u202e" * 200, "effect": "\u202e" * 60}]
    soc.write([alert(f"{n:032}", actions=actions, **low) for n in range(45)])
    now[0] += 3600
    assert soc.flush() == Delivered(0)
    (card,) = workflow.cards
    assert card["fallbackText"] == "Barograph: 45 alerts with news"
    shown = sum(text.startswith("barograph explain") for text in texts(card))
    assert f"and {45 - shown} more: barograph query --name alerts" in texts(card)


def test_the_oracle_finds_what_is_wrong() -> None:
    def card(**more: object) -> dict[str, Any]:
        content = {"type": "AdaptiveCard", "version": "1.4", "body": []} | more
        kind = "application/vnd.microsoft.card.adaptive"
        return {"type": "message", "attachments": [{"contentType": kind, "content": content}]}

    run = {"type": "TextRun", "text": "x"}
    assert list(faults(card())) == []
    assert list(faults(card(version="1.6"))) == ["version cannot be '1.6'"]
    assert list(faults(card(body=[{"type": "TextBlock"}]))) == [
        "body cannot hold TextBlock",
        "there is no TextBlock",
    ]
    block = {"type": "RichTextBlock", "inlines": [run | {"color": "red"}]}
    assert list(faults(card(body=[block]))) == ["color cannot be 'red'"]
    block = {"type": "RichTextBlock", "inlines": [run | {"text": "x" * 30_000}]}
    assert list(faults(card(body=[block]))) == ["it is larger than 28 KB"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(202), "ok"),
        (Reply(200, b"1"), "ok"),
        (Reply(400, b'{"error":{"code":"TriggerInputSchemaMismatch"}}'), "reject"),
        (Reply(400, b'{"error":{"code":"WorkflowTriggerIsNotEnabled"}}'), "config"),
        (Reply(401, b'{"error":{"code":"DirectApiAuthorizationRequired"}}'), "config"),
        (Reply(403), "config"),
        (Reply(404, b'{"error":{"code":"WorkflowNotFound"}}'), "config"),
        (Reply(413), "reject"),
        (Reply(429, b"", {"retry-after": "5"}), "retry"),
        (Reply(500), "retry"),
        (Reply(502), "retry"),
        (Reply(504), "retry"),
    ],
)
def test_an_answer(sinks: Sinks, reply: Reply, expected: str) -> None:
    with Receiver(lambda _: reply) as receiver:
        delivered = sinks.made(entry(receiver)).write([alert(ID)])
    assert verdict(delivered) == expected
    assert delivered.wait == (5.0 if reply.status == 429 else 0.0)
    told = f"{delivered.problem}{[one.reason for one in delivered.refused]}"
    assert "secret" not in told
    assert "paths" not in told


def test_a_storm(receiver: Receiver, workflow: Workflow, tmp_path: Path) -> None:
    news_storm(receiver, tmp_path, entry(receiver))
    said: dict[str, list[str]] = {}
    for card in workflow.cards:
        (id_,) = (t.removeprefix("barograph explain ") for t in texts(card) if " explain " in t)
        stage = card["fallbackText"].partition(" 87 ")[0]
        if said.setdefault(id_, [])[-1:] != [stage]:  # a copy is what a webhook cannot prevent
            said[id_].append(stage)
    ends = dict.fromkeys(range(20), "WARNING")
    ends |= dict.fromkeys(range(0, 20, 3), "WARNING RESOLVED")
    ends |= dict.fromkeys(range(0, 20, 5), "WARNING WITHDRAWN")
    assert said == {f"{n:04d}" + "a" * 60: ["OUTLOOK", end] for n, end in ends.items()}
