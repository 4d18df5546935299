"""Weakness: one vulnerability under its names, VEX against findings, and what is known of it."""

from __future__ import annotations

from typing import Any

import pytest

from correlators import weakness
from correlators.attach import Attach
from correlators.observe import Observe
from correlators.weakness import vulnerability
from schemas.entity import Entity
from schemas.event import Event, EventEvidence, ScanFinding
from schemas.rows import Output, Row
from schemas.times import DAY, HOUR
from tests.correlators.stage import ZERO, bodies, rows_of, whole

IMAGE, OTHER = "image:sha256:aa", "image:sha256:bb"
CVE = "CVE-2026-0001"
LONG = 400 * DAY


def event(name: str, *aliases: str) -> Event:
    return Event(
        uid="e1",
        time=0,
        source="grype",
        class_uid=2002,
        class_name="Vulnerability Finding",
        activity="Create",
        entities=(Entity(kind="image", id="sha256:aa"),),
        finding=ScanFinding(uid="f1", title="A hole", vulnerability=name),
        attributes={"vulnerability.aliases": list(aliases)},
        evidence=EventEvidence(origin="file:x#1", sha256=ZERO),
    )


@pytest.mark.parametrize(
    ("names", "want"),
    [
        ((CVE,), CVE),
        (("cve-2026-0001",), CVE),
        (("GHSA-2222-3333-4444", "CVE-2026-0009", CVE), CVE),
        ((CVE, "CVE-2020-0001"), CVE),
        (("ghsa-2222-3333-44CF",), "GHSA-2222-3333-44cf"),
        (("PYSEC-2026-1", "GHSA-2222-3333-4444", CVE), CVE),
        (("PYSEC-2026-1", "GHSA-2222-3333-4444"), "GHSA-2222-3333-4444"),
        (("AVD-AWS-0036",), "AVD-AWS-0036"),
    ],
)
def test_a_vulnerability_has_one_name_whatever_a_scanner_calls_it(
    names: tuple[str, ...], want: str
) -> None:
    assert vulnerability(event(*names)) == want


def said(
    time: int,
    name: str = "finding",
    instance: str = "f1",
    state: str = "open",
    tool: str = "grype",
    key: str = IMAGE,
    **more: Any,  # noqa: ANN401 - JSON
) -> Row:
    body = {
        "name": name,
        "instance": instance,
        "state": state,
        "severity": "high",
        "confidence": 800,
        "title": name,
        "family": CVE,
        "tags": [],
        "tool": tool,
        "at": time,
        "evidence": [[f"{name}-{time}", ZERO]],
    }
    id_ = f"{name}|{instance}|{time}|{tool}"
    return Row("facts", 0, key, time, id_, "fact", body | {"vulnerability": CVE} | more)


def vex(time: int, state: str = "open") -> Row:
    return said(time, "vex", CVE, state, "openvex")


def affected(outputs: list[Output]) -> list[tuple[list[str], list[str], int]]:
    """As attach hears of it: vulnerabilities gained, lost, time."""
    told = [row for row in rows_of(outputs) if row.kind == "affected"]
    return [(list(row.body["gained"]), row.body["lost"], row.time) for row in told]


def test_an_asset_has_a_vulnerability_as_long_as_any_tool_says_so() -> None:
    rows = [said(1), said(2, instance="t1", tool="trivy"), said(5, state="closed")]
    rows.append(said(9, instance="t1", tool="trivy", state="closed"))
    assert affected(whole(Observe(), rows, LONG)) == [([CVE], [], 1), ([], [CVE], 9)]


def test_a_scan_of_many_is_one_row_with_the_evidence_of_each() -> None:
    rows = [said(1, instance=f"f{n}", vulnerability=f"CVE-2026-{n:04}") for n in (3, 1, 2)]
    (row,) = [row for row in rows_of(whole(Observe(), rows, LONG)) if row.kind == "affected"]
    assert row.body["gained"] == {f"CVE-2026-{n:04}": [["finding-1", ZERO]] for n in (1, 2, 3)}


def test_what_is_no_cve_or_ghsa_is_joined_with_nothing() -> None:
    assert affected(whole(Observe(), [said(1, vulnerability="AVD-AWS-0036")], LONG)) == []


def test_of_one_asset_so_many_are_joined_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weakness, "AFFECTED", 2)
    rows = [said(n, instance=f"f{n}", vulnerability=f"CVE-2026-{n:04}") for n in (1, 2, 3)]
    rows.append(said(9, instance="f1", state="closed", vulnerability="CVE-2026-0001"))
    want = [(["CVE-2026-0001"], [], 1), (["CVE-2026-0002"], [], 2), ([], ["CVE-2026-0001"], 9)]
    assert affected(whole(Observe(), rows, LONG)) == want


# VEX


def posture(outputs: list[Output]) -> list[tuple[str, int]]:
    told = [row for row in rows_of(outputs) if row.kind == "posture"]
    return [(row.body["state"], row.time) for row in told]


