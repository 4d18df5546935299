"""A mail server, aiosmtpd, that answers as a test says and keeps what it takes."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "obviously not a password"  # noqa: S105 - it says so


class Post:
    """`says` are answers to what comes next, by command, "" for good ones; then all is well."""

    def __init__(
        self, tls: ssl.SSLContext | None = None, *, starttls: bool = False, login: bool = False
    ) -> None:
        """`tls`: from the first byte, or behind `starttls`, which it then asks for."""
        self.letters: list[tuple[list[str], EmailMessage]] = []
        self.says: dict[str, list[str]] = {}
        self.users: list[bytes] = []
        self.taken: Callable[[int], object] = lambda _: None
        self.port = 0
        self._first = None if starttls else tls
        self._options: dict[str, Any] = {"hostname": "mail.example"}
        if starttls:
            self._options |= {"tls_context": tls, "require_starttls": True}
        if login:
            self._options |= {"authenticator": self._login, "auth_required": True}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._served(), self._loop).result()
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._ended(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _served(self) -> asyncio.Server:
        loop = self._loop
        return await loop.create_server(
            lambda: SMTP(self, loop=loop, **self._options), "127.0.0.1", 0, ssl=self._first
        )

    async def _ended(self) -> None:
        """Nobody new, and nobody any more."""
        self._server.close()
        tasks = asyncio.all_tasks() - {cast("Any", asyncio.current_task())}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what they left to be closed is

    def _said(self, command: str) -> str:
        waiting = self.says.get(command)
        return waiting.pop(0) if waiting else ""

    def _login(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        """Who sends."""
        envelope.mail_from = address
        return self._said("MAIL") or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        """Who gets it."""
        refused = self._said("RCPT") or self._said(f"RCPT {address}")
        if not refused:
            envelope.rcpt_tos.append(address)
        return refused or "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """What it is."""
        refused = self._said("DATA")
        if refused:
            return refused
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=POLICY)
        self.letters.append((list(envelope.rcpt_tos), letter))
        self.taken(len(self.letters))
        return "250 OK"
