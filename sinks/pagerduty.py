"""PagerDuty: an incident per thread of alerts, opened and closed by Events API v2.

Guarantee: each event arrives at least once and in order; `dedup_key` is the thread, so a copy joins
the incident that is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import orjson
from pydantic import Field

from schemas.alert import Stage
from schemas.errors import Mistake
from schemas.event import Level
from schemas.rows import Result
from schemas.times import DAY, Duration
from sinks.delivery.digest import Issue
from sinks.delivery.memory import Memory
from sinks.delivery.news import News, Said, change, closed
from sinks.delivery.people import Link, People, PeopleSettings
from sinks.delivery.wire import Answer, HttpSettings, Wire
from sinks.formats import words

URL: Final = "https://events.pagerduty.com/v2/enqueue"
KEY_LENGTH: Final = 32
MOST_BYTES: Final = 512 * 1024  # of an event
SEVERITY: Final[dict[Level, Literal["critical", "error", "warning", "info"]]] = {
    "critical": "critical",
    "high": "error",
    "medium": "warning",
    "low": "info",
    "informational": "info",
}


class Settings(HttpSettings):
    """`secret` is the integration key of a service. Unless told otherwise only warnings wake.

    In the EU `url` is https://events.eu.pagerduty.com/v2/enqueue. `link`: where an alert can be
    looked at, with {id}, {thread} and {system} in it. `past` as for every sink for people.
    """

    url: str = URL
    stages: tuple[Stage, ...] = ("warning",)
    link: Link | None = None
    past: Duration = Field(default=DAY, ge=0)


def connect(settings: Settings, folder: Path) -> People:
    """The service of these settings."""
    key = "" if settings.secret is None else settings.secret.get_secret_value()
    if len(key) != KEY_LENGTH or not key.isalnum():
        raise Mistake(
            f"sink {settings.name!r} needs the integration key of a service as its secret:"
            f" {KEY_LENGTH} letters and digits, under Integrations > Events API v2"
        )
    memory = Memory(folder / f"sink-{settings.name}.said.sqlite")
    at_once = PeopleSettings(name=settings.name, kind=settings.kind, past=settings.past)
    return People(PagerDuty(Wire(settings), key, settings.link, memory), at_once, memory)


class PagerDuty:
    """One service."""

    def __init__(self, wire: Wire, key: str, link: str | None, memory: Memory) -> None:
        self._wire, self._key, self._link, self._memory = wire, key, link, memory

    def tell(self, result: Result, what: News | None, before: Said | None) -> Answer:
        """Trigger for what is worse, resolve when nothing of the thread is open any more."""
        thread = str(result.body["thread"])
        key = f"open:{thread}"
        alive: list[str] = [one for one in self._memory.get(key) or () if one != result.id]
        event = {"routing_key": self._key, "dedup_key": thread}
        if closed(result):
            if alive:  # another episode of the same thread
                self._memory.put({key: alive})
                return Answer("ok")
            answer = self._post(event | {"event_action": "resolve"})
        elif what in ("opened", "raised", "risen"):
            alive.append(result.id)
            self._memory.put({key: alive})  # first: a kill must not have it closed too early
            answer = self._post(event | trigger(result, change(result, what, before), self._link))
        else:
            return Answer("ok")  # an incident's severity and summary cannot be changed
        if answer.verdict == "ok" and not alive:
            self._memory.forget([key])
        return answer

    def gather(self, issue: Issue) -> Answer:  # noqa: ARG002 - who is woken is woken at once
        """Nothing waits here, and nobody is woken to hear what was passed over."""
        return Answer("ok")

    def rest(self) -> None:
        """Hang up."""
        self._wire.close()

    def _post(self, event: dict[str, Any]) -> Answer:
        answer = self._wire.send(orjson.dumps(event), {"content-type": "application/json"})
        if answer.status == 400 and b"routing_key" in answer.body:
            return answer._replace(verdict="config", reason=self._hidden(answer.reason))
        if answer.verdict == "ok" and answer.status != 202:
            return answer._replace(verdict="config", reason=f"{self._wire.place} is no PagerDuty")
        return answer._replace(reason=self._hidden(answer.reason))

    def _hidden(self, reason: str) -> str:
        return reason.replace(self._key, "[integration key]")


def trigger(result: Result, line: str, link: str | None) -> dict[str, Any]:
    """The event of an alert that is open. Its texts are bounded: a hundredth of what is taken."""
    body = result.body
    told = words.words(body, result.state, link)
    details: dict[str, Any] = {
        "change": line,
        "summary": told.summary,
        "why": list(told.why),
        "next": list(told.next),
        "actions": list(told.actions),
        "times": told.times,
        "look further": list(told.commands),
        "priority": body["priority"],
        "confidence": body["confidence"],
        "id": result.id,
        "revision": body["meta"]["revision"],
    }
    event: dict[str, Any] = {
        "event_action": "trigger",
        "client": "Barograph",
        "payload": {
            "summary": told.headline,
            "source": words.inert(body["system"], 255) or "unknown",
            "severity": SEVERITY[body["severity"]],
            "timestamp": body["last_time"],
            "component": words.inert(body["system"], 255),
            "group": words.inert(body["convergence"], 255),
            "class": body["stage"],
            "custom_details": details,
        },
    }
    if told.link is not None:
        event |= {"client_url": told.link, "links": [{"href": told.link, "text": "The alert"}]}
    return event
