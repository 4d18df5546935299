"""Moments: the time of a record, in whichever way its format writes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

from schemas.times import SECOND
from streams.mapping.terms import Place, Term, Wrong, written
from streams.records.untrusted import moment, sane
from streams.source import Unreadable

# Microseconds of one unit, as (factor, divisor).
_EPOCHS: Final = {
    "epoch_s": (SECOND, 1),
    "epoch_ms": (1000, 1),
    "epoch_us": (1, 1),
    "epoch_ns": (1, 1000),
}
_LONGEST: Final = 64
_NUMBER: Final = re.compile(r"-?\d{1,20}(\.\d{1,12})?", re.ASCII)
_ZONE: Final = re.compile(r"([+-])(\d\d):(\d\d)", re.ASCII)
# Numbers and names of fixed length; `%c`, `%x` and `%X` are another thing on another computer.
_DIRECTIVES: Final = frozenset("YymdHIMSfpzjbBaA%")


class Format(NamedTuple):
    """`rfc3339`, one of the epochs, or a pattern of strptime with the zone of texts without one."""

    name: str = "rfc3339"
    zone: timezone = UTC

    def micros(self, term: Term, place: Place) -> int:
        """The time of a record. Raises Unreadable: no-time, bad-time."""
        said = term.of(place)
        if said is None or said == "":
            raise Unreadable("no-time", "the record says no time where the mapping looks for it")
        if self.name == "rfc3339":
            return moment(said)
        if self.name in _EPOCHS:
            return sane(self._counted(written(said)))
        return sane(self._patterned(written(said)))

    def _counted(self, said: str) -> int:
        if not _NUMBER.fullmatch(said):
            raise Unreadable("bad-time", f"{said[:_LONGEST]!r} is no number of {self.name}")
        whole, _, part = said.partition(".")
        factor, divisor = _EPOCHS[self.name]
        micros = int(whole) * factor // divisor
        return micros + (int(part.ljust(12, "0")) * factor // (divisor * 10**12))

    def _patterned(self, said: str) -> int:
        try:
            found = datetime.strptime(said[: _LONGEST + 1], self.name)  # noqa: DTZ007 - see below
        except (ValueError, OverflowError):
            detail = f"{said[:_LONGEST]!r} is no time of the form {self.name}"
            raise Unreadable("bad-time", detail) from None
        if found.tzinfo is None:
            found = found.replace(tzinfo=self.zone)
        return (found - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def format_(said: object, zone: object = None) -> Format:
    """The format that a mapping names. Raises Wrong."""
    if said in {"rfc3339", *_EPOCHS}:
        if zone is not None:
            raise Wrong(f"`zone` goes with a pattern; {said} says its own")
        return Format(str(said))
    if not isinstance(said, str) or "%" not in said or len(said) > _LONGEST:
        known = ", ".join(("rfc3339", *_EPOCHS))
        raise Wrong(f"`format` is {known}, or a pattern like `%Y-%m-%d %H:%M:%S`")
    strange = {one for one in re.findall(r"%(.?)", said) if one not in _DIRECTIVES}
    if strange:
        raise Wrong(f"`format` has `%{min(strange)}`, which is not taken")
    return Format(said, _zone(zone))


def _zone(said: object) -> timezone:
    if said is None:
        return UTC
    found = _ZONE.fullmatch(said) if isinstance(said, str) else None
    hours, minutes = (int(found[2]), int(found[3])) if found else (99, 0)
    if found is None or hours > 14 or minutes > 59:
        raise Wrong("`zone` is what lies between the text and UTC, like `+02:00`")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if found[1] == "-" else offset)
