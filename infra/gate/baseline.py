"""Baseline: the violations that were there when a gate was set up, in a file under review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from correlators.gating import Verdict
from infra.gate.told import violation
from schemas.errors import Mistake, Unavailable

VERSION: Final = 1


# What is known of each policy, by its id: violations as they are kept, by fingerprint.
Known = Mapping[str, Mapping[str, Mapping[str, Any]]]


class _Kept(msgspec.Struct):
    fingerprint: str
    policy: str


class _File(msgspec.Struct):
    baseline: int
    violations: list[dict[str, Any]]


def read(path: Path) -> Known:
    """What is in the file; Mistake if it is not there, or none of ours."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
        kept = msgspec.convert(found.violations, list[_Kept])
    except OSError as error:
        raise Mistake(
            f"{path} cannot be read: {error.strerror}; --write-baseline makes one"
        ) from error
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Mistake(
            f"{path} is no baseline of a gate: {error}; --write-baseline makes one"
        ) from error
    if found.baseline != VERSION:
        raise Mistake(
            f"{path} is a baseline of version {found.baseline}, not {VERSION}; write it anew"
        )
    known: dict[str, dict[str, dict[str, Any]]] = {}
    for line, one in zip(found.violations, kept, strict=True):
        known.setdefault(one.policy, {})[one.fingerprint] = line
    return known


def write(path: Path, verdicts: Sequence[Verdict], before: Known | None) -> int:
    """Write what is not waived, one violation a line.

    Of those that were known `before`, if that is given; what it knows of policies that were not
    judged stays. Returns how many. Unavailable if it cannot be written.
    """
    kept: list[dict[str, Any]] = [
        violation(verdict.policy.id, one)
        for verdict in verdicts
        for result in verdict.results
        for one in (*result.violations, *result.known)
        if not one.unseen
    ]
    if before is not None:
        judged = {verdict.policy.id for verdict in verdicts}
        kept = [one for one in kept if one["fingerprint"] in before.get(one["policy"], ())]
        aside = (lines for id_, lines in before.items() if id_ not in judged)
        kept += [dict(line) for lines in aside for line in lines.values()]
    kept.sort(
        key=lambda one: tuple(
            str(one.get(key)) for key in ("policy", "check", "name", "fingerprint")
        )
    )
    lines = b",\n".join(orjson.dumps(one) for one in kept)
    data = b'{"baseline": %d, "violations": [\n%b\n]}\n' % (VERSION, lines)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error
    return len(kept)
