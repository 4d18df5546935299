"""Meaning: what a detection or filter matches by, apart from its words for people."""

import json
from hashlib import sha256
from typing import Final

from correlators.document import Part
from schemas.canonical import ID_DIGITS

# Keys that change no match; one that is not here is taken for one that does.
WORDS: Final = frozenset(
    (
        *("title", "id", "name", "status", "description", "license", "author", "references"),
        *("date", "modified", "related", "scope", "level", "tags", "falsepositives"),
        *("fields", "barograph"),
    )
)


def meaning(part: Part) -> str:
    """A hash of one document: equal where only words, order of keys and layout differ."""
    said = {key: value for key, value in part.data.items() if key not in WORDS}
    # Not orjson: YAML has whole numbers of any size.
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:ID_DIGITS]
