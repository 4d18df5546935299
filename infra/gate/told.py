"""Told: a verdict in words for people, and as one JSON object for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from correlators.gating import Verdict, counted
from correlators.known import Reference
from correlators.violations import Violation
from infra.terminal import shown
from infra.terminal.shown import plural

MOST: Final = 20  # violations of one check that a person is told; the others are counted


def line(one: Violation) -> str:
    """What is wrong with what, in one line."""
    many = f" ({one.total} times)" if one.total > 1 else ""
    return f"{one.steady}: {one.about}: {one.text}{many}"


def lies(one: Violation, origins: Mapping[str, str]) -> str:
    """Where the first of its records lies; empty if none is known."""
    events = (event for seen in one.shown for event, _ in seen.evidence)
    return next((origins[event] for event in events if event in origins), "")


def table(verdict: Verdict, origins: Mapping[str, str]) -> Iterator[str]:
    """The checks of a policy, each with what stands against it."""
    policy = verdict.policy
    yield shown.text(f"{policy.id}: {policy.title}")
    width = max(len(result.check) for result in verdict.results)
    for result in verdict.results:
        aside = [f"{len(result.known)} known"] if result.known else []
        aside += [f"{len(result.waived)} waived"] if result.waived else []
        note = f" ({', '.join(aside)})" if aside else ""
        word = "pass" if result.passed else "FAIL"
        yield shown.text(f"  {word}  {result.check:<{width}}  {result.title}{note}")
        for pattern in result.unmatched:
            yield shown.text(f"          nothing here is named {pattern}")
        for one in result.violations[:MOST]:
            lying = lies(one, origins)
            where = f" [{lying}]" if lying else ""
            yield shown.text(f"          {one.severity:<13}  {line(one)}{where}")
        if len(result.violations) > MOST:
            yield f"          ... and {len(result.violations) - MOST} more; --json has all"
    for waiver, count in verdict.expired:
        yield shown.text(
            f"  the waiver of {waiver.check} ended on {waiver.until.isoformat()}, and"
            f" {plural(count, 'violation')} with it: {waiver.reason}"
        )
    for waiver in verdict.idle:
        yield shown.text(f"  a waiver of {waiver.check} is not needed: {waiver.reason}")
    if verdict.mended:
        yield (
            f"  gone since the baseline: {plural(len(verdict.mended), 'violation')};"
            " --write-baseline leaves them out from now on"
        )


def summary(verdicts: Sequence[Verdict], statements: int = 0) -> str:
    """The whole answer in one line, with the number of VEX statements that are open."""
    results = [result for verdict in verdicts for result in verdict.results]
    failed = sum(not result.passed for result in results)
    counts = {"new": 0, "known": 0, "waived": 0}
    for verdict in verdicts:
        for name, count in counted(verdict).items():
            counts[name] += count
    aside = [f"{counts[name]} {name}" for name in ("known", "waived") if counts[name]]
    aside += [plural(statements, "VEX statement")] if statements else []
    note = f" ({', '.join(aside)})" if aside else ""
    if not failed:
        return f"passed: {plural(len(results), 'check')}{note}"
    return (
        f"FAILED: {failed} of {plural(len(results), 'check')},"
        f" {plural(counts['new'], 'violation')}{note}"
    )


def body(
    verdicts: Sequence[Verdict], origins: Mapping[str, str], statements: Sequence[Reference] = ()
) -> dict[str, Any]:
    """Everything, with fingerprints and evidence, and the VEX `statements` that are open."""
    return {
        "passed": all(verdict.passed for verdict in verdicts),
        "policies": [_policy(verdict, origins) for verdict in verdicts],
        "vex": [
            {"entity": one.entity, "about": one.id, "text": one.text}
            | {"evidence": _pairs(one.evidence, origins)}
            for one in statements
        ],
    }


def _policy(verdict: Verdict, origins: Mapping[str, str]) -> dict[str, Any]:
    id_ = verdict.policy.id

    def told(one: Violation) -> dict[str, Any]:
        return violation(id_, one) | _evidence(one, origins)

    return {
        "id": id_,
        "title": verdict.policy.title,
        "passed": verdict.passed,
        "counts": counted(verdict),
        "checks": [
            {
                "id": result.check,
                "title": result.title,
                "passed": result.passed,
                "unmatched": list(result.unmatched),
                "violations": [told(one) for one in result.violations],
                "known": [told(one) for one in result.known],
                "waived": [
                    told(one) | {"waiver": waiver.model_dump(mode="json", exclude_none=True)}
                    for one, waiver in result.waived
                ],
            }
            for result in verdict.results
        ],
        "expired_waivers": [
            one.model_dump(mode="json", exclude_none=True) | {"violations": count}
            for one, count in verdict.expired
        ],
        "idle_waivers": [one.model_dump(mode="json", exclude_none=True) for one in verdict.idle],
        "mended": sorted(verdict.mended),
    }


def violation(policy: str, one: Violation) -> dict[str, Any]:
    """One violation as a baseline keeps it."""
    return {
        "fingerprint": one.fingerprint(policy),
        "policy": policy,
        "check": one.check,
        "name": one.steady,
        "entity": one.entity,
        "about": one.about,
        "severity": one.severity,
        "text": one.text,
    }


def _evidence(one: Violation, origins: Mapping[str, str]) -> dict[str, Any]:
    pairs = dict.fromkeys(pair for seen in one.shown for pair in seen.evidence)
    return {"count": one.total, "evidence": _pairs(pairs, origins)}


def _pairs(pairs: Iterable[tuple[str, str]], origins: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"event": event, "sha256": sha256}
        | ({"origin": origins[event]} if event in origins else {})
        for event, sha256 in pairs
    ]
