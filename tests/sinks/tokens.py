"""Tokens: the half that doubles of clouds share: a login that grants them, and who bears one."""

from __future__ import annotations

from tests.sinks.receiving import Reply, Request


class Tokens:
    """Grants `token-1`, `token-2`...; `good` are those that are taken.

    `logins` and `replies` are said first, each once, whatever was asked; `calls` are the sizes of
    the requests to which an answer was due.
    """

    def __init__(self, lifetime: int = 3599) -> None:
        self.lifetime = lifetime
        self.issued = 0
        self.good: set[str] = set()
        self.calls: list[int] = []
        self.replies: list[Reply] = []
        self.logins: list[Reply] = []

    def grant(self) -> Reply:
        """One token more."""
        self.issued += 1
        token = f"token-{self.issued}"
        self.good.add(token)
        said = {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": token}
        return Reply.json(200, said)

    def knows(self, request: Request) -> bool:
        """True if it bears a token that is taken."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and token in self.good
