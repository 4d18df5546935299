"""Generic: Events in Barograph's own form, from a converter of your own.

Read are JSON objects with the fields of an Event as `barograph parse` writes them, one a line, a
list of them, or in a carrier. For any other format write a mapping (docs/generic-source.md): the
file `mappings/doors.yml` is the source `generic:doors`.
"""

from __future__ import annotations

from importlib import resources
from typing import Final

from correlators.document import Document
from schemas.detection import Logsource
from schemas.times import MINUTE
from streams.mapping.classes import CLASSES
from streams.mapping.load import load
from streams.mapping.mapped import Mapped
from streams.source import Narrow

_TEXT: Final = resources.files("streams.mapping").joinpath("event.yml").read_text("utf-8")

NAME: Final = "generic"
TITLE: Final = "Events in Barograph's own form"
LOGSOURCE: Final = Logsource(product="generic", service=NAME)
LATENESS: Final = 15 * MINUTE
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset(CLASSES)
ATTRIBUTES: Final = frozenset({"*"})
VERSIONS: Final = "the Event of this version (`barograph schema event`)"
GAPS: Final = ("The confidence of an edge is not taken over.",)

_SOURCE: Final = Mapped(load(Document("streams/mapping/event.yml", _TEXT), NAME))
sniff = _SOURCE.sniff
split = _SOURCE.split
event = _SOURCE.event
