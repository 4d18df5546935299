"""Alertmanager: alerts to Prometheus Alertmanager, firing as long as they are open.

Guarantee: it shows what the alerts' newest revisions say. An alert fires under the same labels from
its first revision to its end; one whose stage or severity has changed fires under new labels, and
ends under the old ones.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import Field, field_validator

from schemas.rows import Result
from schemas.times import MINUTE, SECOND, Duration, rfc3339
from sinks.delivery.memory import Memory
from sinks.delivery.sending import in_chunks
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer, HttpSettings, Wire
from sinks.formats.envelope import standing
from sinks.formats.shortening import clipped

TARGET: Final = "/api/v2/alerts"
MOST: Final = 500  # alerts of one request
MOST_BYTES: Final = 2**20
HELD: Final = 5  # so many times `resend` an alert fires without a word of ours
ENDED: Final = 5 * MINUTE  # an ended alert is said again for so long: another Alertmanager may ask
_LABEL: Final = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
_TEXT: Final = 4000  # characters of an annotation
_OURS: Final = ("alertname", "alert_id", "system", "severity", "peak_stage")


class Settings(HttpSettings):
    """`url` is Alertmanager's, with its route prefix if it has one.

    `labels` are put on every alert. `resend`: how often what fires is said again; after five times
    as long without a word of ours Alertmanager takes it for resolved. With `username` the secret is
    a password, without it a bearer token.
    """

    labels: dict[str, str] = Field(default_factory=dict)
    resend: Duration = Field(default=MINUTE, ge=SECOND)
    username: str | None = None

    @field_validator("labels")
    @classmethod
    def _fits(cls, labels: dict[str, str]) -> dict[str, str]:
        wrong = sorted(name for name in labels if not re.fullmatch(_LABEL, name, re.ASCII))
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name of a label; use letters, digits and _")
        if taken := sorted(set(labels) & set(_OURS)):
            raise ValueError(f"the label {taken[0]!r} is ours; give yours another name")
        return labels


def connect(settings: Settings, folder: Path) -> Alertmanager:
    """The Alertmanager of these settings."""
    memory = Memory(folder / f"sink-{settings.name}.firing.sqlite")
    return Alertmanager(settings, Wire(settings), memory)


class Alertmanager:
    """One Alertmanager. `memory` holds what fires and what has ended lately, by the alert's id.

    A value is the newest revision that was said and the sets of labels under which it was said:
    the last is the present one, the others have ended.
    """

    kinds = frozenset(("alert",))
    local = False

    def __init__(
        self,
        settings: Settings,
        wire: Wire,
        memory: Memory,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._wire, self._memory, self._clock = settings, wire, memory, clock
        self._headers = {"content-type": "application/json"} | _login(settings)
        self._target = wire.target.rstrip("/").removesuffix(TARGET) + TARGET
        self._held: dict[str, dict[str, Any]] = {}
        self._due = 0  # when what fires is to be said again

    def open(self, bookmark: Any) -> None:  # noqa: ANN401, ARG002 - JSON; `memory` has it all
        """Know again what fires."""
        self._held = self._memory.beginning("")

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Send what changed; a revision that was said before changes nothing."""
        news: dict[str, dict[str, Any]] = {}
        values: list[dict[str, Any]] = []

        def encode(result: Result) -> bytes:
            known = news.get(result.id) or self._held.get(result.id)
            value, said = self._told(result, known)
            news[result.id] = value
            values.append(value)
            return b",".join(orjson.dumps(self._shown(one)) for one in said)

        delivered = in_chunks(batch, encode, self._post, most=MOST, most_bytes=MOST_BYTES)
        refused = {id(one.result) for one in delivered.refused}
        pairs = list(zip(batch, values, strict=True))[: delivered.taken]
        self._keep({one.id: value for one, value in pairs if id(one) not in refused})
        if delivered.problem is None:
            self._say_again()
        return delivered

    def flush(self) -> None:
        """Say again what fires, before it is taken for resolved; then hang up."""
        self._say_again()
        self._wire.close()

    def close(self) -> None:
        """Hang up."""
        self._wire.close()
        self._memory.close()

    def _say_again(self) -> None:
        """Where it is due: all that fires, and what ended lately. A failure waits for its turn."""
        now = self._now()
        if now < self._due:
            return
        self._due = now + self._settings.resend
        gone = [id_ for id_, value in self._held.items() if not _lately(value, now)]
        self._memory.forget(gone)
        for id_ in gone:
            del self._held[id_]
        said = [one for value in self._held.values() for one in _lately(value, now)]
        for start in range(0, len(said), MOST):
            body = [orjson.dumps(self._shown(one)) for one in said[start : start + MOST]]
            if self._post(body).verdict not in ("ok", "reject"):
                return

    def _told(
        self, result: Result, known: dict[str, Any] | None
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """What to keep of the alert, and what to send of that."""
        revision = result.body["meta"]["revision"]
        if known is not None and known["revision"] >= revision:
            return known, []
        now = self._now()
        ended = None if standing(result) == "open" else now
        present = self._present(result) | {"ended": ended}
        former = (
            [one for one in known["sets"] if one["labels"] != present["labels"]] if known else []
        )
        left = [one | {"ended": now} for one in former if one["ended"] is None]
        rest = [one for one in former if one["ended"] is not None]
        return {"revision": revision, "sets": [*rest, *left, present]}, [*left, present]

    def _present(self, result: Result) -> dict[str, Any]:
        """Labels say which alert it is and where it goes: nothing that moves with each revision."""
        body = result.body
        labels = self._settings.labels | {
            "alertname": body["convergence"],
            "alert_id": result.id,
            "system": body["system"],
            "severity": body["severity"],
            "peak_stage": body["peak_stage"],
        }
        annotations = {
            "summary": body["title"],
            "description": body["summary"],
            "status": standing(result),
            "stage": body["stage"],
            "priority": str(body["priority"]),
            "confidence": str(body["confidence"]),
            "revision": str(body["meta"]["revision"]),
            "thread": body["thread"],
        }
        if actions := body.get("actions"):
            annotations["action"] = actions[0]["text"]
        if steps := body.get("next"):
            annotations["next"] = f"{steps[0]['technique']} {steps[0]['name']}"
        return {
            "labels": labels,
            "annotations": {name: clipped(text, _TEXT) for name, text in annotations.items()},
            "startsAt": body["onset_time"],
        }

    def _shown(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """As Alertmanager wants it: what fires ends unless we say it again."""
        ends = one["ended"] or self._now() + HELD * self._settings.resend
        shown = {name: one[name] for name in ("labels", "annotations", "startsAt")}
        return shown | {"endsAt": max(rfc3339(ends), one["startsAt"])}

    def _post(self, alerts: Sequence[bytes]) -> Answer:
        said = [one for one in alerts if one]
        if not said:
            return Answer("ok")
        return self._wire.send(b"[" + b",".join(said) + b"]", self._headers, target=self._target)

    def _keep(self, values: Mapping[str, dict[str, Any]]) -> None:
        self._memory.put(values)
        self._held.update(values)

    def _now(self) -> int:
        return int(self._clock() * SECOND)


def _lately(value: Mapping[str, Any], now: int) -> list[dict[str, Any]]:
    """The sets of an alert that fire or ended lately; none when all is over."""
    return [one for one in value["sets"] if one["ended"] is None or one["ended"] > now - ENDED]


def _login(settings: Settings) -> dict[str, str]:
    if settings.secret is None:
        return {}
    secret = settings.secret.get_secret_value()
    if settings.username is None:
        return {"authorization": f"Bearer {secret}"}
    pair = base64.b64encode(f"{settings.username}:{secret}".encode()).decode()
    return {"authorization": f"Basic {pair}"}
