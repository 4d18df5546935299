"""Slack: one message per thread of alerts, kept up to date; what changed goes into its thread.

Guarantee: each news arrives at least once and in order. With a bot token that may read the channel
it is looked up before it is said again, so once; with an incoming webhook a kill, or an answer that
was lost, shows a message twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self, cast
from urllib.parse import urlencode, urlsplit

import orjson
from pydantic import Field, model_validator

from schemas.errors import Mistake
from schemas.rows import Result
from sinks.delivery.digest import Issue
from sinks.delivery.memory import Memory
from sinks.delivery.news import LOUD, News, Said, change
from sinks.delivery.people import People, PeopleSettings
from sinks.delivery.wire import Answer, HttpSettings, Wire
from sinks.formats import block_kit, words

API: Final = "https://slack.com/api"
MOST_BLOCKS: Final = 12_000  # bytes of all blocks of a message; Slack takes 13,200 characters
HISTORY: Final = 2**20  # bytes of a channel's newest messages that are read
BEFORE: Final = 60  # seconds by which our clock may be ahead of Slack's
_TRYING: Final = "trying"
_LATER: Final = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "rollup_error",
    }
)
_CONTENT: Final = frozenset(
    {
        "msg_too_long",
        "msg_blocks_too_long",
        "no_text",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_payload",
        "too_many_attachments",
        "metadata_too_large",
        "invalid_metadata_format",
        "invalid_metadata_schema",
    }
)
_GONE: Final = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "cannot_reply_to_message",
    }
)


class Settings(HttpSettings, PeopleSettings):
    """With `channel`, `secret` is a bot token (`xoxb-`); without, `url` is an incoming webhook.

    A webhook's URL is a secret: BAROGRAPH_SINK__<n>__URL_FILE reads it from a file.
    """

    url: str = API
    channel: str | None = Field(default=None, pattern=r"^[CGD][A-Z0-9]{6,20}$")

    @model_validator(mode="after")
    def _way(self) -> Self:
        if (self.channel is None) != (self.secret is None):
            raise ValueError("a bot token as `secret` and the id of a `channel` go together")
        if self.channel is None and self.url == API:
            raise ValueError("give the `url` of an incoming webhook, or `channel` and `secret`")
        return self


def connect(settings: Settings, folder: Path) -> People:
    """The channel of these settings."""
    memory = Memory(folder / f"sink-{settings.name}.said.sqlite")
    wire = Wire(settings, most=HISTORY)
    if settings.channel is None or settings.secret is None:
        place = urlsplit(settings.url)
        wire.place = f"{place.scheme}://{place.hostname}"  # who knows the path may post
        return People(Hook(wire, settings.link), settings, memory)
    token = settings.secret.get_secret_value()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Mistake(f"sink {settings.name!r} has a secret that is no token of Slack (`xoxb-`)")
    return People(Channel(wire, token, settings.channel, settings.link, memory), settings, memory)


class Hook:
    """An incoming webhook: new messages only."""

    def __init__(self, wire: Wire, link: str | None) -> None:
        self._wire, self._link = wire, link

    def tell(self, result: Result, what: News | None, before: Said | None) -> Answer:
        """A message for what is worth one."""
        if what not in LOUD:
            return Answer("ok")
        return self._post(_message(result, self._link, change(result, what, before)))

    def gather(self, issue: Issue) -> Answer:
        """One message."""
        return self._post(_digest(issue))

    def rest(self) -> None:
        """Hang up."""
        self._wire.close()

    def _post(self, message: Mapping[str, Any]) -> Answer:
        answer = self._wire.send(orjson.dumps(message), {"content-type": "application/json"})
        said = answer.body.decode(errors="replace").strip()
        if answer.verdict != "ok":
            return _reworded(answer, said) if said in _CONTENT | _LATER else _hooked(answer)
        if said == "ok" or _parsed(answer).get("ok") is True:
            return answer
        return _reworded(answer, str(_parsed(answer).get("error", said)))


class Channel:
    """A channel in which a bot may write (`chat:write`) and, to say nothing twice, read."""

    def __init__(
        self,
        wire: Wire,
        token: str,
        channel: str,
        link: str | None,
        memory: Memory,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._wire, self._channel, self._link = wire, channel, link
        self._memory, self._clock = memory, clock
        self._path = wire.target.rstrip("/")
        self._headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/json; charset=utf-8",
        }

    def tell(self, result: Result, what: News | None, before: Said | None) -> Answer:
        """Change the thread's message, then say in its thread what changed."""
        key = f"thread:{result.body['thread']}"
        root = self._memory.get(key)
        shown = _message(result, self._link)
        if root is not None and (root["id"] == result.id or what == "opened"):
            answer = self._call("chat.update", {"ts": root["ts"], **shown})
            if answer.verdict != "ok":
                if _parsed(answer).get("error") not in _GONE:
                    return answer
                root = None
            elif root["id"] != result.id:
                self._memory.put({key: {"id": result.id, "ts": root["ts"]}})
        post = f"{result.id}-{result.body['meta']['revision']}"
        if root is None:
            answer = self._post(shown, post)
            if answer.verdict == "ok":
                ts = _parsed(answer)["ts"]
                self._memory.put({key: {"id": result.id, "ts": ts, "post": post}})
            return answer
        if what is None or root.get("post") == post:
            return Answer("ok")
        line = change(result, what, before)
        reply = {
            "thread_ts": root["ts"],
            "reply_broadcast": what in ("opened", "raised", "risen"),  # what is worth a look now
            **_worded(line, block_kit.change(line)),
        }
        return self._post(reply, f"{post}-{what}")

    def gather(self, issue: Issue) -> Answer:
        """One message."""
        return self._post(_digest(issue), issue.key)

    def rest(self) -> None:
        """Hang up."""
        self._wire.close()

    def _post(self, message: Mapping[str, Any], key: str) -> Answer:
        """Say it, unless it was said and we did not hear so."""
        trying = self._memory.get(_TRYING)
        if trying is not None and trying["key"] == key:
            found = self._found(key, message.get("thread_ts"), trying["since"])
            if found is not None:
                return found
        self._memory.put({_TRYING: {"key": key, "since": self._clock() - BEFORE}})
        metadata = {"event_type": "barograph_said", "event_payload": {"key": key}}
        answer = self._call("chat.postMessage", {**message, "metadata": metadata})
        if answer.status == 429:
            self._memory.forget([_TRYING])
        return answer

    def _found(self, key: str, thread: str | None, since: float) -> Answer | None:
        """The message of this key if it is there, an error if that cannot be said now."""
        asked = {
            "channel": self._channel,
            "oldest": f"{since:.6f}",
            "limit": 100,
            "include_all_metadata": "true",
        }
        method = "conversations.history" if thread is None else "conversations.replies"
        query = urlencode(asked | ({} if thread is None else {"ts": thread}))
        answer = self._judged(
            self._wire.send(
                b"", self._headers, method="GET", target=f"{self._path}/{method}?{query}"
            )
        )
        if answer.verdict == "retry":
            return answer
        for message in _parsed(answer).get("messages", ()):
            payload = message.get("metadata", {}).get("event_payload", {})
            if payload.get("key") == key:
                return answer._replace(body=orjson.dumps({"ok": True, "ts": message["ts"]}))
        return None  # not there, or the bot may not look: then it is said, perhaps twice

    def _call(self, method: str, message: Mapping[str, Any]) -> Answer:
        body = orjson.dumps({"channel": self._channel, **message})
        return self._judged(self._wire.send(body, self._headers, target=f"{self._path}/{method}"))

    def _judged(self, answer: Answer) -> Answer:
        """Slack says 200 to nearly everything; what it thinks stands in `ok` and `error`."""
        if answer.verdict != "ok":
            return answer
        said = _parsed(answer)
        if said.get("ok") is True:
            return answer
        return _reworded(answer, str(said.get("error", "an answer that is not Slack's")))