def test_the_supplier_wins_over_the_scanner_and_both_are_kept() -> None:
    rows = [said(1), said(1, "weakness"), vex(5), said(9), said(9, "weakness")]
    outputs = whole(Observe(), rows, LONG)
    assert posture(outputs) == [("open", 1), ("closed", 5)]
    assert affected(outputs) == [([CVE], [], 1), ([], [CVE], 5)]
    told = {body["name"]: (body["state"], body["tool"]) for body in bodies(outputs, "fact")}
    assert told == {
        "finding": ("open", "grype"),
        "weakness": ("resolved", "grype"),
        "vex": ("open", "openvex"),
    }


def test_a_statement_that_is_taken_back_lets_the_finding_hold_again() -> None:
    rows = [vex(1), said(2), said(2, "weakness"), vex(5, "closed")]
    outputs = whole(Observe(), rows, LONG)
    assert posture(outputs) == [("open", 5)]
    assert affected(outputs) == [([CVE], [], 5)]


def test_what_was_mended_meanwhile_does_not_hold_again() -> None:
    mended = [said(3, state="closed"), said(3, "weakness", state="closed")]
    rows = [vex(1), said(2), said(2, "weakness"), *mended, vex(5, "closed")]
    outputs = whole(Observe(), rows, LONG)
    assert (posture(outputs), affected(outputs)) == ([], [])


# What is known of a vulnerability


def known(time: int, state: str = "open") -> Row:
    return said(time, "exploited", "", state, "kev", f"vulnerability:{CVE}", family=CVE)


def has(time: int, asset: str = IMAGE) -> Row:
    body = {"asset": asset, "at": time}
    return Row("facts", 0, f"vulnerability:{CVE}", time, f"has|{asset}|{time}", "has", body)


def marks(outputs: list[Output]) -> list[tuple[str, str, int]]:
    told = [row for row in rows_of(outputs) if row.kind == "mark"]
    return [(row.key, row.body["state"], row.time) for row in told]


def test_every_asset_that_has_it_is_told_whichever_came_first() -> None:
    rows = [has(1), known(5), has(7, OTHER), has(8, OTHER), known(9, "closed")]
    outputs = whole(Observe(), rows, LONG)
    assert marks(outputs) == [
        (IMAGE, "open", 5),
        (OTHER, "open", 7),
        (IMAGE, "closed", 9),
        (OTHER, "closed", 9),
    ]
    assert posture(outputs) == []  # of a vulnerability alone there is no story


def test_a_feed_of_what_is_nowhere_leaves_nothing_but_what_is_open() -> None:
    assert whole(Observe(), [known(5, "closed")], LONG)[:-1] == []


def test_of_too_many_assets_those_said_longest_ago_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weakness, "ASSETS", 64)
    rows = [has(n, f"image:{n}") for n in range(65)]
    told = {key for key, _, _ in marks(whole(Observe(), [*rows, known(99)], LONG))}
    assert told == {f"image:{n}" for n in range(1, 65)}


def joined(*rows: Row) -> list[tuple[str, str, int]]:
    """What the assess stage hears of the image: instance, state, time."""
    told = rows_of(whole(Attach(HOUR), list(rows), LONG))
    return [(row.body["instance"], row.body["state"], row.time) for row in told]


def gained(time: int) -> Row:
    body = {"gained": {CVE: [["scan", ZERO]]}, "lost": []}
    return Row("attach", 0, IMAGE, time, f"affected-{time}", "affected", body)


def lost(time: int) -> Row:
    body = {"gained": {}, "lost": [CVE]}
    return Row("attach", 0, IMAGE, time, f"affected-{time}", "affected", body)


def mark(time: int, state: str = "open") -> Row:
    (row,) = [
        row for row in rows_of(whole(Observe(), [has(0), known(time)], LONG)) if row.kind == "mark"
    ]
    return Row("attach", 0, IMAGE, time, f"mark-{time}", "mark", row.body | {"state": state})


@pytest.mark.parametrize("first", [gained, mark])
def test_it_is_a_fact_of_the_asset_while_both_hold(first: Any) -> None:  # noqa: ANN401
    second = mark if first is gained else gained
    assert joined(first(1), second(5), lost(9)) == [(CVE, "open", 5), (CVE, "closed", 9)]
    assert joined(first(1), second(5), mark(9, "closed")) == [(CVE, "open", 5), (CVE, "closed", 9)]


def test_the_fact_rests_on_the_list_and_on_the_scan() -> None:
    (row,) = rows_of(whole(Attach(HOUR), [gained(1), mark(5)], LONG))
    assert row.body["evidence"] == [["exploited-5", ZERO], ["scan", ZERO]]
    assert (row.body["name"], row.body["since"]) == ("exploited", 5)


def test_at_equal_times_open_wins() -> None:
    assert joined(gained(1), mark(5, "closed"), mark(5)) == [(CVE, "open", 5)]
