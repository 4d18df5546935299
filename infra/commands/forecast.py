"""Say which technique is likely next on each system, and how earlier forecasts came out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from infra.exits import Exit

EXAMPLE = "barograph forecast application:claims-triage"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("system", nargs="?", metavar="SYSTEM", help="its id or name (default: all)")
    parser.add_argument(
        "--store",
        metavar="PATH",
        help="the store (default: the newer of ./out and the data folder)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object for programs")


def run(args: argparse.Namespace) -> int:
    """Exit 0, also if nothing is forecast."""
    from infra.reading.forecasts import verified
    from infra.reading.stored import forecasts

    known = forecasts(args.store, args.system, args.config)
    standing = [forecast for forecast in known if forecast["outcome"] == "open"]
    figures = verified((forecast["outcome"], forecast["probability"]) for forecast in known)
    if args.json:
        print(json.dumps({"open": standing, "verification": figures._asdict()}))
        return Exit.OK
    for line in _lines(standing):
        print(line)
    brier = "" if figures.brier is None else f"; Brier score {figures.brier:.3f}, 0 is perfect"
    print(
        f"{figures.issued} issued, {figures.open} open, {figures.hits} hit, "
        f"{figures.false_alarms} false alarm{brier}"
    )
    return Exit.OK


def _lines(standing: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    from infra.terminal import shown
    from schemas.times import parse

    for system, some in groupby(standing, lambda forecast: forecast["system"]):
        yield shown.text(system)
        for forecast in some:
            named = f"{forecast.get('name', '')} ({forecast['technique']})".lstrip()
            until = shown.time(parse(forecast["until"]))
            chance = shown.percent(forecast["probability"])
            yield shown.text(f"  {chance:>6} until {until}: {named}")
            for term, key in (("needs", "precondition"), ("stopped by", "blocking_action")):
                if key in forecast:
                    yield shown.text(f"         {term:<10}  {forecast[key]}")
        yield ""
    if not standing:
        yield "No forecast is open."
