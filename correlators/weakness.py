"""Weakness: which vulnerability a finding is of, and what else is said of that vulnerability.

A VEX statement (`vulnerability.vex`) is of one asset and one vulnerability. While it says that the
asset is not affected, or fixed, it stands against every scanner's finding of it: who makes a thing
knows it. Of several statements the latest holds; at equal times the one that stands against it.

What is known of a vulnerability (`known_exploited_vulnerability`) is of use where it is: it is told
to each asset that has it, and is a fact of that asset while it has it. So an image reaches its AI
systems with it, and no system has three hundred vulnerabilities as members.
"""

from __future__ import annotations

import re
from typing import Any, Final

from correlators.asset import Asset, Fact
from correlators.logic import Emit
from correlators.sigma.values import is_list
from schemas.canonical import digest
from schemas.event import Event
from schemas.rows import Row
from schemas.topics import ATTACH

KIND: Final = "vulnerability"
AFFECTED: Final = 2_000  # vulnerabilities of one asset that are joined with what is known of them
ASSETS: Final = 20_000  # assets told of one vulnerability; those that were said longest ago go
SPARE: Final = 64  # one part in so many at a time, not one by one
FINDING: Final = "finding"  # the fact that every scanner finding opens: for the posture tables
VEX: Final = "vex"
# Statements that a thing is not exploitable through this, in the words of OpenVEX and CycloneDX.
AGAINST: Final = frozenset(
    {"not_affected", "fixed", "false_positive", "resolved", "resolved_with_pedigree"}
)

_KNOWN: Final = re.compile(
    r"CVE-\d{4}-\d{4,19}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}", re.IGNORECASE
)


def vulnerability(event: Event) -> str | None:
    """The vulnerability of a finding: the CVE, by whichever name a scanner has it, else its own."""
    finding = event.finding
    if finding is None or finding.vulnerability is None:
        return None
    others = event.attributes.get("vulnerability.aliases")
    names = [finding.vulnerability, *(others if is_list(others) else ())]
    known = [_spelled(name) for name in names if isinstance(name, str) and joined(name)]
    own = known[:1] if joined(finding.vulnerability) else []
    ranked = (*own, *sorted(known[len(own) :]))  # its own name first, then others by name
    numbered = (name for name in ranked if name.startswith("CVE-"))
    return next(numbered, None) or next(iter(ranked), finding.vulnerability)


def joined(name: str) -> bool:
    """True for an id that others know it by: CVE or GHSA."""
    return _KNOWN.fullmatch(name) is not None


def waives(state: Asset, of: str | None) -> bool:
    """True if a VEX statement stands against this vulnerability."""
    known = state.facts.get(f"{VEX}|{of}") if of else None
    return known is not None and known.open


def has(state: Asset, of: str) -> bool:
    """True if the asset has it: a finding of it is open, and no VEX statement stands against it."""
    return of in state.affected and not waives(state, of)


def count(state: Asset, before: Fact | None, after: Fact | None) -> None:
    """Keep the number of open findings by vulnerability as one fact takes another's place."""
    for fact, step in ((before, -1), (after, 1)):
        if fact is None or not fact.open or fact.name != FINDING:
            continue
        of = fact.body.get(KIND)
        if of is None or not joined(of):
            continue
        left = state.affected.get(of, 0) + step
        if left > 0 and (of in state.affected or len(state.affected) < AFFECTED):
            state.affected[of] = left
        elif left <= 0:
            state.affected.pop(of, None)


def tell(key: str, state: Asset, time: int, touched: dict[str, bool], emit: Emit) -> None:
    """What the asset has now and had not, and the other way round: one row for all of a scan."""
    gained: dict[str, list[list[str]]] = {
        of: [] for of, had in sorted(touched.items()) if not had and has(state, of)
    }
    lost = sorted(of for of, had in touched.items() if had and not has(state, of))
    for fact in state.facts.values() if gained else ():
        if fact.open and fact.name == FINDING and (of := fact.body.get(KIND)) in gained:
            pairs = [list(pair) for pair in fact.body["evidence"]]
            gained[of] = min(gained[of] or pairs, pairs)  # of several tools any: it is the same
    if gained or lost:
        body = {"gained": gained, "lost": lost}
        emit.row(Row(ATTACH, 0, key, time, digest("affected", key, time), "affected", body))


def remember(key: str, state: Asset, time: int, body: dict[str, Any], emit: Emit) -> None:
    """An asset has this vulnerability: it is told what is known of it."""
    asset = body["asset"]
    fresh = asset not in state.assets
    state.assets[asset] = max(body["at"], state.assets.get(asset, body["at"]))
    if len(state.assets) > ASSETS:
        ordered = sorted(state.assets, key=lambda one: (state.assets[one], one))
        for oldest in ordered[: ASSETS // SPARE]:
            del state.assets[oldest]
    if fresh:
        for fact in state.facts.values():
            if fact.open:
                emit.row(_mark(key, asset, fact, time))


def spread(key: str, state: Asset, fact: Fact, time: int, emit: Emit) -> None:
    """What is known of a vulnerability changed: every asset that ever had it is told."""
    for asset in state.assets:
        emit.row(_mark(key, asset, fact, time))


def _mark(key: str, asset: str, fact: Fact, time: int) -> Row:
    of = key.partition(":")[2]
    body = fact.body | {KIND: of, "state": "open" if fact.open else "closed"}
    return Row(ATTACH, 0, asset, time, digest("mark", key, fact.name, fact.instance), "mark", body)


def _spelled(name: str) -> str:
    """CVE and GHSA in capitals; the letters behind GHSA are small, as GitHub writes them."""
    return f"GHSA-{name[5:].lower()}" if name[:4].upper() == "GHSA" else name.upper()
