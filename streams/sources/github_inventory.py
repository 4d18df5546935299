"""GitHub inventory: what the API of GitHub answers of repositories, packages, people and seats.

Read are answers of `gh api`, of the REST API and lists of GraphQL as SDKs give them, alone, in
lists or one a line: repositories, container packages and their versions, members and owners, deploy
keys, and the seats of Copilot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.described import answers, hub
from streams.described.shape import within
from streams.source import Json, Narrow, Parsed, Raw

NAME: Final = "github_inventory"
TITLE: Final = "GitHub API answers"
LOGSOURCE: Final = Logsource(product="github", service="inventory")
LATENESS: Final = DAY  # answers are fetched now and then
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = answers.CATEGORIES
ATTRIBUTES: Final = answers.ATTRIBUTES
VERSIONS: Final = "REST API 2022-11-28; GraphQL v4 as of 2026"
GAPS: Final = (
    "What a list no longer names is not ended by it.",
    "A rule that protects a branch does not say of which repository.",
    "A server of one's own (GitHub Enterprise) is told by the address of a repository alone.",
)
_LISTS: Final = frozenset({"edges", "items", "repositories", "seats"})


def sniff(head: bytes) -> bool:
    """The first record has the keys of a thing of GitHub."""
    marks = (b'"node_id"', b'"package_', b'"assignee"', b'"node"', b'"read_only"')
    if not any(one in head for one in marks):
        return False
    if b"github" not in head and b'"node_id"' not in head:
        return False
    return any(marks <= keys.keys() for _, keys in within(head, _LISTS) for marks, _ in hub.SHAPES)


def split(document: bytes) -> Iterator[Raw]:
    """The things of an answer."""
    return answers.split(document, hub.described, _LISTS)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """One thing, or a check of one."""
    return answers.event(NAME, raw, record, evidence, hub.described)
