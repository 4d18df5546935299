"""Microsoft Sentinel: alerts as rows of a custom table, by the Logs Ingestion API.

Guarantee: each revision at least once and in order. The table keeps all of them: the present state
of an alert is its row with the greatest `Revision`, and a copy has the same one.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from pydantic import Field

from schemas.errors import Mistake
from schemas.rows import Result
from sinks.delivery.bearer import Bearer, Grant
from sinks.delivery.sending import in_chunks
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer, HttpSettings, Wire
from sinks.formats.log_analytics import row
from sinks.formats.shortening import shortened

API: Final = "2023-01-01"
MOST: Final = 5_000  # rows of a call
MOST_BYTES: Final = 1_000_000  # of a call before it is packed: 1 MB is the limit
MOST_TOKEN: Final = 64 * 2**10
# Codes of a 400 that say nothing of the rows: the rule or its stream is another.
_OF_SETTINGS: Final = frozenset(("InvalidStream", "InvalidDcrImmutableId", "InvalidApiVersion"))


class Settings(HttpSettings):
    """`url` is the logs ingestion endpoint of the rule, or of a data collection endpoint.

    `rule` is the rule's immutable id, `stream` what it declares. `tenant` and `client` are ids of
    Entra, `secret` is the client's; the client needs the role Monitoring Metrics Publisher on the
    rule. `login` and `scope` differ in sovereign clouds.
    """

    rule: str = Field(pattern=r"^dcr-[0-9a-f]{32}$")
    stream: str = Field(default="Custom-Barograph_CL", pattern=r"^[A-Za-z0-9_-]{1,128}$")
    tenant: str = Field(pattern=r"^[A-Za-z0-9.-]{1,128}$")
    client: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    login: str = "https://login.microsoftonline.com"
    scope: str = "https://monitor.azure.com//.default"


def connect(settings: Settings, folder: Path) -> Sentinel:  # noqa: ARG001 - a sink without files
    """The table behind these settings."""
    return Sentinel(settings)


class Sentinel:
    """One stream of one rule."""

    kinds = frozenset(("alert",))
    local = False

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """A Mistake if there is no secret, or an address cannot be used."""
        if settings.secret is None:
            raise Mistake(
                f"sink {settings.name!r} has no secret; give that of the client"
                f" {settings.client!r}, by environment or file"
            )
        self._wire = Wire(settings)
        url = f"{settings.login.rstrip('/')}/{settings.tenant}/oauth2/v2.0/token"
        self._login = Wire(settings.model_copy(update={"url": url}), most=MOST_TOKEN)
        self._asked = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": settings.client,
                "client_secret": settings.secret.get_secret_value(),
                "scope": settings.scope,
            }
        ).encode()
        path = self._wire.target.rstrip("/")
        self._target = (
            f"{path}/dataCollectionRules/{settings.rule}/streams/{quote(settings.stream)}"
            f"?api-version={API}"
        )
        self._clock = clock
        self._bearer = Bearer(self._grant, clock)

    def open(self, bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """Nothing to restore."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Send calls of many rows."""
        return in_chunks(batch, _encoded, self._post, most=MOST, most_bytes=MOST_BYTES - 2)

    def flush(self) -> None:
        """Nothing waits: hang up."""
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._wire.close()
        self._login.close()

    def _post(self, rows: Sequence[bytes]) -> Answer:
        body = gzip.compress(b"[" + b"".join(rows)[:-1] + b"]", 6, mtime=0)

        def request(token: str) -> Answer:
            headers = {
                "authorization": f"Bearer {token}",
                "content-type": "application/json",
                "content-encoding": "gzip",
            }
            return self._judged(self._wire.send(body, headers, target=self._target))

        return self._bearer.send(request)

    def _judged(self, answer: Answer) -> Answer:
        if answer.verdict == "ok" and answer.status != 204:
            why = f"{self._wire.place} answered {answer.status}, and rows are taken with 204 only"
            return answer._replace(verdict="config", reason=why)
        if answer.status == 400 and _code(answer) in _OF_SETTINGS:
            return answer._replace(verdict="config")
        return answer

    def _grant(self) -> Grant | Answer:
        """A token of Entra by client credentials."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = self._login.send(self._asked, headers)
        if answer.verdict == "reject":  # an id or the secret is wrong, or the secret has run out
            return answer._replace(verdict="config")
        if answer.verdict != "ok":
            return answer
        try:
            said = orjson.loads(answer.body)
            return Grant(str(said["access_token"]), self._clock() + float(said["expires_in"]))
        except (KeyError, TypeError, ValueError):
            why = f"{self._login.place} answered without a token; is it the login host?"
            return answer._replace(verdict="config", reason=why)


def _encoded(result: Result) -> bytes:
    """A row and its comma."""

    def encoded(one: Result, cut: tuple[str, ...]) -> bytes:
        return orjson.dumps(row(one, cut)) + b","

    return shortened(result, encoded, MOST_BYTES - 2)


def _code(answer: Answer) -> str:
    """The code of an error, in the body or beside it."""
    for name, value in answer.headers.items():
        if name.lower() == "x-ms-error-code":
            return value
    try:
        return str(orjson.loads(answer.body)["error"]["code"])
    except (KeyError, TypeError, ValueError):
        return ""
