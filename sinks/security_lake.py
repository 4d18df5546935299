"""Security Lake: alerts as Parquet files of OCSF in S3, laid out as Amazon Security Lake has it.

Guarantee: each revision is in the lake once, at the latest `interval` after it was said. A revision
counts as taken when its object is in S3, and waits in the outbox until then: nothing is kept here.
An object is named by the first revision in it. What a kill leaves between an upload and the cursor
comes again from there, and writes the same object again, with the same revisions and maybe more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, cast
from urllib.parse import urlsplit

from pydantic import Field

from schemas.canonical import digest
from schemas.errors import Mistake
from schemas.rows import Result
from schemas.times import DAY, MINUTE, SECOND, Duration, parse
from sinks.delivery.courier import BATCH
from sinks.delivery.routing import AlertSettings
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import trust
from sinks.formats.ocsf import detection_finding
from sinks.formats.ocsf_parquet import parquet

LOOK: Final = 30.0  # seconds at most between two looks at what waits: it may be enough by then
# The rest is what a person has to mend: a bucket, a region, a permission, a key.
_PASSING: Final = frozenset(
    (
        "InternalError",
        "OperationAborted",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    )
)


class Settings(AlertSettings):
    """`s3://<bucket>/ext/<source>/region=<region>/accountId=<account>/eventDay=<day>/`.

    A file is written when its first revision is `interval` old, or `rows` wait. `endpoint`: where
    S3 is, if it is not Amazon's. Credentials come as boto3 finds them.
    """

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    source: str = Field(default="barograph", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    region: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    account: str = Field(pattern=r"^\d{12}$")
    interval: Duration = Field(default=5 * MINUTE, ge=0, le=DAY)
    rows: int = Field(default=BATCH, ge=1, le=BATCH)
    endpoint: str | None = None
    ca: str | None = None
    timeout: Duration = Field(default=30 * SECOND, gt=0)


class Objects(Protocol):
    """What is used of boto3's client of S3."""

    def put_object(self, **said: object) -> object:
        """Put one object."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Failed(NamedTuple):
    """Why an object is not in S3; `passing`: it may be later, without anybody's help."""

    reason: str
    passing: bool


def connect(settings: Settings, folder: Path) -> SecurityLake:  # noqa: ARG001 - without files
    """The lake of these settings. A Mistake if boto3 is not there."""
    try:
        import boto3  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise Mistake(
            f"sink {settings.name!r} needs boto3; install it with `pip install 'barograph[s3]'`"
        ) from None
    if settings.endpoint is not None:
        url = urlsplit(settings.endpoint)
        if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc:
            raise Mistake(
                f"sink {settings.name!r} has no usable endpoint; give one like https://s3.example,"
                " or none for Amazon's"
            )
    if settings.ca is not None:
        trust(settings.name, settings.ca, None, None)
    return SecurityLake(settings)


class SecurityLake:
    """One lake."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = settings, clock
        self._objects: Objects | None = None

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing to restore: what is not in S3 is in the outbox."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Write the files that are due; the rest waits to be given again."""
        taken = 0
        while taken < len(batch):
            rows = self._file(batch[taken:])
            wait = self._wait(rows)
            if wait > 0:
                return Delivered(taken, wait=min(wait, LOOK))
            failed = self._put(rows)
            if failed is not None:
                return Delivered(taken, problem=failed.reason, misconfigured=not failed.passing)
            taken += len(rows)
        return Delivered(taken)

    def flush(self) -> None:
        """Nothing to publish: a file is whole when it is there."""

    def close(self) -> None:
        """Hang up."""
        if self._objects is not None:
            self._objects.close()
            self._objects = None

    def _file(self, waiting: Sequence[Result]) -> Sequence[Result]:
        """The results of the next file: of one day, and not more than fit."""
        _, day = next(groupby(waiting[: self._settings.rows], _day))
        return list(day)

    def _wait(self, rows: Sequence[Result]) -> float:
        """Seconds until a file of these is due."""
        if len(rows) == self._settings.rows:
            return 0.0
        age = self._clock() - _said(rows[0]) / SECOND
        return self._settings.interval / SECOND - age

    def _put(self, rows: Sequence[Result]) -> Failed | None:
        from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
            BotoCoreError,
            ClientError,
        )

        settings = self._settings
        key = (
            f"ext/{settings.source}/region={settings.region}/accountId={settings.account}"
            f"/eventDay={_day(rows[0])}/{_name(rows[0])}.parquet"
        )
        place = f"s3://{settings.bucket}/{key}"
        body = parquet([detection_finding(row.body) for row in rows])
        try:
            if self._objects is None:
                self._objects = _client(settings)
            self._objects.put_object(
                Bucket=settings.bucket,
                Key=key,
                Body=body,
                ContentType="application/vnd.apache.parquet",
            )
        except ClientError as error:
            return _answered(place, cast("dict[str, Any]", error.response))
        except BotoCoreError as error:
            return Failed(f"{place} cannot be written: {error}", _passes(error))
        return None


def _client(settings: Settings) -> Objects:
    import boto3  # noqa: PLC0415 - an extra
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    seconds = settings.timeout / SECOND
    config = Config(
        connect_timeout=seconds,
        read_timeout=seconds,
        retries={"total_max_attempts": 1},  # trying again is the courier's work
        s3={"addressing_style": "auto" if settings.endpoint is None else "path"},
    )
    session = boto3.Session()  # of this sink: the shared one keeps what it found at first
    make = cast("Callable[..., Objects]", session.client)  # pyright: ignore[reportUnknownMemberType]
    return make(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.endpoint,
        verify=settings.ca,
        config=config,
    )


def _answered(place: str, response: dict[str, Any]) -> Failed:
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    message = str(response.get("Error", {}).get("Message", ""))[:200]
    passing = code in _PASSING or status == 429 or status >= 500
    return Failed(f"{place} was refused: {status} {code}: {message}", passing)


def _passes(error: Exception) -> bool:
    """A connection comes back; credentials and certificates do not by themselves."""
    from botocore import exceptions  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    passing = (
        exceptions.ConnectionError,
        exceptions.CredentialRetrievalError,
        exceptions.HTTPClientError,
    )
    return isinstance(error, passing) and not isinstance(error, exceptions.SSLError)


def _said(result: Result) -> int:
    """When it was said, in microseconds: as the event has it."""
    return parse(result.body["meta"].get("emitted") or result.body["last_time"])


def _day(result: Result) -> str:
    return datetime.fromtimestamp(_said(result) // SECOND, UTC).strftime("%Y%m%d")


def _name(result: Result) -> str:
    """Of what begins the file, and of nothing else: see above."""
    return digest("security_lake", result.id, result.body["meta"]["revision"])
