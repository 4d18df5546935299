"""E-mail: a letter for what is worth one, by SMTP with TLS; letters of a thread lie together.

Guarantee: each news arrives at least once and in order, at each recipient; `Message-ID` is the
alert's id and revision, so a mailbox that knows it drops a copy.
"""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable, Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from schemas.errors import Mistake
from schemas.rows import Result
from schemas.times import SECOND, Duration
from sinks.delivery.digest import Issue
from sinks.delivery.memory import Memory
from sinks.delivery.news import LOUD, News, Said, change
from sinks.delivery.people import People, PeopleSettings
from sinks.delivery.wire import Answer, trust
from sinks.formats import letter, words
from sinks.formats.letter import Letter

Security = Literal["starttls", "tls", "none"]
PORTS: Final[Mapping[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}
_LEFT: Final = "left"  # recipients that a letter has not reached yet


def _address(text: str) -> str:
    try:
        address = Address(addr_spec=text)
    except ValueError:
        address = Address()
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "<>(),;:\\[]')
    if not plain or not address.username or not address.domain:
        raise ValueError("an address is like soc@corp.example, without a name")
    return text


Mailbox = Annotated[str, AfterValidator(_address)]


class Settings(PeopleSettings):
    """`secret` is the password of `username`. TLS is the rule: `tls` on a port of its own.

    `none` is for a relay on this machine; nobody logs in without TLS. `ca`: a PEM file of who may
    sign the server's certificate, instead of the system's.
    """

    host: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$")
    port: int | None = Field(default=None, gt=0, le=65535)
    security: Security = "starttls"
    username: str | None = None
    sender: Mailbox
    to: tuple[Mailbox, ...] = Field(min_length=1, max_length=100)
    ca: str | None = None
    timeout: Duration = Field(default=10 * SECOND, gt=0)


def connect(settings: Settings, folder: Path) -> People:
    """The mail server of these settings."""
    if (settings.username is None) != (settings.secret is None):
        raise Mistake(f"sink {settings.name!r} needs both a username and a secret, or neither")
    if settings.username is not None and settings.security == "none":
        raise Mistake(f"sink {settings.name!r} would send its password in clear; use starttls")
    context = trust(settings.name, settings.ca, None, None)
    memory = Memory(folder / f"sink-{settings.name}.said.sqlite")
    return People(Mail(Server(settings, context), settings, memory), settings, memory)


class Server:
    """One SMTP session, kept from letter to letter."""

    def __init__(self, settings: Settings, context: ssl.SSLContext) -> None:
        self._settings, self._context = settings, context
        self._session: smtplib.SMTP | None = None
        self.place = f"{settings.host}:{settings.port or PORTS[settings.security]}"

    def send(self, to: list[str], message: bytes) -> dict[str, tuple[int, bytes]]:
        """Send it; returns who was refused. Raises what smtplib raises."""
        if self._session is None:
            self._session = self._begun()
        return self._session.sendmail(self._settings.sender, to, message)

    def close(self, *, politely: bool = True) -> None:
        """End the session."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            if politely:
                session.quit()
        except (OSError, smtplib.SMTPException):
            politely = False  # it is over either way
        finally:
            session.close()

    def _begun(self) -> smtplib.SMTP:
        settings = self._settings
        port, own = settings.port or PORTS[settings.security], settings.sender.partition("@")[2]
        seconds = settings.timeout / SECOND
        if settings.security == "tls":
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, port, own, timeout=seconds, context=self._context
            )
        else:
            session = smtplib.SMTP(settings.host, port, own, timeout=seconds)
        try:
            if settings.security == "starttls":
                session.starttls(context=self._context)
            if settings.username is not None and settings.secret is not None:
                session.login(settings.username, settings.secret.get_secret_value())
        except BaseException:
            session.close()
            raise
        return session


class Mail:
    """Letters to a few people."""

    def __init__(
        self,
        server: Server,
        settings: Settings,
        memory: Memory,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._server, self._settings, self._memory, self._clock = server, settings, memory, clock
        self._domain = settings.sender.partition("@")[2]

    def tell(self, result: Result, what: News | None, before: Said | None) -> Answer:
        """A letter for what is worth one."""
        if what not in LOUD:
            return Answer("ok")
        body = result.body
        told = words.words(body, result.state, self._settings.link)
        over, struck = words.ending(body, result.state), result.state == "withdrawn"
        message = self._message(
            letter.alert(told, change(result, what, before), over, struck=struck),
            f"{result.id}-{body['meta']['revision']}",
        )
        root = f"<{words.inert(body['thread'], 64)}@{self._domain}>"
        message["In-Reply-To"] = root
        message["References"] = root
        message["X-Barograph-Alert"] = words.inert(result.id, 64)
        if body["stage"] == "warning" and not over:
            message["Importance"] = "high"
        return self._sent(message)

    def gather(self, issue: Issue) -> Answer:
        """One letter."""
        return self._sent(self._message(letter.digest(issue), issue.key))

    def rest(self) -> None:
        """End the session."""
        self._server.close()

    def _message(self, told: Letter, key: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._settings.sender
        message["To"] = ", ".join(self._settings.to)
        message["Subject"] = told.subject
        message["Date"] = formatdate(self._clock())
        message["Message-ID"] = f"<{words.inert(key, 80)}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message["List-Id"] = f"<{self._settings.name}.barograph.{self._domain}>"
        message.set_content(told.text)
        message.add_alternative(told.html, subtype="html")
        return message

    def _sent(self, message: EmailMessage) -> Answer:
        """To those whom it has not reached; who will never take it is named, the others have it."""
        key = str(message["Message-ID"])
        left = self._memory.get(_LEFT)
        lost: dict[str, str] = {}
        waiting = list(self._settings.to)
        if left is not None and left["key"] == key:
            waiting, lost = left["waiting"], left["lost"]
        try:
            refused = self._server.send(waiting, message.as_bytes())
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except (smtplib.SMTPException, OSError) as error:
            self._server.close(politely=False)
            return self._judged(error)
        later = {who: _said(*why) for who, why in refused.items() if why[0] < 500}
        lost |= {who: _said(*why) for who, why in refused.items() if why[0] >= 500}
        if later:
            self._memory.put({_LEFT: {"key": key, "waiting": list(later), "lost": lost}})
            return Answer("retry", _named(self._server.place, later), status=0)
        if lost:
            return Answer("reject", _named(self._server.place, lost), status=0)
        return Answer("ok")

    def _judged(self, error: smtplib.SMTPException | OSError) -> Answer:
        place = self._server.place
        if isinstance(error, ssl.SSLCertVerificationError):
            why = f"{place} has a certificate that is not trusted: {error.verify_message}"
            return Answer("config", why, status=0)
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return Answer("config", f"{place} does not do what is configured: {error}", status=0)
        if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPResponseException):
            said = _said(error.smtp_code, error.smtp_error)
            why = f"{place} answered {said}"
            if error.smtp_code < 500:
                return Answer("retry", why, status=0)
            data = isinstance(error, smtplib.SMTPDataError) and error.smtp_code != 530
            return Answer("reject" if data else "config", why, status=0)
        why = f"{place} cannot be reached: {str(error) or type(error).__name__}"
        return Answer("retry", words.inert(why, 300), status=0)


def _said(code: int, text: bytes | str) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {words.inert(said, 150)}"


def _named(place: str, refused: Mapping[str, str]) -> str:
    shown = "; ".join(f"{who}: {why}" for who, why in list(refused.items())[:3])
    more = f"; and {len(refused) - 3} more" if len(refused) > 3 else ""
    return f"{place} refused recipients: {shown}{more}"
