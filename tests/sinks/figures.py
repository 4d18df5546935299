"""Figures: what storms were like, as the table of docs/sinks.md.

`BAROGRAPH_STORMS=FILE pytest tests/sinks -k "storm or kill"` adds a line for each storm that a test
has proved harmless; `python -m tests.sinks.figures FILE` makes the table of them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson

PAGE: Final = Path(__file__).parents[2] / "docs" / "sinks.md"
MARK: Final = "<!-- Below: `python -m tests.sinks.figures FILE`, of a run of the storms -->\n"
END: Final = "<!-- Above: storms -->\n"
HEAD: Final = (
    "| sink | receiver | results | sender killed | requests | came again | held by |\n"
    "|---|---|---|---|---|---|---|\n"
)
# What is no double of ours that keeps the documented contract.
REAL: Final = {
    "test_alertmanager_real": "Alertmanager, killed too",
    "test_email": "an SMTP server that refuses and hangs up",
    "test_jsonl": "a folder",
    "test_kafka": "a broker, paused and killed too",
    "test_opensearch": "OpenSearch, killed too",
    "test_parquet": "a folder",
    "test_store": "a database file",
    "test_syslog_storm": "rsyslog, paused and killed too",
}


def note(
    kind: str, *, results: int, kills: int, requests: int | None = None, copies: int | None = None
) -> None:
    """A test has proved that a storm did no harm; `copies` came again, None if not counted."""
    file = os.environ.get("BAROGRAPH_STORMS")
    if file is None:
        return
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]  # behind it: (call)
    told = {"kind": kind, "test": test, "results": results, "kills": kills}
    with Path(file).open("ab") as lines:
        lines.write(orjson.dumps(told | {"requests": requests, "copies": copies}) + b"\n")


def table(lines: Iterable[bytes]) -> str:
    """A row for each storm; of one that was run twice the last."""
    storms = {told["test"]: told for told in map(orjson.loads, lines)}
    return HEAD + "".join(_row(one) for _, one in sorted(storms.items(), key=_place))


def rows(page: str) -> Iterator[list[str]]:
    """The rows of the table on the page, cell by cell."""
    _, _, behind = page.partition(MARK)
    for line in behind.partition(END)[0].strip().splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def _place(one: tuple[str, dict[str, Any]]) -> tuple[str, str]:
    return one[1]["kind"], one[0]


def _row(one: dict[str, Any]) -> str:
    module, way = re.fullmatch(r".*/(\w+)\.py::\w+(?:\[(.*)\])?", one["test"]).groups()  # type: ignore[union-attr]
    kind = f"`{one['kind']}`" + (f" ({way})" if way else "")
    cells = [kind, REAL.get(module, "a double"), one["results"], one["kills"]]
    cells += ["" if one[name] is None else one[name] for name in ("requests", "copies")]
    cells.append(f"`{module}.py`")
    return "| " + " | ".join(map(str, cells)) + " |\n"


def main(file: str) -> None:
    """Put the table into the page."""
    text = PAGE.read_text("utf-8")
    head, _, behind = text.partition(MARK)
    tail = behind.partition(END)[2]
    lines = Path(file).read_bytes().splitlines()
    PAGE.write_text(f"{head}{MARK}\n{table(lines)}\n{END}{tail}", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
