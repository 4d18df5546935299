"""Recompute the evidence of an alert, finding or signal from the records it rests on."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson

from correlators.sigma.values import is_object
from infra.exits import Exit
from infra.reading.rereading import reread
from infra.reading.stored import found, records
from infra.reading.verifying import Body, Check, check, cited
from infra.settings import load as settings
from infra.terminal import shown
from schemas.errors import Mistake
from streams.source import Json

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
        help="where it is kept where records lie (default: the newer of ./out and the data folder)",
    )
    parser.add_argument(
        "--root",
        default=".",
        metavar="DIR",
        help="where relative paths of records start (default: here)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Exit 0 if every hash is what it was, 1 if one is not, or can be computed no longer."""
    bodies = list(_bodies(args))
    if not bodies:
        raise Mistake(f"{args.what} is empty; name an id, or a file of alerts, findings or signals")
    events = {event for body in bodies for event in cited(body)}
    lying = records(args.store, events, args.config)
    now = reread(lying.values(), Path(args.root), settings(args.config))
    counts: Counter[bool | None] = Counter()
    for result in check(bodies, lying, now):
        counts[result.ok] += 1
        _say(result, as_json=args.json)
    if not args.json:
        said = f"{counts[True]} as they were, {counts[False]} not, {counts[None]} gone"
        print(f"{shown.plural(counts.total(), 'check')}: {said}", file=sys.stderr)
    return Exit.OK if counts[True] == counts.total() else Exit.NO


def _bodies(args: argparse.Namespace) -> Iterator[Body]:
    path = Path(args.what)
    if not path.is_file():
        yield found(args.store, args.what, args.config)
        return
    newest: dict[str, Body] = {}
    for number, line in _lines(path):
        try:
            body: Json = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise Mistake(f"{path}:{number}: {error}; mend the line") from error
        if not is_object(body) or not isinstance(body.get("id"), str):
            raise Mistake(
                f"{path}:{number} is no alert, finding or signal; name an id or a file of them"
            )
        newest[body["id"]] = body
    yield from newest.values()


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The documents of a file with their lines: one each line, or all of it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}; name a readable file") from error
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        yield from ((n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip())
    else:
        yield 1, data


def _say(result: Check, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result._asdict()))  # ASCII only: no text of a record acts on a terminal
        return
    verdict = {True: "ok", False: "NOT OK", None: "gone"}[result.ok]
    print(
        f"{verdict:7} {shown.text(result.id[:12])} {shown.text(f'{result.what}: {result.detail}')}"
    )
