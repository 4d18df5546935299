"""CISA KEV: vulnerabilities that are known to be exploited, since when and until when to mend.

Read are the catalogue as JSON (`known_exploited_vulnerabilities.json`), its entries alone, as a
list or as NDJSON, and the catalogue as CSV. An entry holds from the day on which it was added.
The catalogue names the newest first; here they are in the order of these days, as time passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.event import EventEvidence
from schemas.times import DAY
from streams.records.envelope import records
from streams.records.tables import rows
from streams.records.untrusted import entity, listing, mapping, moment, text
from streams.reports.listed import INTEL, Listing, listed
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "kev"
TITLE: Final = "CISA catalogue of known exploited vulnerabilities"
LOGSOURCE: Final = Logsource(product="kev")
LATENESS: Final = 30 * DAY  # CISA corrects entries
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"osint_inventory_info"})
ATTRIBUTES: Final = frozenset(
    """
    kev.due_date kev.name kev.product kev.ransomware kev.vendor vulnerability.cwes vulnerability.id
    vulnerability.kev
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "the catalogue of 2025-08 (JSON schema of 2024, CSV with `cwes`), CSV of 2021"
GAPS: Final = ("An entry that CISA takes back is not seen: the catalogue no longer names it.",)

_ADDED: Final = re.compile(rb'"dateAdded"\s{0,8}:\s{0,8}"([^"]{0,32})"')
_BOM: Final = b"\xef\xbb\xbf"
_NAMED: Final = re.compile(rb'"cveID"\s{0,8}:\s{0,8}"')
_ID: Final = re.compile(r"CVE-\d{4}-\d{4,19}")


def sniff(head: bytes) -> bool:
    """An entry names a CVE and the day on which it was added."""
    if head.removeprefix(_BOM).lstrip().startswith((b"cveID,", b'"cveID",')):
        return True
    return b'"dateAdded"' in head and _NAMED.search(head) is not None


def split(document: bytes) -> Iterator[Raw]:
    """The entries, in the order of the days on which they were added."""
    if document.lstrip()[:1] in {b"{", b"["}:
        return iter(sorted(records(document, "vulnerabilities"), key=_added))
    return iter(sorted(rows(document), key=_added))


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - the protocol
    """One entry: a vulnerability that somebody exploits."""
    said = mapping(record)
    known = (text(said.get("cveID"), 64) or "").strip().upper()
    if _ID.fullmatch(known) is None:
        raise Unreadable("wrong-shape", "an entry has a `cveID` such as CVE-2026-0001")
    added = text(said.get("dateAdded"), 32)
    time = moment(f"{added}T00:00:00Z" if added and "T" not in added else added)
    cwes = said.get("cwes")
    named = listing(cwes) or [one.strip() for one in (text(cwes) or "").split(",")]
    kept: dict[str, Json] = {
        "vulnerability.id": known,
        "vulnerability.kev": True,
        "vulnerability.cwes": sorted(filter(None, (text(one, 32) for one in named))) or None,
        "kev.due_date": text(said.get("dueDate"), 32),
        "kev.ransomware": (text(said.get("knownRansomwareCampaignUse")) or "").lower() == "known",
        "kev.vendor": text(said.get("vendorProject"), 128),
        "kev.product": text(said.get("product"), 128),
        "kev.name": text(said.get("vulnerabilityName"), 256),
    }
    message = f"{known} is known to be exploited"
    about = (entity("vulnerability", known),)
    return Parsed(
        listed(Listing(NAME, time), about, evidence, message, attributes=kept, kind=INTEL), {}
    )


def _added(raw: Raw) -> str:
    if raw.record is not None:
        return text(mapping(raw.record).get("dateAdded")) or ""
    found = _ADDED.search(raw.data)
    return found[1].decode("utf-8", "replace") if found else ""
