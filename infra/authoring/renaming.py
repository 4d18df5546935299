"""Renaming: the names of SigmaHQ that no record has, and what its pipeline here makes of them."""

from __future__ import annotations

from functools import cache, partial
from typing import Final

from correlators.document import Faulty, Part
from correlators.ruleset import pipeline
from correlators.sigma.condition import stated
from correlators.sigma.outline import Section
from correlators.sigma.processing import NONE, Processing, Subject, processing

SIGMAHQ: Final = "sigmahq"


def hint(part: Part, section: Section, field: str) -> str:
    """What to say of a field of a rule that is read without a pipeline; nothing if that helps not.

    A field of which the pipeline makes several, or whose values it changes, is named without them.
    """
    try:
        renamed = Subject(_sigmahq(), part).renamed(field, partial(stated, part, section))
    except Faulty:
        return ""
    if renamed == field:
        return ""
    read = "knows it" if renamed is None else f"reads it as `{renamed}`"
    return f"; `--pipeline {SIGMAHQ}` {read}"


@cache
def _sigmahq() -> Processing:
    document = pipeline(SIGMAHQ)
    return NONE if document is None else processing((document,), ())
