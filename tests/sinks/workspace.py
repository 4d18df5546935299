"""A workspace of Slack as its documentation has it, strict in what it takes.

Oracle of payloads: the models of slack_sdk; what they do not know, or would write otherwise, is
`invalid_blocks`.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from tests.sinks.receiving import Reply, Request

TOKEN = "xoxb-obviously-not-a-token"  # noqa: S105 - it says so
CHANNEL = "C0EXAMPLE01"
KNOWN = {
    *("channel", "text", "blocks", "unfurl_links", "unfurl_media", "metadata", "ts"),
    *("thread_ts", "reply_broadcast"),
}


class Workspace:
    """One channel. `errors` are given to the next requests of chat.*, then all is well."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.errors: list[str] = []
        self.readable = True

    def answer(self, request: Request) -> Reply:
        """The Web API below /api, an incoming webhook at /services/."""
        url = urlsplit(request.path)
        if url.path.startswith("/services/"):
            error = self._post(orjson.loads(request.body), self._ts())
            return Reply(200, b"ok") if error is None else Reply(400, error.encode())
        self.calls.append(url.path.removeprefix("/api/"))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _said(error="invalid_auth")
        match self.calls[-1]:
            case "chat.postMessage" | "chat.update":
                return self._changed(self.calls[-1], orjson.loads(request.body))
            case "conversations.history" | "conversations.replies" if request.method == "GET":
                return self._listed({name: value[0] for name, value in parse_qs(url.query).items()})
            case _:
                return _said(error="unknown_method")

    @property
    def roots(self) -> list[dict[str, Any]]:
        """The messages of the channel."""
        return [one for one in self.messages.values() if "thread_ts" not in one]

    def replies(self, root: dict[str, Any]) -> list[str]:
        """The texts in the thread of a message."""
        return [one["text"] for one in self.messages.values() if one.get("thread_ts") == root["ts"]]

    def _changed(self, method: str, message: dict[str, Any]) -> Reply:
        if self.errors:
            return _said(error=self.errors.pop(0))
        if message.pop("channel") != CHANNEL:
            return _said(error="channel_not_found")
        ts = message.get("ts", "") if method == "chat.update" else self._ts()
        if method == "chat.update":
            if ts not in self.messages:
                return _said(error="message_not_found")
            message = {k: v for k, v in self.messages[ts].items() if k != "blocks"} | message
        elif "thread_ts" in message and message["thread_ts"] not in self.messages:
            return _said(error="thread_not_found")
        error = self._post(message, ts)
        return _said(error=error) if error else _said(ts=ts, channel=CHANNEL)

    def _post(self, message: dict[str, Any], ts: str) -> str | None:
        if set(message) - KNOWN:
            return "invalid_arguments"
        if not message.get("text"):
            return "no_text"
        if re.search(r"[<>]|&(?!amp;|lt;|gt;)", message["text"]):
            return "invalid_payload"  # not Slack's word: an unescaped text could mention somebody
        if len(message["text"]) > 40_000:
            return "msg_too_long"
        error = judged(message["blocks"])
        if error is None:
            self.messages[ts] = message | {"ts": ts}
        return error

    def _listed(self, query: dict[str, str]) -> Reply:
        if not self.readable:
            return _said(error="missing_scope")
        if query["channel"] != CHANNEL or query["include_all_metadata"] != "true":
            return _said(error="channel_not_found")
        root = query.get("ts")
        found = [
            {name: one[name] for name in ("ts", "text", "metadata") if name in one}
            for one in self.messages.values()
            if one.get("thread_ts") == root
        ]
        return _said(messages=found[: int(query["limit"])], has_more=False)

    def _ts(self) -> str:
        return f"1767268800.{len(self.messages):06}"


def judged(blocks: list[dict[str, Any]]) -> str | None:
    """What Slack would say of these blocks; None is that they are good."""
    if not 0 < len(blocks) <= 50:
        return "invalid_blocks"
    if len(orjson.dumps(blocks)) > 13_200:
        return "msg_blocks_too_long"
    for block in blocks:
        parsed = Block.parse(block)
        if parsed is None:
            return "invalid_blocks"
        try:
            parsed.validate_json()
        except SlackObjectFormationError:
            return "invalid_blocks"
        if parsed.to_dict() != block:
            return "invalid_blocks"
    return None if all(map(_literal, blocks)) else "invalid_blocks"


def _literal(value: Any) -> bool:  # noqa: ANN401 - JSON
    """No text is read as markup, and none is longer than Slack takes."""
    if isinstance(value, list):
        return all(map(_literal, value))
    if not isinstance(value, dict):
        return True
    kind = value.get("type")
    if kind in ("mrkdwn", "user", "usergroup", "broadcast", "channel"):
        return False
    limit = 150 if kind == "header" else 3000
    text = value.get("text")
    if isinstance(text, dict) and len(text["text"].encode("utf-16-le")) > 2 * limit:
        return False
    return all(map(_literal, value.values()))


def _said(error: str | None = None, **more: object) -> Reply:
    return Reply(200, orjson.dumps({"ok": error is None, "error": error} | more))
