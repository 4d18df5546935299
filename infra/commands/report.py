"""Write the HTML report of a store, of all AI systems or of one: one file that loads nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import orjson

from infra.exits import Exit
from infra.settings import load as settings
from schemas.errors import Mistake, Unavailable

EXAMPLE = """\
barograph report
barograph report --system claims-triage --output claims.html"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--system", metavar="NAME", help="only this AI system")
    parser.add_argument(
        "--output", metavar="FILE", default="report.html", help="default: report.html"
    )
    parser.add_argument(
        "--store", metavar="PATH", help="default: the newer of ./out and the data folder"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0 with the file, 2 if there is no such store or system."""
    from infra.reading.reader import Reader, located
    from infra.report import report, snapshot

    config = settings(args.config)
    path = located(args.store, config)
    with Reader(path) as reader:
        estate = snapshot.read(reader.db, _summary(path), config.sla, args.system)
    page = Path(args.output)
    try:
        page.write_text(report.render(estate), encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{page} cannot be written: {error.strerror}; name another") from error
    print(f"{page}: {report.headline(estate)}")
    return Exit.OK


def _summary(store: Path) -> dict[str, Any]:
    """What the finite run beside the store has counted; nothing of a run that goes on."""
    file = store.with_name("summary.json")
    if not file.is_file():
        return {}
    try:
        summary: dict[str, Any] = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise Mistake(f"{file} cannot be read: {error}; remove it, or replay again") from error
    return summary
