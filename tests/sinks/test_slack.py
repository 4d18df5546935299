"""Slack against a strict workspace: one message per thread, nothing twice, every error of its."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.config import AnySink
from schemas.errors import Mistake
from sinks.delivery.digest import Issue
from sinks.delivery.kinds import connect
from sinks.delivery.memory import Memory
from sinks.delivery.past import NOTE
from sinks.delivery.people import People
from sinks.delivery.sink import Delivered, Sink
from sinks.slack import Settings
from sinks.slack import connect as connected
from tests.sinks.alerts import HOSTILE, alert
from tests.sinks.made import Sinks, verdict
from tests.sinks.receiving import Receiver, Reply
from tests.sinks.storms import news_storm
from tests.sinks.workspace import CHANNEL, TOKEN, Workspace, judged

ID, OTHER = "a" * 32, "b" * 32
_NEVER = "it never held: records that came late disprove it"
_TAKEN_BACK = "what it rested on was taken back, or its rule was"


@pytest.fixture
def slack() -> Workspace:
    return Workspace()


@pytest.fixture
def receiver(slack: Workspace) -> Iterator[Receiver]:
    with Receiver(slack.answer) as receiver:
        yield receiver


def entry(receiver: Receiver, **more: object) -> dict[str, Any]:
    told = {"name": "soc", "kind": "slack", "url": f"{receiver.url}/api", "timeout": "2s"}
    return told | {"channel": CHANNEL, "secret": TOKEN} | more


@pytest.fixture
def soc(receiver: Receiver, sinks: Sinks) -> Sink:
    return sinks.made(entry(receiver))


def hook(receiver: Receiver, sinks: Sinks) -> Sink:
    url = f"{receiver.url}/services/T0/B0/secret"
    return sinks.made({"name": "soc", "kind": "slack", "url": url, "timeout": "2s"})


def texts(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for one in value.values() for text in texts(one)]
    return []


def test_an_alert_as_it_arrives(receiver: Receiver, slack: Workspace, sinks: Sinks) -> None:
    soc = sinks.made(entry(receiver, link="https://boards.example/d/a?id={id}"))
    assert soc.write([alert(ID)]) == Delivered(1)

    def section(text: str, **style: bool) -> dict[str, Any]:
        told: dict[str, Any] = {"type": "text", "text": text}
        if style:
            told["style"] = style
        return {"type": "rich_text_section", "elements": [told]}

    def bullet(text: str) -> dict[str, Any]:
        return {"type": "rich_text_list", "style": "bullet", "elements": [section(text)]}

    headline = "WARNING 87 · support-bot: A poisoned tool is at work in support-bot"
    link = {"type": "link", "url": f"https://boards.example/d/a?id={ID}", "text": "Open it"}
    ledger = f"barograph query --name ledger --param alert={ID}"
    commands = f"barograph explain {ID}\n{ledger}\nbarograph verify {ID}"
    assert orjson.loads(receiver.got[0].body) == {
        "channel": CHANNEL,
        "text": headline,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": "barograph_said", "event_payload": {"key": f"{ID}-1"}},
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": headline, "emoji": False}},
            {
                "type": "rich_text",
                "elements": [
                    section(
                        "An injection reached an agent that may send mail; three families agree."
                    ),
                    section("Why", bold=True),
                    bullet(
                        "+2,400 points family:runtime · record"
                        " eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
                    ),
                    section("What next", bold=True),
                    bullet(
                        "62 % within 24h: Exfiltration via AI Agent Tool Invocation (AML.T0086);"
                        " stopped by: Take mcp-mail/send from the agent"
                    ),
                    section("What to do", bold=True),
                    bullet("1. Take mcp-mail/send from the agent (AML.M0026): -2400 points"),
                    {"type": "rich_text_section", "elements": [link]},
                    section("Look further", bold=True),
                    {
                        "type": "rich_text_preformatted",
                        "elements": [{"type": "text", "text": commands}],
                    },
                ],
            },
            {
                "type": "context",
                "elements": [
                    {
                        "type": "plain_text",
                        "text": "began 2026-01-01 12:00, last seen 2026-01-01 13:30,"
                        " expires 2026-01-02 13:30 UTC",
                        "emoji": False,
                    }
                ],
            },
        ],
    }
    assert len(slack.messages) == 1


def test_a_life_is_one_message_and_what_changed_in_its_thread(slack: Workspace, soc: Sink) -> None:
    soc.write([alert(ID, 1, stage="watch", priority=40)])
    soc.write([alert(ID, 2, stage="watch", priority=41)])
    soc.write([alert(ID, 3, stage="warning", priority=60)])
    soc.write([alert(ID, 4, "final", stage="warning", priority=60, status="expired")])
    (root,) = slack.roots
    assert root["text"].startswith("WARNING EXPIRED 60 ·")
    assert texts(root["blocks"])[1] == "expired: it has not held for its time to live\n"
    assert slack.replies(root) == [
        "now warning, was watch, priority 60",
        "expired: it has not held for its time to live",
    ]
    assert [one["reply_broadcast"] for one in slack.messages.values() if "thread_ts" in one] == [
        True,
        False,
    ]
    assert slack.calls == [
        "chat.postMessage",
        "chat.update",
        "chat.update",
        "chat.postMessage",
        "chat.update",
        "chat.postMessage",
    ]


def test_a_withdrawn_alert_is_struck(slack: Workspace, soc: Sink) -> None:
    soc.write([alert(ID)])
    soc.write([alert(ID, 2, "withdrawn")])
    (root,) = slack.roots
    struck = root["blocks"][0]["elements"][0]["elements"][0]
    assert struck == {
        "type": "text",
        "text": "WARNING WITHDRAWN 87 · support-bot: A poisoned tool is at work in support-bot",
        "style": {"bold": True, "strike": True},
    }
    assert slack.replies(root) == ["withdrawn: it never held: records that came late disprove it"]


def test_the_next_episode_takes_the_message_over(slack: Workspace, soc: Sink) -> None:
    soc.write([alert(ID, thread="t")])
    soc.write([alert(OTHER, thread="t", title="again")])
    soc.write([alert(ID, 2, "final", thread="t", status="superseded")])
    (root,) = slack.roots
    assert root["text"] == "WARNING 87 · support-bot: again"
    assert slack.replies(root) == [
        "new: warning, priority 87",
        "superseded: another alert of this system covers it",
    ]


def test_a_message_that_somebody_deleted_is_written_anew(slack: Workspace, soc: Sink) -> None:
    soc.write([alert(ID)])
    slack.messages.clear()
    soc.write([alert(ID, 2, priority=88)])
    assert [root["text"][:10] for root in slack.roots] == ["WARNING 88"]


def test_hostile_texts_are_words(slack: Workspace, soc: Sink) -> None:
    mean = f"<!channel> <@U1> @here *b* `c` https://evil.example {HOSTILE}"
    texts_: dict[str, Any] = {
        "title": mean,
        "summary": mean * 50,
        "system": HOSTILE,
        "convergence": mean,
    }
    why = [{"term": mean, "value": 1, "weight": 1, "points": 1, "evidence": []}]
    assert soc.write([alert(ID, why=why * 9, **texts_)]) == Delivered(1)
    assert soc.write([alert(ID, 2, "withdrawn", why=why, **texts_)]) == Delivered(1)
    soc.write([alert(OTHER, title="<!here> & <https://evil.example|x>", thread="t")])
    withdrawn, short = slack.roots
    assert short["text"] == (
        "WARNING 87 · support-bot: &lt;!here&gt; &amp; &lt;hxxps[:]//evil[.]example|x&gt;"
    )
    for root in (withdrawn, short):
        assert b"https:" not in orjson.dumps(root)
        assert all(text.replace("\n", "").isprintable() for text in texts(root["blocks"]))


def test_the_oracle_finds_what_is_wrong() -> None:
    assert judged([{"type": "no_such_block"}]) == "invalid_blocks"
    long = {"type": "plain_text", "text": "x" * 151, "emoji": False}
    assert judged([{"type": "header", "text": long}]) == "invalid_blocks"
    marked = {"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>"}}
    assert judged([marked]) == "invalid_blocks"


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        *((one, "config") for one in ("invalid_auth", "not_authed", "token_revoked")),
        *((one, "config") for one in ("account_inactive", "missing_scope", "channel_not_found")),
        *((one, "config") for one in ("not_in_channel", "is_archived", "restricted_action")),
        *((one, "config") for one in ("ekm_access_denied", "some_error_of_tomorrow")),
        *((one, "reject") for one in ("msg_too_long", "no_text", "invalid_blocks")),
        *((one, "reject") for one in ("msg_blocks_too_long", "too_many_attachments")),
        *((one, "retry") for one in ("rate_limited", "ratelimited", "internal_error")),
        *((one, "retry") for one in ("fatal_error", "service_unavailable", "request_timeout")),
    ],
)
def test_an_error_of_the_api(slack: Workspace, soc: Sink, error: str, verdict: str) -> None:
    slack.errors = [error]
    delivered = soc.write([alert(ID)])
    reason = f"Slack refused it: {error}"
    if verdict == "reject":
        assert [one.reason for one in delivered.refused] == [reason]
    else:
        assert delivered == Delivered(0, problem=reason, misconfigured=verdict == "config")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200, b"ok"), "ok"),
        (Reply(200, b'{"ok":true}'), "ok"),
        (Reply(200, b"<html>a proxy's page"), "config"),
        (Reply(400, b"invalid_payload"), "reject"),
        (Reply(400, b"no_text"), "reject"),
        (Reply(400, b"too_many_attachments"), "reject"),
        (Reply(400, b"user_not_found"), "config"),
        (Reply(403, b"action_prohibited"), "config"),
        (Reply(403, b"invalid_token"), "config"),
        (Reply(404, b"channel_not_found"), "config"),
        (Reply(404, b"no_service"), "config"),
        (Reply(410, b"channel_is_archived"), "config"),
        (Reply(429, b"rate_limited", {"retry-after": "30"}), "retry"),
        (Reply(500, b"rollup_error"), "retry"),
        (Reply(503), "retry"),
    ],
)
def test_an_answer_of_a_webhook(sinks: Sinks, reply: Reply, expected: str) -> None:
    with Receiver(lambda _: reply) as receiver:
        delivered = hook(receiver, sinks).write([alert(ID)])
    assert verdict(delivered) == expected
    assert delivered.wait == (30.0 if reply.status == 429 else 0.0)
    told = str(delivered.problem) + "".join(one.reason for one in delivered.refused)
    assert "secret" not in told


def test_a_webhook_is_told_what_is_worth_a_message(
    receiver: Receiver, slack: Workspace, sinks: Sinks
) -> None:
    soc = hook(receiver, sinks)
    soc.write([alert(ID, 1, stage="watch", priority=40)])
    soc.write([alert(ID, 2, stage="watch", priority=41)])
    soc.write([alert(ID, 3, stage="warning", priority=41)])
    soc.write([alert(ID, 4, stage="watch", priority=41)])
    soc.write([alert(ID, 5, "final", priority=41, status="resolved")])
    assert [root["text"].partition(" · ")[0] for root in slack.roots] == [
        "WATCH 40",
        "WARNING 41",
        "WARNING RESOLVED 41",
    ]


def test_a_digest(receiver: Receiver, slack: Workspace, sinks: Sinks, tmp_path: Path) -> None:
    settings = Settings.model_validate(entry(receiver, digest="1h", link="https://b.example/{id}"))
    now = [1_767_268_800.0]
    made = connected(settings, tmp_path)
    memory = Memory(tmp_path / "s.sqlite")
    soc = sinks.kept(People(made.speaker, settings, memory, lambda: now[0]))
    low: dict[str, Any] = {"stage": "watch", "peak_stage": "watch"}
    soc.write([alert(f"{n:032}", title=f"{HOSTILE} {n}", **low) for n in range(25)])
    now[0] += 3600
    assert soc.flush() == Delivered(0)
    soc.write([alert(f"{n:032}", 2, "final", status="expired", **low) for n in range(25)])
    now[0] += 3600
    assert soc.flush() == Delivered(0)
    assert [root["text"] for root in slack.roots] == [
        "Barograph: 25 alerts with news",
        "Barograph: 25 over",
    ]
    assert "and 5 more: barograph query --name alerts\n" in texts(slack.roots[0]["blocks"])


def test_how_many_were_passed_over(receiver: Receiver, slack: Workspace, tmp_path: Path) -> None:
    speaker = connected(Settings.model_validate(entry(receiver)), tmp_path).speaker
    issue = Issue("k", (), 0, (), 0, 214, NOTE)
    assert speaker.gather(issue).verdict == speaker.gather(issue).verdict == "ok"
    speaker.rest()
    (root,) = slack.roots
    assert root["text"] == "Barograph: 214 alerts of the past"
    assert root["blocks"][1]["elements"][0]["elements"][0]["text"] == NOTE


def test_a_digest_is_shortened_until_it_fits(
    receiver: Receiver, slack: Workspace, sinks: Sinks, tmp_path: Path
) -> None:
    settings = Settings.model_validate(entry(receiver, digest="1h"))
    now = [1_767_268_800.0]
    speaker, memory = connected(settings, tmp_path).speaker, Memory(tmp_path / "s.sqlite")
    soc = sinks.kept(People(speaker, settings, memory, lambda: now[0]))
    low: dict[str, Any] = {"stage": "watch", "peak_stage": "watch", "title": "\u00fc" * 200}
    actions = [{"text": "\u00fc" * 300, "effect": "\u00fc" * 100}]
    soc.write([alert(f"{n:032}", actions=actions, **low) for n in range(45)])
    now[0] += 3600
    assert soc.flush() == Delivered(0)
    said = texts(slack.roots[0]["blocks"])
    assert sum(text.startswith("barograph explain") for text in said) == 10
    assert "and 35 more: barograph query --name alerts\n" in said


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "give the `url` of an incoming webhook, or `channel` and `secret`"),
        ({"channel": CHANNEL}, "a bot token as `secret` and the id of a `channel` go together"),
        ({"channel": "#soc", "secret": TOKEN}, "wrong 'channel'"),
        ({"channel": CHANNEL, "secret": "xoxb-a\r\nx: y"}, "a secret that is no token of Slack"),
        ({"url": "https://h.example/x", "link": "https://b.example/{name}"}, "a link may hold"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, settings: dict[str, object], why: str) -> None:
    with pytest.raises(Mistake, match=why):
        connect(AnySink.model_validate({"name": "soc", "kind": "slack"} | settings), tmp_path)


def test_what_was_said_unheard_is_not_said_again(
    receiver: Receiver, slack: Workspace, soc: Sink
) -> None:
    receiver.expect(["lost"])
    assert soc.write([alert(ID, 1, stage="watch")]).taken == 0
    assert soc.write([alert(ID, 1, stage="watch")]) == Delivered(1)
    receiver.expect(["fair", "lost"])
    assert soc.write([alert(ID, 2, stage="warning")]).taken == 0
    assert soc.write([alert(ID, 2, stage="warning")]) == Delivered(1)
    assert len(slack.messages) == 2
    assert slack.calls.count("conversations.history") == 1
    assert slack.calls.count("conversations.replies") == 1


def test_a_bot_that_may_not_read_says_it_twice(
    receiver: Receiver, slack: Workspace, soc: Sink
) -> None:
    slack.readable = False
    receiver.expect(["lost"])
    soc.write([alert(ID)])
    assert soc.write([alert(ID)]) == Delivered(1)
    assert len(slack.roots) == 2


def test_a_storm(receiver: Receiver, slack: Workspace, tmp_path: Path) -> None:
    results = news_storm(receiver, tmp_path, entry(receiver), every=10)
    assert [(root["text"].partition(" 87 ")[0], slack.replies(root)) for root in slack.roots] == [
        ("WARNING WITHDRAWN", [f"withdrawn: {_NEVER}"])
        if number % 5 == 0
        else ("WARNING RESOLVED", [f"resolved: {_TAKEN_BACK}"])
        if number % 3 == 0
        else ("WARNING", ["now warning, was outlook, priority 87"])
        for number in range(20)
    ]
    assert (tmp_path / "witness" / "alerts.jsonl").read_bytes().count(b"\n") == len(results)
