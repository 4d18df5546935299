"""Tell the story of an alert, finding, signal or event: what, why, what next, what to do."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.exits import Exit

EXAMPLE = "barograph explain 6bc6fdf8a1c6 --store out/barograph.duckdb"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "id",
        metavar="ID",
        help="an id, or how it begins; of an alert its thread too, of an event"
        " what evidence calls it",
    )
    parser.add_argument(
        "--store",
        metavar="PATH",
        help="the store (default: the newer of ./out and the data folder)",
    )
    parser.add_argument("--json", action="store_true", help="the record as it is stored")


def run(args: argparse.Namespace) -> int:
    """Exit 0; an id that names nothing, or several things, is a Mistake."""
    from infra.reading.explain import Recorded, explain_event
    from infra.reading.stored import found, origins, said
    from infra.reading.verifying import cited

    body = found(args.store, args.id, args.config, events=True)
    if args.json:
        print(json.dumps(body))  # ASCII only: a text of a record cannot act on the terminal
        return Exit.OK
    if "uid" in body:
        for line in explain_event(body):
            print(line)
        return Exit.OK
    events = list(cited(body))
    places, lines = (ask(args.store, events, args.config) for ask in (origins, said))
    records = {uid: Recorded(place, lines.get(uid, "")) for uid, place in places.items()}
    for line in _story(body, records):
        print(line)
    return Exit.OK


def _story(body: Mapping[str, Any], records: Mapping[str, Any]) -> Iterator[str]:
    from infra.reading.explain import explain_alert, explain_finding, explain_signal
    from schemas.alert import Alert
    from schemas.finding import Finding, Signal

    if "convergence" in body:
        return explain_alert(Alert.model_validate(body, extra="ignore"), records)
    if "rule" in body:
        return explain_finding(Finding.model_validate(body, extra="ignore"), records)
    return explain_signal(Signal.model_validate(body, extra="ignore"), records)
