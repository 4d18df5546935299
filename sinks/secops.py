"""Google SecOps: alerts as UDM events or as raw logs, by the Chronicle API.

Guarantee: each revision at least once and in order; a copy has the same `productLogId`. The
present state of an alert is its newest revision.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self

import orjson
from pydantic import Field, model_validator

from schemas.rows import Result
from sinks.delivery.bearer import Bearer
from sinks.delivery.google import Login
from sinks.delivery.sending import in_chunks
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer, HttpSettings, Wire
from sinks.formats.envelope import envelope
from sinks.formats.shortening import shortened
from sinks.formats.udm import event

MOST: Final = 1_000  # events of a request
MOST_BYTES: Final = 4_000_000  # of a request: 4 MB is the limit
_ID: Final = r"^[A-Za-z0-9_.:-]{1,128}$"


class Settings(HttpSettings):
    """`url` is the regional endpoint; `project`, `region` and `instance` name the instance.

    `format` raw sends the alert as it is, as a log of `log_type`, through `forwarder` if it has
    one. `secret` is the key file of a service account, or the configuration file of workload
    identity, whole; without it the machine's own identity logs in. It needs `chronicle.events.
    import`, for raw `chronicle.logs.import`.
    """

    project: str = Field(pattern=_ID)
    region: str = Field(pattern=_ID)
    instance: str = Field(pattern=_ID)
    format: Literal["udm", "raw"] = "udm"
    log_type: str | None = Field(default=None, pattern=_ID)
    forwarder: str | None = Field(default=None, pattern=_ID)
    api: Literal["v1", "v1beta", "v1alpha"] = "v1"

    @model_validator(mode="after")
    def _raw_has_a_type(self) -> Self:
        if (self.format == "raw") != (self.log_type is not None):
            raise ValueError("log_type is what raw logs have: give both, or neither")
        if self.forwarder is not None and self.format != "raw":
            raise ValueError("only raw logs have a forwarder")
        return self


def connect(settings: Settings, folder: Path) -> SecOps:  # noqa: ARG001 - a sink without files
    """The instance of these settings."""
    return SecOps(settings)


class SecOps:
    """One instance."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """A Mistake if google-auth is missing, or the secret is no credentials."""
        self._settings = settings
        self._wire = Wire(settings)
        parent = (
            f"{self._wire.target.rstrip('/')}/{settings.api}/projects/{settings.project}"
            f"/locations/{settings.region}/instances/{settings.instance}"
        )
        if settings.format == "udm":
            self._target = f"{parent}/events:import"
            self._frame = (b'{"inlineSource":{"events":[', b"]}}")
        else:
            self._target = f"{parent}/logTypes/{settings.log_type}/logs:import"
            source = b"{"
            if settings.forwarder is not None:
                name = parent.split("/", 2)[-1] + f"/forwarders/{settings.forwarder}"
                source += b'"forwarder":' + orjson.dumps(name) + b","
            self._frame = (b'{"inlineSource":' + source + b'"logs":[', b"]}}")
        self._room = MOST_BYTES - len(self._frame[0]) - len(self._frame[1])
        self._bearer = Bearer(Login(settings, clock), clock)

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing to restore."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Send requests of many events."""
        return in_chunks(batch, self._encoded, self._post, most=MOST, most_bytes=self._room)

    def flush(self) -> None:
        """Nothing waits: hang up."""
        self._wire.close()

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def _encoded(self, result: Result) -> bytes:
        """An event or a log, and its comma."""
        said = self._udm if self._settings.format == "udm" else self._raw
        return shortened(result, said, self._room)

    def _udm(self, result: Result, cut: tuple[str, ...]) -> bytes:
        return orjson.dumps({"udm": event(result, cut)}) + b","

    def _raw(self, result: Result, cut: tuple[str, ...]) -> bytes:
        data = base64.b64encode(orjson.dumps(envelope(result, cut))).decode()
        said = result.body["meta"]["emitted"]
        return orjson.dumps({"data": data, "logEntryTime": said, "collectionTime": said}) + b","

    def _post(self, some: Sequence[bytes]) -> Answer:
        begin, end = self._frame
        body = begin + b"".join(some)[:-1] + end

        def request(token: str) -> Answer:
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            return self._judged(self._wire.send(body, headers, target=self._target))

        return self._bearer.send(request)

    def _judged(self, answer: Answer) -> Answer:
        """A success is an empty object; whatever else answers 200 took nothing."""
        if answer.verdict == "ok":
            try:
                taken = isinstance(orjson.loads(answer.body or b"{}"), dict)
            except orjson.JSONDecodeError:
                taken = False
            if not taken:
                why = f"{self._wire.place} answered with something that is not the Chronicle API's"
                return answer._replace(verdict="config", reason=why)
        return answer
