"""SARIF: logs in the format that code hosts and editors show beside the lines.

SARIF 2.1.0 (OASIS): one run; paths are relative as they were given.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def log(
    tool: str, rules: Iterable[dict[str, Any]], results: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """The log of one run of a tool of ours: what it looks for, and what it found."""
    driver = {"name": tool, "version": version("barograph"), "rules": list(rules)}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": list(results),
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def artifact(path: str) -> dict[str, str]:
    """A URI reference: absolute paths are `file:`, others stay relative to where one looks from."""
    given = Path(path)
    return {"uri": given.as_uri() if given.is_absolute() else quote(given.as_posix())}
