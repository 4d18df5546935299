"""Grafana boards: push them to a server, or write them as files that it reads."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError

from infra.exits import Exit
from infra.settings import load as settings
from schemas.errors import Mistake, Unavailable
from schemas.grafana import GrafanaConfig

if TYPE_CHECKING:
    from infra.boards.push import History, Thing
    from infra.boards.server import Server
    from schemas.config import Config

EXAMPLE = """\
barograph boards push --url https://grafana.example    with BAROGRAPH_GRAFANA__TOKEN set
barograph boards export --dir grafana"""
_PUSH = """\
examples:
  barograph boards push --check
  BAROGRAPH_GRAFANA__TOKEN_FILE=token barograph boards push --url https://grafana.example"""
_EXPORT = "example:\n  barograph boards export --dir grafana"
SHOWN = 20  # fields of one thing that are listed as different


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    what = "write what is missing or older; what was edited there is shown and left alone"
    push = actions.add_parser("push", help=what, description=what, epilog=_PUSH)
    push.set_defaults(act=_push)
    push.add_argument("--url", metavar="URL", help="of the server; default: [grafana] url")
    push.add_argument(
        "--token",
        metavar="TOKEN",
        help="of a service account; others of this machine see it in the list of processes:"
        " BAROGRAPH_GRAFANA__TOKEN or ..._TOKEN_FILE is better",
    )
    how = push.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="write nothing; exit 1 if it differs")
    how.add_argument("--force", action="store_true", help="also over what was edited there")
    push.add_argument(
        "--store",
        metavar="PATH",
        help="whose stage changes become annotations; default: the newer of ./out and the data"
        " folder, if there is one",
    )
    what = "write dashboards, data sources and alert rules as files for Grafana's provisioning"
    export = actions.add_parser("export", help=what, description=what, epilog=_EXPORT)
    export.set_defaults(act=_export)
    export.add_argument("--dir", required=True, metavar="DIR", help="where to; made if need be")
    export.add_argument(
        "--home",
        default="/etc/grafana",
        metavar="DIR",
        help="where that folder will lie on Grafana's machine; default: /etc/grafana",
    )


def run(args: argparse.Namespace) -> int:
    """Do as the action says: data to stdout, a line of counts last to stderr."""
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _push(args: argparse.Namespace) -> int:
    """Exit 0 if all is as it should be now, 1 if not: edited there, or anything with --check."""
    from infra.boards.push import asks, things
    from infra.boards.server import Server

    config = settings(args.config)
    grafana = _stated(config.grafana, args)
    server = Server(grafana)
    left = written = 0
    for thing in things(server, grafana, force=args.force):
        if thing.state == "same":
            continue
        if args.check or (thing.state == "edited" and not args.force):
            left += 1
        else:
            thing.write()
            written += 1
        _say(thing, args)
    if not asks(grafana):
        _hint("alert rules are left out: say [grafana] prometheus or prometheus_uid")
    wanted = _history(config, args.store)
    if wanted is None:
        _hint("stage changes are left out: there is no store; name one with --store")
    else:
        more, less = _annotate(server, wanted, write=not args.check)
        written, left = (
            (written, left + more + less) if args.check else (written + more + less, left)
        )
    if args.check:
        _hint(
            f"{left} differ from what push would make" if left else "all is as push would make it"
        )
    else:
        rest = f", {left} edited on the server and left alone: --force overwrites" if left else ""
        _hint(f"{written} written{rest}" if written or left else "nothing to write: all is there")
    return Exit.NO if left else Exit.OK


def _stated(grafana: GrafanaConfig, args: argparse.Namespace) -> GrafanaConfig:
    """The configuration with what the command line says instead."""
    given: dict[str, Any] = {}
    if args.url is not None:
        given["url"] = args.url
    if args.token is not None:
        given["token"] = SecretStr(args.token)
    try:
        return GrafanaConfig.model_validate(dict(grafana) | given)
    except ValidationError:
        raise Mistake(
            f"--url {args.url} is no address of a server; say it like https://grafana.example"
        ) from None


def _say(thing: Thing, args: argparse.Namespace) -> None:
    done = not args.check and (args.force or thing.state != "edited")
    words = {
        "missing": "made" if done else "is not there",
        "older": "brought up to date" if done else "is older",
        "edited": "overwritten" if done else "was edited on the server",
    }
    print(f"{thing.kind} {thing.name}: {words[thing.state]}")
    if thing.state != "missing" and (args.check or thing.state == "edited"):
        for one in thing.differs[:SHOWN]:
            print(f"  {one}")
        if len(thing.differs) > SHOWN:
            print(f"  and {len(thing.differs) - SHOWN} more")


def _history(config: Config, store: str | None) -> History | None:
    from infra.boards.push import History
    from infra.boards.stages import changes, known
    from infra.reading.reader import Reader, located

    try:
        path = located(store, config)
    except Mistake:
        return None
    with Reader(path) as reader:
        return History(changes(reader), known(reader))


def _annotate(server: Server, wanted: History, *, write: bool) -> tuple[int, int]:
    """How many stage changes are added and how many taken away, or would be."""
    from infra.boards.push import history

    missing, stale = history(server, wanted)
    if write:
        for one in missing:
            server.add_annotation(one.time, one.text, one.tags)
        for number in stale:
            server.delete_annotation(number)
    verbs = ("added", "deleted") if write else ("missing", "hold no more")
    for count, verb in zip((len(missing), len(stale)), verbs, strict=True):
        if count:
            print(f"stage changes: {count} {verb}")
    return len(missing), len(stale)


def _export(args: argparse.Namespace) -> int:
    """Exit 0 with all files written."""
    from infra.boards.export import exported

    grafana = settings(args.config).grafana
    folder = Path(args.dir)
    files = list(exported(grafana, PurePosixPath(args.home)))
    try:
        for file in files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
            print(path)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror or error}") from error
    if not (grafana.prometheus or grafana.api):
        _hint("no data source is among them: [grafana] prometheus and api say where they answer")
    _hint(f"{len(files)} files; docs/boards.md says where Grafana looks for them")
    return Exit.OK


def _hint(sentence: str) -> None:
    print(sentence, file=sys.stderr)
