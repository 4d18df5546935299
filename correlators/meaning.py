"""Meaning: what a detection or filter matches by, apart from its words for people."""

import json
from collections.abc import Sequence
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


def meaning(part: Part, processing: Sequence[str] = ()) -> str:
    """A hash of one document: equal where only words, order of keys and layout differ.

    `processing`: the texts of what is done to it before it is compiled.
    """
    said = {key: value for key, value in part.data.items() if key not in WORDS}
    # Not orjson: YAML has whole numbers of any size.
    whole = json.dumps([said, *processing], sort_keys=True)
    return sha256(whole.encode()).hexdigest()[:ID_DIGITS]
