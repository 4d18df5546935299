"""Entity: a thing in the estate, named by its kind and its canonical id."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

_HUB: Final = re.compile(r"(?:(?:index|registry-1)\.)?docker\.io/(?:library/)?")

Kind = Literal[
    "principal",
    "apikey",
    "agent",
    "session",
    "mcp_server",
    "tool",
    "model",
    "endpoint",
    "datastore",
    "dataset",
    "guardrail",
    "image",
    "workload",
    "host",
    "repo",
    "application",
    "account",
    "skill",
    "job",
    "vulnerability",
]
KINDS: tuple[str, ...] = get_args(Kind)
MAX_ID = 512  # characters; identifiers come from untrusted records


class Entity(BaseModel):
    """(kind, id). The id is canonical: the same thing has the same id whichever source names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    id: str = Field(min_length=1, max_length=MAX_ID)
    name: str | None = Field(default=None, max_length=MAX_ID)

    # As pydantic compares, several times as quick: sources ask it of all that a record names.

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Entity):
            return NotImplemented
        return self.id == other.id and self.kind == other.kind and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.id)  # few things have one id

    @property
    def key(self) -> str:
        """`kind:id`, the key of the entity in topics and state."""
        return f"{self.kind}:{self.id}"

    def body(self) -> dict[str, Any]:
        """The entity as a record lists it; without a name where it has none."""
        said: dict[str, Any] = self.__dict__.copy()
        if said["name"] is None:
            del said["name"]
        return said


@lru_cache(maxsize=8_192)  # the same few call again and again
def principal(arn: str) -> Entity:
    """The role or user behind an AWS ARN: sessions of one assumed role are one principal.

    `arn:aws:sts::111122223333:assumed-role/Pipeline/run-7` and
    `arn:aws:iam::111122223333:role/teams/ml/Pipeline` are
    `arn:aws:iam::111122223333:role/Pipeline`: a session does not name the path of its role, and the
    name is unique in the account.
    """
    parts = arn.split(":", 5)
    if len(parts) == 6:
        kind, *path = parts[5].split("/")
        if parts[2] == "sts" and kind == "assumed-role" and path:
            arn = f"{parts[0]}:{parts[1]}:iam::{parts[4]}:role/{path[0]}"
        elif parts[2] == "iam" and kind in ("role", "user") and path:
            arn = ":".join((*parts[:5], f"{kind}/{path[-1]}"))
    return Entity(kind="principal", id=arn[:MAX_ID])


@lru_cache(maxsize=8_192)
def image(reference: str) -> Entity:
    """A container image: by digest where the reference has one, else by its full tag."""
    reference = short(reference)
    _, at, sha = reference.partition("@")
    return Entity(
        kind="image",
        id=(sha if at and sha else reference).lower()[:MAX_ID],
        name=reference[:MAX_ID],
    )


def short(reference: str) -> str:
    """The name of an image without what Docker adds to the names of its own registry."""
    found = _HUB.match(reference)
    return reference[found.end() :] or reference if found else reference
