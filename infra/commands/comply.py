"""Tell control by control what the evidence says: pass, fail or not assessed, and why."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from infra.exits import Exit
from infra.settings import load as settings
from infra.terminal.times import moment

if TYPE_CHECKING:
    from infra.compliance.assessed import Assessment

EXAMPLE = """\
barograph comply --list
barograph comply --framework owasp_llm_2025
barograph comply --framework eu_ai_act --system claims-triage --out evidence"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--framework", metavar="ID", help="its id or another name; --list tells them")
    what.add_argument("--list", action="store_true", help="say which frameworks there are")
    parser.add_argument(
        "--system", metavar="NAME", help="only this AI system, or `estate`: its name or root"
    )
    parser.add_argument(
        "--at",
        type=_time,
        metavar="T",
        help="tell what still holds at this time, or `now`; default: the newest record",
    )
    parser.add_argument(
        "--out", metavar="DIR", help="write an evidence pack there: HTML, CSV, JSON, OCSF, hashes"
    )
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--strict", action="store_true", help="exit 1 if a control fails")
    parser.add_argument(
        "--store", metavar="PATH", help="default: the newer of ./out and the data folder"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0; with --strict 1 where a control fails. What is not assessed is no failure."""
    from infra.compliance.assessed import assessment, framework
    from infra.compliance.pack import lines, write
    from infra.reading.reader import Reader, located

    if args.list:
        for line in _frameworks():
            print(line)
        return Exit.OK
    of = framework(args.framework)
    store = located(args.store, settings(args.config))
    with Reader(store) as reader:
        told = assessment(reader, str(store), of, args.at, args.system)
    if args.format == "json":
        for body in lines(told):
            print(json.dumps(body))  # ASCII only: no text of a record acts on a terminal
    else:
        for line in _table(told):
            print(line)
    if args.out is not None:
        written = write(told, Path(args.out))
        print(
            f"barograph: {len(written)} files in {args.out}; `sha256sum -c SHA256SUMS` there"
            " checks them",
            file=sys.stderr,
        )
    return Exit.NO if args.strict and told.counts["fail"] else Exit.OK


def _time(text: str) -> int:
    from infra.service.process import clock

    return clock() if text == "now" else moment(text)


def _frameworks() -> Iterator[str]:
    from correlators.standards import standards
    from infra.terminal.tables import table

    columns = ("id", "version", "controls", "title", "other names", "here")
    rows = [
        (
            one.id,
            one.version,
            len(one.controls),
            one.title,
            ", ".join(one.aliases),
            one.partial or "all of it",
        )
        for one in standards().frameworks.values()
    ]
    return table(columns, rows, whole=True)


def _table(told: Assessment) -> Iterator[str]:
    from infra.terminal import shown
    from infra.terminal.tables import table
    from schemas.times import parse

    of = told.framework
    yield shown.text(f"{of.title} ({of.version}), as of {shown.time(told.at)} UTC")
    yield ""
    rows = [
        (
            answer.status.replace("_", " "),
            answer.control.ref,
            answer.scope,
            shown.time(parse(answer.body["fresh_until"])) if "fresh_until" in answer.body else "",
            answer.control.title,
            answer.reason,
        )
        for answer in told.answers
    ]
    columns = ("status", "control", "scope", "holds until", "title", "reason")
    yield from table(columns, rows, whole=not sys.stdout.isatty())
    yield ""
    yield summary(told)
    yield "This is evidence, no certificate: docs/compliance.md says what it cannot tell."


def summary(told: Assessment) -> str:
    """How many controls pass, fail and were not assessed; the rate is of those that were."""
    from infra.terminal import shown

    counts = told.counts
    assessed = counts["pass"] + counts["fail"]
    rate = (
        f"; {shown.percent(counts['pass'] / assessed)} of those assessed pass" if assessed else ""
    )
    return (
        f"{counts['pass']} pass, {counts['fail']} fail, {counts['not_assessed']} not assessed{rate}"
    )
