"""Google: access tokens by a service account, workload identity, or the machine's own identity."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# google-auth says no types of most that it takes and gives.

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol, cast

import orjson

from schemas.errors import Mistake
from schemas.times import SECOND
from sinks.delivery.bearer import Grant
from sinks.delivery.wire import Answer, HttpSettings

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_UNSAID: Final = 300.0  # seconds that a token is taken to be good for, if nobody says


class _Credentials(Protocol):
    """What is used of the credentials of google-auth."""

    token: str | None
    expiry: datetime | None

    def refresh(self, request: object) -> None:
        """Ask for a token."""
        ...


class Login:
    """Asks for tokens; the way goes by the authorities, the proxy and the patience of the sink."""

    def __init__(self, settings: HttpSettings, clock: Callable[[], float] = time.time) -> None:
        """A Mistake if google-auth is missing, or the secret is no credentials of Google."""
        try:
            import google.auth.transport.requests as _  # noqa: F401, PLC0415 - an extra
        except ImportError:
            raise Mistake(
                f"sink {settings.name!r} needs google-auth; install it with"
                " `pip install 'barograph[gcp]'`"
            ) from None
        self._settings, self._clock = settings, clock
        self._credentials = _given(settings)

    def __call__(self) -> Grant | Answer:
        """A token, or why there is none."""
        import requests  # noqa: PLC0415 - comes with the extra
        from google.auth import exceptions  # noqa: PLC0415 - an extra

        try:
            with requests.Session() as session:
                self._refresh(session)
        except exceptions.GoogleAuthError as error:
            transport = isinstance(error, exceptions.TransportError)
            passing = transport or bool(getattr(error, "retryable", False))
            why = f"no token from Google: {_sentence(error)}"
            return Answer("retry" if passing else "config", why, status=0)
        except (TypeError, ValueError):  # of google-auth, where the answer is no JSON object
            return Answer("config", "no token from Google: somebody else answered", status=0)
        found = self._credentials
        if found is None or found.token is None:
            return Answer("config", "no token from Google: the login gave none", status=0)
        if found.expiry is None:
            return Grant(found.token, self._clock() + _UNSAID)
        return Grant(found.token, found.expiry.replace(tzinfo=UTC).timestamp())

    def _refresh(self, session: Any) -> None:  # noqa: ANN401 - of requests
        from google.auth.transport.requests import Request  # noqa: PLC0415 - an extra

        settings = self._settings
        if settings.ca is not None:
            session.verify = settings.ca
        if settings.proxy is not None:
            session.proxies = {"https": settings.proxy}
        ask = cast("Callable[..., object]", Request(session))

        def patient(*words: object, **named: object) -> object:
            return ask(*words, **(named | {"timeout": settings.timeout / SECOND}))

        if self._credentials is None:
            self._credentials = _own(patient)
        self._credentials.refresh(patient)


def _given(settings: HttpSettings) -> _Credentials | None:
    """Those of the secret."""
    if settings.secret is None:
        return None
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - an extra

    try:
        return _read(orjson.loads(settings.secret.get_secret_value()))
    except (GoogleAuthError, AttributeError, KeyError, TypeError, ValueError):
        raise Mistake(
            f"sink {settings.name!r} has a secret that is no credentials of Google; give the whole"
            " JSON of a service account's key, or of workload identity by a file, an address or AWS"
        ) from None


def _read(info: dict[str, Any]) -> _Credentials:
    """Named kinds only: google-auth knows others, and one of them runs a program."""
    from google.auth import aws, identity_pool  # noqa: PLC0415 - an extra
    from google.oauth2 import service_account  # noqa: PLC0415 - an extra

    load: Any
    if info["type"] == "service_account":
        load = service_account.Credentials.from_service_account_info
    elif info["type"] != "external_account":
        raise ValueError(info["type"])
    elif str(info["credential_source"].get("environment_id", "")).startswith("aws"):
        load = aws.Credentials.from_info
    else:
        load = identity_pool.Credentials.from_info
    found: _Credentials = load(info, scopes=[SCOPE])
    return found


def _own(request: object) -> _Credentials:
    """Those that the machine has: by GOOGLE_APPLICATION_CREDENTIALS, or its metadata server."""
    from google.auth import default  # noqa: PLC0415 - an extra

    load: Any = default
    found: _Credentials = load(scopes=[SCOPE], request=request)[0]
    return found


def _sentence(error: Exception) -> str:
    told = str(error.args[0] if error.args else "") or type(error).__name__
    return told.splitlines()[0][:200]
