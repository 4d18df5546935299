"""Rebuilds docs/normal-form.md from the sources: python -m infra.dev.normal_form > FILE."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from correlators import normal
from schemas.entity import KINDS
from streams.source import event_attributes, sources
from streams.telemetry.meanings import CONTENT, EVENT, NAMESPACES, TELEMETRY, Meaning

_OPEN: Final = "*"
_SIZE: Final = ".size"
_HEAD: Final = """\
# The normal form

What a rule with `logsource: product: barograph` may ask of a record, whichever source read it.
Made by `make sources` (`python -m infra.dev.normal_form`); a test holds it fresh.

A field that is unknown is absent. *Content* (prompts, answers, arguments, results) is seen by rules
and not stored; of each its size in bytes is kept as `<name>.size`. `otel` passes on whatever else a
record says of itself under its own name.
"""


def text() -> str:
    """Return the document."""
    given = _given()
    named = {name for name in given if name.partition(".")[0] in ("gen_ai", "guardrail", "mcp")}
    parts = [
        _HEAD,
        "## Of every record\n",
        _rows(EVENT | _entities(), {}),
        "## What is in its content\n\nOf every record that brings content.\n",
        _rows(CONTENT, {}),
        "## AI at work\n",
        _rows({name: TELEMETRY[name] for name in TELEMETRY if name in given}, given),
        "## Other attributes\n",
        _others(given.keys() - TELEMETRY.keys() - named, given),
        "## Other attributes of AI telemetry\n",
        _others(named - TELEMETRY.keys(), given),
    ]
    return "\n".join(parts)


def _given() -> dict[str, list[str]]:
    """Name of an attribute -> the sources that give it, sorted."""
    found: dict[str, list[str]] = {}
    for source in sources().values():
        names = (event_attributes(source) or frozenset()) - {_OPEN} - normal.NAMES
        for name in names:
            if not name.endswith(_SIZE):
                found.setdefault(name, []).append(source.NAME)
    return found


def _entities() -> dict[str, Meaning]:
    return {f"entity.{kind}": Meaning("text", f"the first {kind} that it names") for kind in KINDS}


def _others(names: Iterable[str], given: Mapping[str, Sequence[str]]) -> str:
    lines = [f"| `{name}` | {_whose(name)} | {_listed(given[name])} |" for name in sorted(names)]
    return "\n".join(("| attribute | of | sources |", "|---|---|---|", *lines, ""))


def _whose(name: str) -> str:
    return NAMESPACES.get(name.partition(".")[0], "its source")


def _rows(meanings: Mapping[str, Meaning], given: Mapping[str, Sequence[str]]) -> str:
    sourced = bool(given)
    head = "| attribute | type | meaning |" + (" sources |" if sourced else "")
    rule = "|---|---|---|" + ("---|" if sourced else "")
    lines = [
        f"| `{name}` | {one.type} | {one.text} |"
        + (f" {_listed(given[name])} |" if sourced else "")
        for name, one in meanings.items()
    ]
    return "\n".join((head, rule, *lines, ""))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(text())
