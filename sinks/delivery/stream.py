"""Stream: loads over TCP or TLS to a receiver that never answers, and how we know that it read.

TCP has no answers: what was sent may lie in a buffer of a receiver that ends without reading it.
But who ends a connection with unread bytes resets it, and who reads to our end and then hangs up
ends it in good order. So each load has a connection of its own, we hang up first, and it counts
when the receiver has hung up after us.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import ssl
import termios
import time
from typing import Final

from sinks.delivery.wire import Answer

_SLICE: Final = 64 * 1024  # bytes; the timeout is for each
_LOOK: Final = 0.01  # seconds between two looks at what the other side's system has


class Stream:
    """One receiver at `host`:`port`; `context` None is plain TCP. One thread."""

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        *,
        timeout: float,
        confirm: bool,
        hint: str = "",
    ) -> None:
        """`confirm` False: a load counts when the receiver's system has it, read or not.

        `hint` is what to look at where the receiver hangs up without a word.
        """
        self.place = f"{'tcp' if context is None else 'tls'}://{host}:{port}"
        self._address, self._context = (host, port), context
        self._timeout, self._confirm, self._hint = timeout, confirm, hint

    def load(self, data: bytes) -> Answer:
        """Send it whole. Ok: it was read whole. Never raises for a receiver."""
        try:
            connection = socket.create_connection(self._address, self._timeout)
        except OSError as error:
            return self._problem(f"cannot be reached: {_said(error)}")
        with connection:
            line = Line(connection)
            try:
                if self._context is not None:
                    line = Secured(connection, self._context, self._address[0])
                return self._sent(line, memoryview(data))
            except OSError as error:  # an ssl.SSLError is one
                return self._failed(line, error)

    def _sent(self, line: Line, data: memoryview) -> Answer:
        for start in range(0, len(data), _SLICE):
            line.send(data[start : start + _SLICE])
        line.goodbye()
        if self._confirm:
            return self._confirmed(line)
        end = time.monotonic() + self._timeout
        while line.unacknowledged:
            if time.monotonic() > end:
                return self._problem("does not take what we send")
            time.sleep(_LOOK)
        with contextlib.suppress(TimeoutError):
            while line.hear(_LOOK):
                pass
        return Answer("ok")

    def _confirmed(self, line: Line) -> Answer:
        """Hang up, and wait until the receiver, having read to the end, does so too."""
        end = time.monotonic() + self._timeout
        line.end()
        try:
            while line.hear(end - time.monotonic()):
                pass
        except TimeoutError:
            return self._problem(
                f"has not hung up {self._timeout:g} s after us, so that nobody knows whether it has"
                " read all; if it never does, set confirm = false"
            )
        # A receiver that was gone before our bytes came has not acknowledged them.
        if line.unacknowledged or line.error:
            return self._problem(f"hung up before it had read all{self._hint}")
        return Answer("ok")

    def _failed(self, line: Line, error: OSError) -> Answer:
        """The line broke; if the other side said why before that, it is still to be read."""
        if not isinstance(error, ssl.SSLError | TimeoutError):
            with contextlib.suppress(TimeoutError, ConnectionError):
                try:
                    while line.hear(_LOOK):
                        pass
                except ssl.SSLError as word:
                    error = word
        if isinstance(error, ssl.SSLCertVerificationError):
            why = f"{self.place} has a certificate that is not trusted: {error.verify_message}"
            return Answer("config", why, status=0)
        if not isinstance(error, ssl.SSLError):
            return self._problem(f"broke off: {_said(error)}{self._hint}")
        reason = (error.reason or str(error)).lower().replace("_", " ")
        if "alert" in reason and "internal" not in reason:  # the receiver's own word
            why = f"{self.place} refuses us: {reason}; mend certificate, key or ca"
            return Answer("config", why, status=0)
        return self._problem(f"speaks no TLS that we understand: {reason}")

    def _problem(self, why: str) -> Answer:
        return Answer("retry", f"{self.place} {why}", status=0)


class Line:
    """One connection in the clear. Its methods raise OSError."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, data: memoryview) -> None:
        """Send it whole, or raise TimeoutError."""
        self._connection.sendall(data)

    def goodbye(self) -> None:
        """Say that nothing more comes, where there is a word for it."""

    def end(self) -> None:
        """Send our end; theirs is still to come."""
        self._connection.shutdown(socket.SHUT_WR)

    def hear(self, seconds: float) -> bytes:
        """What the other side says; empty at its end. TimeoutError if it says nothing."""
        if seconds <= 0:
            raise TimeoutError
        self._connection.settimeout(seconds)
        return self._connection.recv(_SLICE)

    @property
    def unacknowledged(self) -> int:
        """Bytes that the other side's system has not acknowledged; our end counts as one."""
        told = fcntl.ioctl(self._connection.fileno(), termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(told, "little")

    @property
    def error(self) -> int:
        """What the system knows to be wrong with the connection; 0 is nothing."""
        return self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


class Secured(Line):
    """One connection by TLS, after its handshake.

    Not an SSLSocket: that tells a reset as an end in good order.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, host: str) -> None:
        super().__init__(connection)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                if not (data := connection.recv(_SLICE)):
                    raise ConnectionResetError("it hung up in the handshake") from None
                self._in.write(data)
            except ssl.SSLError:
                self._flush()  # the alert that says what we do not like
                raise
            else:
                break
        self._flush()

    def send(self, data: memoryview) -> None:
        """As in the clear."""
        self._tls.write(data)
        self._flush()

    def goodbye(self) -> None:
        """close_notify: without it the end could be an attacker's."""
        with contextlib.suppress(ssl.SSLWantReadError):  # theirs need not come
            self._tls.unwrap()
        self._flush()

    def hear(self, seconds: float) -> bytes:
        """As in the clear, still encrypted; an ssl.SSLError if it is an alert."""
        data = super().hear(seconds)
        self._in.write(data)
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while self._tls.read(_SLICE):
                pass
        return data

    def _flush(self) -> None:
        self._connection.sendall(self._out.read())


def _said(error: OSError) -> str:
    return error.strerror or str(error) or "it took too long"
