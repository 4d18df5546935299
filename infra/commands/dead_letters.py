"""Look at what could not be read or was refused, or put records back once they can be read."""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import sys
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError

from infra.exits import Exit
from infra.settings import load as settings
from infra.terminal import shown
from schemas.times import rfc3339
from sinks.delivery.letters import FILE, letters

if TYPE_CHECKING:
    from schemas.config import KafkaConfig
    from streams.kafka.dead_letters import Choice, DeadLetter

EXAMPLE = "barograph dead-letters list --reason no-time"
_SHOWN = ("time", "sink", "reason", "kind", "id")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, act, what in (
        (
            "list",
            _list,
            "count them, show the newest; without [kafka]: what receivers of sinks refused",
        ),
        ("replay", _replay, "put the records back into the topics that they came from, each once"),
    ):
        epilog = f"example:\n  barograph dead-letters {name} --reason no-time"
        action = actions.add_parser(name, help=what, description=what, epilog=epilog)
        action.set_defaults(act=act)
        action.add_argument("--reason", metavar="R", help="only those with this reason")
        action.add_argument("--source", metavar="S", help="only those of this source or sink")
        action.add_argument("--json", action="store_true", help="one JSON object for programs")
        if name == "list":
            action.add_argument(
                "--limit", type=int, default=10, metavar="N", help="how many to show (default: 10)"
            )
        else:
            action.add_argument("--dry-run", action="store_true", help="count, write nothing")
            action.add_argument(
                "--again", action="store_true", help="also what was put back before"
            )


def run(args: argparse.Namespace) -> int:
    """Do as the action says: data to stdout, a line of counts last to stderr."""
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _list(args: argparse.Namespace) -> int:
    """Exit 0, also if there is none."""
    from infra.brokers import kafka
    from streams.kafka.dead_letters import Choice

    config = settings(args.config)
    if config.kafka is None:
        return _refused(args, Path(config.data) / FILE)
    brokers = kafka(config, args.config)
    choice = Choice(args.reason, args.source)
    counts, newest, replayed = asyncio.run(_read(brokers, choice, max(0, args.limit)))
    by = [
        {"source": source, "reason": reason, "count": count}
        for (source, reason), count in counts.most_common()
    ]
    rows = [_row(letter, replayed=letter.message in replayed) for letter in newest]
    if args.json:
        print(json.dumps({"letters": counts.total(), "counts": by, "newest": rows}))
        return Exit.OK
    for one in by:
        print(shown.text(f"{one['count']:>9,}  {one['source']}  {one['reason']}"))
    for letter in newest:
        again = ", put back" if letter.message in replayed else ""
        said = f"{letter.reason}: {letter.detail} ({letter.source}, {letter.size} bytes{again})"
        print(shown.text(f"{shown.time(letter.time)}  {letter.origin}  {said}"))
    print(f"{counts.total()} dead letters; {len(replayed)} messages were put back", file=sys.stderr)
    return Exit.OK


def _refused(args: argparse.Namespace, path: Path) -> int:
    """What receivers refused, of the file and the one before it. Exit 0, also if there is none."""
    counts: Counter[tuple[str, str]] = Counter()
    newest: deque[dict[str, Any]] = deque(maxlen=max(0, args.limit))
    for letter in letters(path):
        sink, reason = str(letter.get("sink")), str(letter.get("reason"))
        if args.source in {None, sink} and args.reason in {None, reason}:
            counts[sink, reason] += 1
            newest.appendleft({key: letter.get(key) for key in _SHOWN})
    by = [
        {"source": sink, "reason": reason, "count": count}
        for (sink, reason), count in counts.most_common()
    ]
    if args.json:
        print(json.dumps({"letters": counts.total(), "counts": by, "newest": list(newest)}))
        return Exit.OK
    for one in by:
        print(shown.text(f"{one['count']:>9,}  {one['source']}  {one['reason']}"))
    for row in newest:
        print(shown.text("{time}  {kind} {id}  {reason} ({sink})".format_map(row)))
    print(f"{shown.plural(counts.total(), 'dead letter')} of sinks in {path}", file=sys.stderr)
    return Exit.OK


async def _read(
    brokers: KafkaConfig, choice: Choice, limit: int
) -> tuple[Counter[tuple[str, str]], list[DeadLetter], set[str]]:
    """The counts by source and reason, the newest letters, and what was put back."""
    from streams.kafka.dead_letters import read
    from streams.kafka.log import Log

    counts: Counter[tuple[str, str]] = Counter()
    newest: list[tuple[int, int, DeadLetter]] = []
    replayed: set[str] = set()
    async with Log(brokers) as log:
        async for letter in read(log, brokers):
            if isinstance(letter, str):
                replayed.add(letter)
            elif choice.holds(letter):
                counts[letter.source, letter.reason] += 1
                heapq.heappush(newest, (letter.time, counts.total(), letter))
                if len(newest) > limit:
                    heapq.heappop(newest)
    return counts, [letter for *_, letter in sorted(newest, reverse=True)], replayed


def _replay(args: argparse.Namespace) -> int:
    """Exit 0; what could not be put back is counted."""
    from infra.brokers import inputs, kafka
    from streams.kafka.dead_letters import Choice, Replay

    config = settings(args.config)
    brokers = kafka(config, args.config)
    replay = Replay(brokers, inputs(config), again=args.again, dry=args.dry_run)

    def tell(origin: str) -> None:
        if not args.json:
            print(shown.text(origin))

    async def put_back() -> None:
        asyncio.get_running_loop().set_exception_handler(_told)
        await replay.run(Choice(args.reason, args.source), tell)

    asyncio.run(put_back())
    if args.json:
        print(json.dumps(dict(replay.counts) | {"dry_run": args.dry_run}))
    counts = replay.counts
    would = "would be " if args.dry_run else ""
    print(
        f"{counts['replayed']} messages {would}put back; {counts['already']} were before, "
        f"{counts['lost']} are no longer whole anywhere, {counts['elsewhere']} came from elsewhere",
        file=sys.stderr,
    )
    return Exit.OK


def _told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Leave out what aiokafka tells each of its batches: it was raised as well."""
    if not isinstance(context.get("exception"), KafkaError):
        loop.default_exception_handler(context)


def _row(letter: DeadLetter, *, replayed: bool) -> dict[str, Any]:
    row = letter._asdict() | {"time": rfc3339(letter.time), "replayed": replayed}
    del row["record"]
    return row
