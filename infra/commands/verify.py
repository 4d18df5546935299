"""Recompute the evidence of an alert, finding or signal from the records it rests on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from infra.exits import Exit
from infra.settings import load as settings
from infra.stored import found, origins
from infra.verifying import Check, check
from schemas.errors import Mistake

EXAMPLE = "barograph verify out/alerts.jsonl --store out/barograph.duckdb"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "what",
        metavar="ID|FILE",
        help="an id (or its start), or a file of alerts, findings or signals",
    )
    parser.add_argument(
        "--store",
        metavar="PATH",
        help="the store that says where records lie (default: out/barograph.duckdb)",
    )
    parser.add_argument(
        "--root",
        default=".",
        metavar="DIR",
        help="where relative paths of records start (default: here)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Exit 0 if every hash is what it was, 1 if one is not."""
    config = settings(args.config)
    bodies = list(_bodies(args))
    places = origins(args.store, {e["event"] for body in bodies for e in body.get("evidence", ())})
    good = True
    for body in bodies:
        for result in check(body, places, Path(args.root), config.limits):
            good &= result.ok
            _say(result, args.json)
    if not bodies:
        raise Mistake(
            f"{args.what} holds no alert, finding or signal; name an id or a file of them"
        )
    return Exit.OK if good else Exit.NO


def _bodies(args: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    path = Path(args.what)
    if not path.is_file():
        yield found(args.store, args.what)
        return
    newest: dict[str, Mapping[str, Any]] = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            body = orjson.loads(line)
            newest[body["id"]] = body
        except (ValueError, KeyError, TypeError) as error:
            raise Mistake(f"{path}:{number}: not an alert, finding or signal ({error})") from error
    yield from newest.values()


def _lines(path: Path) -> Iterable[bytes]:
    data = path.read_bytes()
    lines = [line for line in data.split(b"\n") if line.strip()]
    try:
        orjson.loads(data)
    except ValueError:
        return lines
    return [data]


def _say(result: Check, as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(result._asdict(), option=orjson.OPT_APPEND_NEWLINE))
    else:
        print(
            f"{'ok' if result.ok else 'NOT OK':7} {result.id[:12]} {result.what}: {result.detail}"
        )
