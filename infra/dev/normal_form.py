"""Rebuilds docs/normal-form.md from the sources: python -m infra.dev.normal_form > FILE."""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from correlators import normal
from schemas.entity import KINDS
from streams.source import event_attributes, sources
from streams.telemetry.meanings import CONTENT, ENTITIES, EVENT, NAMESPACES, TELEMETRY, Meaning
from streams.telemetry.verdicts import CATEGORIES

_OPEN: Final = "*"
_SIZE: Final = ".size"
_FEW: Final = 12  # sources that a row names; docs/sources.md has the names of each
_HEAD: Final = """\
# The normal form

What a rule with `logsource: product: barograph` may ask of a record, whichever source read it.
Made by `make sources` (`python -m infra.dev.normal_form`); a test holds it fresh.

A field that is unknown is absent. *Content* (prompts, answers, arguments, results) is seen by rules
and not stored; it is one text, JSON where it was an object, so ask with `|contains` or `|re`. Of
each its size in bytes is kept as `<name>.size`. `otel` passes on whatever else a record says of
itself under its own name.

The names are keys as they stand, dots and all. A value asked of a list is found if one element is
it. `entity.<kind>` is the first of its kind in a record, under the id that all sources write.

## What a rule asks for most

| asked for | is |
|---|---|
| a call of a model | `gen_ai.operation.name: [chat, generate_content, text_completion]`; `embeddings` for vectors |
| a call of a tool | `gen_ai.operation.name: execute_tool`, or `mcp.method.name: tools/call`: ask for either |
| a run of an agent | `gen_ai.operation.name: invoke_agent` |
| the tools that a server offers | `mcp.method.name: tools/list`, with `mcp.manifest.sha256` and `mcp.manifest.cues` |
| what a guardrail decided | `guardrail.verdict`: allow, warn, modify, deny; `guardrail.category` says about what |
| a credential in a tool call | `content.secrets.at\\|startswith: 'tool_arguments:'` |
| that it failed | `status: failure`, with `error.type` where it is known |
| who did it, on what | `actor.id`, `entity.<kind>` |
| what a scanner found | `finding.state: open`, with `severity` and `finding.vulnerability` or `finding.check` |
| no sums of calls | `metric.name: null` (data points of metrics have it, and no `gen_ai.operation.name`) |

```yaml
title: A credential is handed to a tool
name: credential_to_tool
status: test
logsource: {product: barograph, category: api_activity}
detection:
  tool:
    - gen_ai.operation.name: execute_tool
    - mcp.method.name: tools/call
  credential:
    content.secrets.at|startswith: 'tool_arguments:'
  condition: tool and credential
level: high
```

`guardrail.category` is one of: {categories}; else the vendor's own word.
"""


def text() -> str:
    """Return the document."""
    given = _given()
    named = {name for name in given if name.partition(".")[0] in ("gen_ai", "guardrail", "mcp")}
    parts = [
        _HEAD.replace("{categories}", ", ".join(sorted(CATEGORIES))),
        "## Of every record\n",
        _rows(EVENT | _entities(), {}),
        "## What is in its content\n\nOf every record that brings content.\n",
        _rows(CONTENT, {}),
        "## AI at work\n",
        _rows({name: TELEMETRY[name] for name in _most_given(given)}, given),
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
    return {
        f"entity.{kind}": Meaning("text", f"the first {kind} that it names", ENTITIES[kind])
        for kind in KINDS
    }


def _most_given(given: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of telemetry, those first that most sources give."""
    return sorted(TELEMETRY.keys() & given.keys(), key=lambda name: (-len(given[name]), name))


def _others(names: Iterable[str], given: Mapping[str, Sequence[str]]) -> str:
    lines = [f"| `{name}` | {_whose(name)} | {_listed(given[name])} |" for name in sorted(names)]
    return "\n".join(("| attribute | of | sources |", "|---|---|---|", *lines, ""))


def _whose(name: str) -> str:
    return NAMESPACES.get(name.partition(".")[0], "its source")


def _rows(meanings: Mapping[str, Meaning], given: Mapping[str, Sequence[str]]) -> str:
    sourced = bool(given)
    head = "| attribute | type | meaning | example |" + (" sources |" if sourced else "")
    rule = "|---|---|---|---|" + ("---|" if sourced else "")
    lines = [
        f"| `{name}` | {one.type} | {one.text} | `{one.example}` |"
        + (f" {_listed(given[name])} |" if sourced else "")
        for name, one in meanings.items()
    ]
    return "\n".join((head, rule, *lines, ""))


def _listed(names: Sequence[str]) -> str:
    if len(names) > _FEW:
        return f"{len(names)} sources"
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(text())
