"""Teams: an Adaptive Card for what is worth a message, by the webhook of a workflow.

Guarantee: each news arrives at least once and in order. A webhook can neither change nor look up a
card: a kill, or an answer that was lost, shows a card twice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from schemas.rows import Result
from sinks.delivery.digest import Issue
from sinks.delivery.memory import Memory
from sinks.delivery.news import LOUD, News, Said, change
from sinks.delivery.people import People, PeopleSettings
from sinks.delivery.wire import Answer, HttpSettings, Wire
from sinks.formats import adaptive_card, words

MOST_BYTES: Final = 28 * 1024  # of a message, and Teams may count two for a character
_CHARSET: Final = "application/json; charset=utf-8"


class Settings(HttpSettings, PeopleSettings):
    """`url` is that of a workflow "When a Teams webhook request is received".

    Who knows it may post: BAROGRAPH_SINK__<n>__URL_FILE reads it from a file.
    """


def connect(settings: Settings, folder: Path) -> People:
    """The chat or channel behind this webhook."""
    wire = Wire(settings)
    wire.place = f"{urlsplit(settings.url).scheme}://{urlsplit(settings.url).hostname}"
    memory = Memory(folder / f"sink-{settings.name}.said.sqlite")
    return People(Teams(wire, settings.link), settings, memory)


class Teams:
    """One webhook."""

    def __init__(self, wire: Wire, link: str | None) -> None:
        self._wire, self._link = wire, link

    def tell(self, result: Result, what: News | None, before: Said | None) -> Answer:
        """A card for what is worth one."""
        if what not in LOUD:
            return Answer("ok")
        told = words.words(result.body, result.state, self._link)
        line = change(result, what, before)
        over = words.ending(result.body, result.state)
        struck = result.state == "withdrawn"
        card = adaptive_card.alert(told, result.body["stage"], line, over, struck=struck)
        return self._post(card)

    def gather(self, issue: Issue) -> Answer:
        """One card."""
        return self._post(
            adaptive_card.digest(
                issue.fitted(lambda one: _size(adaptive_card.digest(one)), MOST_BYTES)
            )
        )

    def rest(self) -> None:
        """Hang up."""
        self._wire.close()

    def _post(self, card: dict[str, Any]) -> Answer:
        body = orjson.dumps(adaptive_card.message(card))
        answer = self._wire.send(body, {"content-type": _CHARSET})
        if answer.status == 400 and b"WorkflowTriggerIsNotEnabled" in answer.body:
            return answer._replace(verdict="config", reason="the workflow in Teams is turned off")
        return answer


def _size(card: dict[str, Any]) -> int:
    return len(orjson.dumps(adaptive_card.message(card)).decode().encode("utf-16-le"))
