"""Cases of detections: a record, of a source or in normal form, that must match or must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import orjson

from correlators.normal import PRODUCT, logsource, normal_form
from correlators.ruleset import Ruleset
from correlators.sigma.matcher import Matcher
from schemas.errors import Mistake
from schemas.event import EventEvidence
from streams.source import Raw, Unreadable, named


def failures(ruleset: Ruleset, rule: str, case: Mapping[str, Any]) -> Iterator[str]:
    """What is not as the case says; nothing if all is well.

    A case: `source` (the name of a source, or `normal`), `event` (a raw record of it, or a normal
    form) and `match`. A record of a source takes the way of a live one: routing, normal form.
    """
    wanted = ruleset.rule(rule)
    ...
