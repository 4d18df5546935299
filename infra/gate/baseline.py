"""Baseline: the violations that were there when a gate was set up, in a file under review."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from correlators.gating import Verdict
from infra.gate.told import violation
from schemas.errors import Mistake, Unavailable

VERSION: Final = 1


class _Kept(msgspec.Struct):
    fingerprint: str


class _File(msgspec.Struct):
    baseline: int
    violations: list[_Kept]


def read(path: Path) -> frozenset[str]:
    """The fingerprints in the file; Mistake if it is not there, or none of ours."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise Mistake(
            f"{path} cannot be read: {error.strerror}; --write-baseline makes one"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Mistake(
            f"{path} is no baseline of a gate: {error}; --write-baseline makes one"
        ) from error
    if found.baseline != VERSION:
        raise Mistake(
            f"{path} is a baseline of version {found.baseline}, not {VERSION}; write it anew"
        )
    return frozenset(one.fingerprint for one in found.violations)


def write(path: Path, verdicts: Sequence[Verdict], only: Collection[str] | None) -> int:
    """Write what is not waived, one violation a line; of those that are in `only`, if it is given.

    Returns how many. Unavailable if it cannot be written.
    """
    kept: list[dict[str, Any]] = [
        violation(verdict.policy.id, one)
        for verdict in verdicts
        for result in verdict.results
        for one in (*result.violations, *result.known)
    ]
    kept = [one for one in kept if only is None or one["fingerprint"] in only]
    kept.sort(key=lambda one: (one["policy"], one["check"], one["name"], one["fingerprint"]))
    lines = b",\n".join(orjson.dumps(one) for one in kept)
    data = b'{"baseline": %d, "violations": [\n%b\n]}\n' % (VERSION, lines)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error
    return len(kept)
