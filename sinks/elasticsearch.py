"""Elasticsearch and OpenSearch: alerts in ECS, into a data stream or an index.

Guarantee: a revision of an alert is in the stream once, its id is `<alert>-<revision>`; an index
has one document per alert, its newest revision. A copy changes nothing.
"""

from __future__ import annotations

import base64
import gzip
import importlib.resources
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import orjson
from pydantic import Field, model_validator

from schemas.rows import Result
from sinks.delivery.sending import in_chunks, stopped
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer, HttpSettings, Wire
from sinks.formats.ecs import document
from sinks.formats.shortening import shortened

_NAME: Final = r"^[a-z0-9][a-z0-9._-]{0,199}$"
_ANSWER: Final = 8 * 2**20  # bytes: one status and at most one reason for each alert of a request
_FILTER: Final = (
    "?filter_path=error,items.*.status,items.*.error.type,items.*.error.reason"
    ",items.*.error.caused_by.reason"
)
_QUOTED: Final = 300  # characters of each of its reasons
# What is too large for the room or the speed of a node (0: no answer) is so on the next try too.
_TOO_MUCH: Final = frozenset((0, 429))
_BUSY: Final = frozenset((408, 425, 429))
_APPEND_ONLY: Final = "only write ops with an op_type of create"
_BLOCKED: Final = frozenset(  # it is the target that takes nothing, not this alert that is wrong
    ("index_closed_exception", "cluster_block_exception", "security_exception")
)


class Settings(HttpSettings):
    """`url` is that of the cluster; `secret` an API key, or the password of `username`.

    `stream`: the data stream that gets every revision; `index`: an index instead, that has one
    document per alert. `template`: put the index template of the target before the first alert.
    A request has at most `batch` alerts and `batch_bytes` before it is compressed.
    """

    stream: str = Field(default="logs-barograph.alerts-default", pattern=_NAME)
    index: str | None = Field(default=None, pattern=_NAME)
    template: bool = True
    username: str | None = None
    batch: int = Field(default=1000, gt=0, le=10_000)
    batch_bytes: int = Field(default=5 * 2**20, ge=65_536, le=100 * 2**20)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.index is not None and "stream" in self.model_fields_set:
            raise ValueError("it has a stream and an index; give one of them")
        if self.username is not None and self.secret is None:
            raise ValueError("username needs its password as secret")
        return self


def connect(settings: Settings, folder: Path) -> Elasticsearch:  # noqa: ARG001 - a sink without files
    """The target that these settings describe."""
    return Elasticsearch(settings, Wire(settings, most=_ANSWER))


