"""OTLP: alerts as log records to an OpenTelemetry collector, or whoever takes OTLP over HTTP.

Guarantee: each revision at least once and in order. `log.record.uid` is the alert's id and
revision, so whoever drops a record that it has seen has effectively once.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs, ScopeLogs
from pydantic import Field

from schemas.errors import Mistake
from schemas.rows import Result
from sinks.delivery.sending import in_chunks
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer, HttpSettings, Wire
from sinks.formats.ocsf import detection_finding
from sinks.formats.otel import record, resource, scope
from sinks.formats.shortening import shortened

MOST: Final = 500  # records of a request
MOST_ANSWER: Final = 64 * 2**10  # bytes: the message of a partial success may be long
RETRIED: Final = frozenset((429, 502, 503, 504))  # by the specification these, and no other
_TYPES: Final = {"protobuf": "application/x-protobuf", "json": "application/json"}


class Settings(HttpSettings):
    """`url` is the collector's, with the path (`/v1/logs`).

    `encoding` of the requests. `format`: the body of a record is a line of text, the whole alert,
    or a Detection Finding of OCSF 1.8. `secret` is the value of the header `header`, for receivers
    that ask for one. `request_bytes`: the most of a request before it is packed.
    """

    encoding: Literal["protobuf", "json"] = "protobuf"
    format: Literal["text", "alert", "ocsf"] = "text"
    header: str = Field(default="authorization", pattern=r"^[A-Za-z0-9-]{1,64}$")
    request_bytes: int = Field(default=4 * 2**20, ge=2**14, le=64 * 2**20)


def connect(settings: Settings, folder: Path) -> Otlp:  # noqa: ARG001 - a sink without files
    """The receiver of these settings."""
    if settings.secret is not None:
        value = settings.secret.get_secret_value()
        if not value.isprintable() or not value.isascii():
            raise Mistake(
                f"sink {settings.name!r} has a secret that is no header; give the whole value of"
                f" {settings.header!r} in one line of ASCII"
            )
    return Otlp(Wire(settings, most=MOST_ANSWER), settings)


class Otlp:
    """One receiver."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(self, wire: Wire, settings: Settings) -> None:
        self._wire = wire
        self._encoding: Literal["protobuf", "json"] = settings.encoding
        self._format: Literal["text", "alert", "ocsf"] = settings.format
        # JSON is larger than the protobuf that is counted.
        self._most_bytes = settings.request_bytes // (4 if settings.encoding == "json" else 1)
        self._headers = {"content-type": _TYPES[settings.encoding], "content-encoding": "gzip"}
        if settings.secret is not None:
            self._headers[settings.header.lower()] = settings.secret.get_secret_value()

    def open(self, bookmark: object) -> None:
        """Nothing to restore."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Send requests of many records."""
        return in_chunks(batch, self._encoded, self._post, most=MOST, most_bytes=self._most_bytes)

    def flush(self) -> None:
        """Nothing waits: hang up."""
        self._wire.close()

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def _encoded(self, result: Result) -> bytes:
        """A ScopeLogs of one record: in protobuf, messages that follow each other are one."""
        return shortened(result, self._one, self._most_bytes)

    def _one(self, result: Result, cut: tuple[str, ...]) -> bytes:
        content: object
        match self._format:
            case "text":
                body = result.body
                content = f"{body['stage']}: {body['title']}. {body['summary']}"
            case "alert":
                content = result.body
            case "ocsf":
                content = detection_finding(result.body, cut)
        return ScopeLogs(log_records=[record(result, content, cut)]).SerializeToString()

    def _post(self, encoded: Sequence[bytes]) -> Answer:
        logs = ScopeLogs.FromString(
            b"".join((ScopeLogs(scope=scope()).SerializeToString(), *encoded))
        )
        request = ExportLogsServiceRequest(
            resource_logs=[ResourceLogs(resource=resource(), scope_logs=[logs])]
        )
        if self._encoding == "json":
            body = json_format.MessageToJson(
                request, indent=None, use_integers_for_enums=True, ensure_ascii=False
            ).encode()
        else:
            body = request.SerializeToString()
        answer = self._wire.send(gzip.compress(body, 6, mtime=0), self._headers)
        return self._judged(answer, len(encoded))

    def _judged(self, answer: Answer, records: int) -> Answer:
        """A partial success says how many were refused, not which: none of them may come again."""
        if answer.verdict == "retry" and answer.status not in {0, *RETRIED}:
            return answer._replace(verdict="reject")
        if answer.verdict != "ok":
            return answer
        try:
            partial = self._response(answer.body).partial_success
        except (DecodeError, json_format.ParseError, UnicodeDecodeError):
            why = f"{self._wire.place} answered with something that is not OTLP; is it the path?"
            return answer._replace(verdict="config", reason=why)
        if partial.rejected_log_records > 0:
            few = min(partial.rejected_log_records, records)
            why = f"{self._wire.place} refused {few} of {records} records of a request"
            said = partial.error_message[:200]
            return answer._replace(verdict="refused", reason=f"{why}: {said}" if said else why)
        return answer

    def _response(self, body: bytes) -> ExportLogsServiceResponse:
        if self._encoding == "protobuf":
            return ExportLogsServiceResponse.FromString(body)
        response = ExportLogsServiceResponse()
        return json_format.Parse(body or b"{}", response, ignore_unknown_fields=True)
