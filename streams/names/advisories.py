"""Advisories: the one id of a weakness that several databases name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from streams.records.untrusted import text
from streams.source import Json

_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,19}", re.IGNORECASE)
_GHSA: Final = re.compile(r"GHSA(?:-[0-9a-z]{4}){3}", re.IGNORECASE)


class Known(NamedTuple):
    """The id by which scanners agree on a weakness, and its other names."""

    of: str
    aliases: list[str] | None


def known(*names: Json) -> Known | None:
    """The first CVE, else the first GHSA, else the first name; None where there is none."""
    told = [one.strip() for name in names if (one := text(name, 256))]
    if not told:
        return None
    written = list(dict.fromkeys(one.upper() if _CVE.fullmatch(one) else one for one in told))
    of = next((one for form in (_CVE, _GHSA) for one in written if form.fullmatch(one)), written[0])
    return Known(of, [one for one in written if one != of] or None)


def named_in(words: str) -> str | None:
    """The CVE or GHSA that a rule's name begins with, or has in brackets behind another database's.

    `CVE-2026-0001-libc6`, `BDSA-2026-0002 (CVE-2026-0001)`.
    """
    words = words.partition(" (")[2] or words
    cve, ghsa = _CVE.match(words), _GHSA.match(words)
    if cve is not None:
        return cve[0].upper()
    return ghsa[0] if ghsa else None


def fixed(versions: Iterable[Json]) -> str | None:
    """The versions that mend it, as one text."""
    return ", ".join(one for version in versions if (one := text(version, 128)))[:256] or None