class Elasticsearch:
    """One stream or index of one cluster."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._settings, self._wire = settings, wire
        self._target = settings.index or settings.stream
        self._above = wire.target.partition("?")[0].rstrip("/")
        self._headers = {"content-type": "application/json", **_login(settings)}
        self._prepared = not settings.template
        self._most = settings.batch

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing to restore: the target knows what it has by id and revision."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Send the batch in a few requests; the template goes before the first one."""
        if not self._prepared and batch:
            answer = self._prepare()
            if answer.verdict != "ok":
                return stopped(0, (), answer)
            self._prepared = True
        now = batch if self._most == self._settings.batch else batch[: self._most]
        most, most_bytes = self._settings.batch, self._settings.batch_bytes
        return in_chunks(now, self._line, self._send, most=most, most_bytes=most_bytes)

    def flush(self) -> None:
        """Nothing waits: hang up."""
        self._wire.close()

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def _prepare(self) -> Answer:
        """Put the template, in the words of the product that answers."""
        told = self._ask("GET", "/")
        if told.verdict in ("retry", "config"):
            return told
        version: Any = told.told().get("version")
        if not isinstance(version, dict):
            return _stranger(told)
        opensearch = ("distribution", "opensearch") in version.items()
        name = "opensearch.json" if opensearch else "elasticsearch.json"
        file = importlib.resources.files("sinks") / "templates" / name
        template = orjson.loads(file.read_bytes())
        template["index_patterns"] = [self._target]
        if self._settings.index is not None:
            del template["data_stream"]
        place = f"/_index_template/barograph-{self._target}"
        answer = self._ask("PUT", place, orjson.dumps(template))
        if answer.verdict in ("reject", "config"):
            mend = f"{answer.reason}; it may not put its index template, see template = false"
            return answer._replace(verdict="config", reason=mend)
        return answer

    def _ask(self, method: str, place: str, body: bytes = b"") -> Answer:
        return self._wire.send(body, self._headers, method=method, target=self._above + place)

    def _line(self, result: Result) -> bytes:
        """The action and the document of one alert, each with its line's end."""

        def told(result: Result, cut: tuple[str, ...]) -> bytes:
            body = {**result.body, "shortened": list(cut)}
            return orjson.dumps(document(body), option=orjson.OPT_APPEND_NEWLINE)

        line = shortened(result, told, self._settings.batch_bytes - 1024)
        revision = result.body["meta"]["revision"]
        if self._settings.index is None:
            action: dict[str, Any] = {"create": {"_id": f"{result.id}-{revision}"}}
        else:
            external = {"version": revision, "version_type": "external"}
            action = {"index": {"_id": result.id, **external}}
        return orjson.dumps(action, option=orjson.OPT_APPEND_NEWLINE) + line

    def _send(self, lines: Sequence[bytes]) -> Answer | Sequence[Answer]:
        """The answer to a request as a whole, else one for each of its alerts."""
        answer = self._wire.send(
            gzip.compress(b"".join(lines), 5, mtime=0),
            {**self._headers, "content-type": "application/x-ndjson", "content-encoding": "gzip"},
            target=f"{self._above}/{self._target}/_bulk{_FILTER}",
        )
        if answer.status in _TOO_MUCH:
            self._most = max(1, len(lines) // 2)
        else:
            self._most = min(2 * self._most, self._settings.batch)
        if answer.verdict == "reject":  # it is about the request; of an alert it speaks in `items`
            return answer._replace(verdict="config")
        if answer.verdict != "ok":
            return answer
        outcomes = _outcomes(answer.told().get("items"))
        if len(outcomes) != len(lines):
            return _stranger(answer)
        return [self._judged(*outcome) for outcome in outcomes]

    def _judged(self, status: int, kind: str, told: str) -> Answer:
        """What became of one alert."""
        reason = f"{self._wire.place} answered for {self._target}: {status}"
        reason += f": {kind}: {told}" if kind else ""
        if 200 <= status < 300 or kind == "version_conflict_engine_exception":
            return Answer("ok", status=status)  # in a conflict it has this revision, or a newer one
        if status in _BUSY or status >= 500:
            return Answer("retry", reason, status=status)
        if status == 404:
            mend = "; make it, or have it made: template = true and action.auto_create_index"
            return Answer("config", reason + mend, status=status)
        if kind == "illegal_argument_exception" and told.startswith(_APPEND_ONLY):
            mend = "; it is a data stream: name it as stream, not as index"
            return Answer("config", reason + mend, status=status)
        if status in (401, 403) or kind in _BLOCKED:
            return Answer("config", reason, status=status)
        return Answer("reject", reason, status=status)


def _outcomes(items: Any) -> list[tuple[int, str, str]]:  # noqa: ANN401 - JSON
    """Status, kind of error and its words, for each item of a bulk answer; of any other, none."""
    found: list[tuple[int, str, str]] = []
    try:
        for item in items:
            (outcome,) = item.values()
            error = outcome.get("error", {})
            said = (error.get("reason"), error.get("caused_by", {}).get("reason"))
            words = ": ".join(str(part)[:_QUOTED] for part in said if part)
            found.append((int(outcome["status"]), str(error.get("type", "")), words))
    except (AttributeError, KeyError, TypeError, ValueError):
        return []
    return found


def _login(settings: Settings) -> dict[str, str]:
    if settings.secret is None:
        return {}
    secret = settings.secret.get_secret_value()
    if settings.username is None:
        return {"authorization": f"ApiKey {secret}"}
    pair = f"{settings.username}:{secret}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _stranger(answer: Answer) -> Answer:
    why = "; that is not how Elasticsearch or OpenSearch answer: give the url of the cluster"
    return answer._replace(verdict="config", reason=answer.reason + why)
