"""Wire: one HTTP receiver and what its answers mean, for every sink that speaks HTTP.

Certificates are verified, always; redirects are not followed: the alert would go where nobody
decided to send it.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import SplitResult, urlsplit

import orjson
from pydantic import Field

from schemas.errors import Mistake
from schemas.times import SECOND, Duration
from sinks.delivery.routing import AlertSettings

MAX_ANSWER = 4096  # bytes of an answer that are read, unless a sink has to understand all of it
_QUOTED = 200  # characters of it in the reason of a dead letter

Verdict = Literal["ok", "retry", "reject", "refused", "split", "config"]


class Answer(NamedTuple):
    """What became of one request.

    ok: taken. retry: comes again. reject: this record never will be taken. refused: some of them
    were not taken, nobody knows which, and none may come again. split: too much at once. config: a
    person has to do something. `wait`: the seconds that the receiver asked for; `status` 0: there
    was no answer. `at`: the place in the request of the record that is rejected, if known.
    """

    verdict: Verdict
    reason: str = ""
    wait: float = 0.0
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    at: int | None = None

    def told(self) -> dict[str, Any]:
        """The JSON object that came; empty if none did."""
        try:
            said = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return cast("dict[str, Any]", said) if isinstance(said, dict) else {}


class HttpSettings(AlertSettings):
    """A receiver of HTTP.

    `ca`: a PEM file of who may sign its certificate, instead of the system's; `certificate` and
    `key`: PEM files with which we log in by TLS. `proxy`: `http://host:port`, where it is needed.
    """

    url: str
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    proxy: str | None = None
    timeout: Duration = Field(default=10 * SECOND, gt=0)


def judged(status: int, reason: str, wait: float) -> Answer:
    """What a status means unless a sink knows better."""
    match status:
        case _ if 200 <= status < 300:
            return Answer("ok", status=status)
        case 408 | 425 | 429:
            return Answer("retry", reason, wait, status)
        case 413:
            return Answer("split", reason, status=status)
        case _ if 300 <= status < 400 or status in (401, 403, 404, 405, 407, 410):
            return Answer("config", reason, status=status)
        case _ if 400 <= status < 500:
            return Answer("reject", reason, status=status)
        case _:
            return Answer("retry", reason, wait, status)


class Wire:
    """One connection, kept from request to request and made anew when it breaks. One thread."""

    def __init__(
        self,
        settings: HttpSettings,
        *,
        most: int = MAX_ANSWER,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A Mistake if the settings cannot be used. `most`: bytes of an answer that are read."""
        url = urlsplit(settings.url)
        if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc:
            raise Mistake(
                f"sink {settings.name!r} has no usable url; give it one like"
                " https://receiver.example/hook"
            )
        port = f":{url.port}" if url.port else ""
        self.place = f"{url.scheme}://{url.hostname}{port}{url.path}"  # no credentials, no query
        self.target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._most, self._clock = most, clock
        self._connection = _connection(settings, url)

    def send(
        self,
        body: bytes,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        target: str | None = None,
    ) -> Answer:
        """One request; `target` replaces path and query of the URL. Never raises for a receiver."""
        told = {"user-agent": "barograph"} | dict(headers)
        try:
            self._connection.request(method, target or self.target, body, told)
            response = self._connection.getresponse()
            text = response.read(self._most)
            if not response.isclosed():  # more than we read: the connection cannot be used again
                self._connection.close()
        except ssl.SSLCertVerificationError as error:
            self._connection.close()
            why = f"{self.place} has a certificate that is not trusted: {error.verify_message}"
            return Answer("config", why, status=0)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            why = f"{self.place} cannot be reached: {str(error) or type(error).__name__}"
            return Answer("retry", why, status=0)
        said = text.decode(errors="replace").strip()
        credential = told.get("authorization", "").rpartition(" ")[2]
        if credential:  # who repeats it to us does not make us repeat it to others
            said = said.replace(credential, "[secret]")
        said = said[:_QUOTED]
        reason = f"{self.place} answered {response.status} {response.reason}"
        reason += f": {said}" if said else ""
        wait = self._asked(response.headers.get("retry-after"))
        answer = judged(response.status, reason, wait)
        return answer._replace(reason=reason, body=text, headers=dict(response.headers))

    def close(self) -> None:
        """Hang up: before the receiver does it in the middle of the next request."""
        self._connection.close()

    def _asked(self, retry_after: str | None) -> float:
        """Seconds of a Retry-After header: a number or a date; 0 where it is neither."""
        if retry_after is None:
            return 0.0
        if retry_after.strip().isdecimal():
            return float(retry_after)
        try:
            moment = parsedate_to_datetime(retry_after)
        except ValueError:
            return 0.0
        if moment.tzinfo is None:
            return 0.0
        return max(0.0, moment.timestamp() - self._clock())


def trust(name: str, ca: str | None, certificate: str | None, key: str | None) -> ssl.SSLContext:
    """How a client of the sink `name` trusts and is trusted. A Mistake if a file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(file for file in (ca, certificate, key) if file)
        raise Mistake(
            f"sink {name!r} cannot use {files}: {error.strerror or error}; give PEM files"
        ) from None
    return context


def _connection(settings: HttpSettings, url: SplitResult) -> http.client.HTTPConnection:
    context = trust(settings.name, settings.ca, settings.certificate, settings.key)
    host, timeout = url.hostname or "", settings.timeout / SECOND
    if settings.proxy is None:
        if url.scheme == "https":
            return http.client.HTTPSConnection(host, url.port, timeout=timeout, context=context)
        return http.client.HTTPConnection(host, url.port, timeout=timeout)
    proxy = urlsplit(settings.proxy)
    if proxy.scheme != "http" or not proxy.hostname or url.scheme != "https":
        raise Mistake(
            f"sink {settings.name!r} has a proxy that cannot be used; give http://host:port, and an"
            " https receiver"
        )
    through = http.client.HTTPSConnection(
        proxy.hostname, proxy.port, timeout=timeout, context=context
    )
    through.set_tunnel(host, url.port)
    return through