def _message(result: Result, link: str | None, line: str = "") -> dict[str, Any]:
    told = words.words(result.body, result.state, link)
    over = words.ending(result.body, result.state)
    blocks = block_kit.alert(told, over, struck=result.state == "withdrawn")
    return _worded(f"{told.headline} ({line})" if line else told.headline, blocks)


def _digest(issue: Issue) -> dict[str, Any]:
    fits = issue.fitted(lambda one: len(orjson.dumps(block_kit.digest(one))), MOST_BLOCKS)
    return _worded(f"Barograph: {issue.title}", block_kit.digest(fits))


def _worded(line: str, blocks: list[block_kit.Block]) -> dict[str, Any]:
    return {
        "text": block_kit.fallback(line),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _parsed(answer: Answer) -> dict[str, Any]:
    try:
        said: object = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}


def _hooked(answer: Answer) -> Answer:
    """A 400 that is not about the message is about the webhook."""
    return answer._replace(verdict="config") if answer.status == 400 else answer


def _reworded(answer: Answer, error: str) -> Answer:
    verdict: Literal["retry", "reject", "config"] = "config"
    if error in _LATER:
        verdict = "retry"
    elif error in _CONTENT:
        verdict = "reject"
    return answer._replace(verdict=verdict, reason=f"Slack refused it: {error[:100]}")
