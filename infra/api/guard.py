"""Guard: who may ask the read API, from where, and how often."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from schemas.config import ServerConfig

CLIENTS: Final = 10_000  # whose rates are known; the one that has been quiet for longest goes
BURST: Final = 2.0  # seconds of the rate that a client may ask at once
FOR_US: Final = (
    "the read API is for this machine alone while [server] has no token; set one with"
    " BAROGRAPH_SERVER__TOKEN_FILE"
)


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered; `wait`: seconds after which it may come again."""

    status: int
    error: str
    wait: float | None = None


class Guard:
    """Asked before each request, in the event loop. `clock` gives seconds that only grow."""

    def __init__(self, config: ServerConfig, clock: Callable[[], float]) -> None:
        token = config.token.get_secret_value() if config.token else ""
        self._tokens: Sequence[bytes] = [one.encode() for one in token.split()]
        self._here = here(config.host)
        self._rates = Rates(config.rate, clock)

    @property
    def open(self) -> bool:
        """False where nobody can be let in: beyond this machine, and no token."""
        return self._here or bool(self._tokens)

    def refusal(
        self, remote: str | None, host: str | None, origin: str | None, authorization: str | None
    ) -> Refusal | None:
        """None if the request may be answered: from its address and three of its headers."""
        refused = self._stranger(host, origin, authorization)
        who = f"{remote} {'' if refused else authorization}"
        wait = self._rates.wait(who)
        if wait is not None:
            return Refusal(429, f"too many requests; come again in {wait:.1f} s", wait)
        return refused

    def _stranger(
        self, host: str | None, origin: str | None, authorization: str | None
    ) -> Refusal | None:
        if self._tokens:
            if _among(authorization, self._tokens):
                return None
            return Refusal(401, "give a token of [server]: Authorization: Bearer <token>")
        if not self._here:
            return Refusal(403, FOR_US)
        # Without a token a page of a browser is kept out: one that names another origin, and one
        # whose host name was made to lead here.
        if not here(_host(host)):
            return Refusal(403, "ask by a name of this machine: 127.0.0.1, [::1] or localhost")
        if origin is not None and not here(_host(origin.partition("://")[2])):
            return Refusal(403, "pages of other origins are not answered without a token")
        return None


class Rates:
    """A bucket of tokens for each client: full at first, filled at the rate."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._most = max(1.0, rate * BURST)
        self._known: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def wait(self, who: str) -> float | None:
        """None if it may ask now, which counts; else the seconds until it may."""
        now = self._clock()
        left, last = self._known.pop(who, (self._most, now))
        left = min(self._most, left + (now - last) * self._rate)
        wait = None if left >= 1 else (1 - left) / self._rate
        self._known[who] = (left - 1 if wait is None else left, now)
        if len(self._known) > CLIENTS:
            self._known.popitem(last=False)
        return wait


def here(host: str | None) -> bool:
    """True if it is a name or address of this machine to itself."""
    if host is None:
        return False
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def _host(header: str | None) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def _among(authorization: str | None, tokens: Sequence[bytes]) -> bool:
    scheme, _, given = (authorization or "").partition(" ")
    said = given.strip().encode("utf-8", "surrogatepass")
    # All are compared, each in constant time: nothing is told of which, or how far.
    matches = [hmac.compare_digest(said, token) for token in tokens]
    return scheme.lower() == "bearer" and any(matches)
