"""Say what files of advisories hold, and what of them cannot be used."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from infra.exits import Exit
from infra.settings import load as settings
from infra.terminal import shown
from schemas.errors import Mistake

if TYPE_CHECKING:
    from correlators.advisories.feed import Feed

EXAMPLE = """\
barograph intel check advisories/
barograph intel check advisories/ --component pypi/vllm@0.8.4"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    what = "count what is in them, list what cannot be used, and what is hardly meant"
    check = actions.add_parser("check", help=what, description=what)
    check.add_argument(
        "paths", nargs="*", metavar="PATH", help="file or folder (default: those of [intel])"
    )
    check.add_argument(
        "--component",
        metavar="TYPE/NAME@VERSION",
        help="say which advisories that version has (type of a purl, as pypi; none: by name)",
    )
    check.add_argument("--json", action="store_true", help="one JSON object a line")
    check.add_argument(
        "--strict", action="store_true", help="exit 1 if an entry cannot be used, or is odd"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0, with --strict 1 if something of the files cannot be used."""
    from infra.intel import read

    paths = args.paths or settings(args.config).intel.feeds
    if not paths:
        raise Mistake("no advisories: name a file or folder, or set feeds in [intel]")
    found = read(paths)
    if args.component:
        _matches(found, args.component, as_json=args.json)
        return Exit.OK
    if args.json:
        _objects(found)
    else:
        _table(found)
    return Exit.NO if args.strict and (found.problems or found.notes) else Exit.OK


def _table(found: Feed) -> None:
    from infra.intel import summary

    for heading, lines in (("LEFT OUT", found.problems), ("ODD, and used", found.notes)):
        if lines:
            print(f"{heading}: {len(lines)}")
            for line in lines:
                print(f"  {shown.text(line)}")
    for name, count in sorted(found.ecosystems().items()):
        print(f"{name}: {count:,}")
    print(f"{shown.plural(found.files, 'file')}, {summary(found)}")


def _objects(found: Feed) -> None:
    for about, lines in (("left-out", found.problems), ("odd", found.notes)):
        for line in lines:
            print(json.dumps({"about": about, **line._asdict()}))
    said = {
        "about": "feed",
        "sha256": found.sha256,
        "files": found.files,
        "advisories": found.count,
        "components": len(found.places),
        "ecosystems": dict(sorted(found.ecosystems().items())),
    }
    print(json.dumps(said))


def _matches(found: Feed, asked: str, *, as_json: bool) -> None:
    from correlators.advisories.component import component

    named, _, version = asked.rpartition("@")
    kind, _, name = named.partition("/")
    purl = f"pkg:{kind}/{name}@{version}" if name else None
    of = component(name.rpartition("/")[2] or kind, version, purl)
    if of is None or not named:
        raise Mistake(
            f"{asked!r} is no component to look for; give one as pypi/vllm@0.8.4 or vllm@0.8.4"
        )
    for advisory, fixed in found.matches(of):
        said = {
            "id": advisory.common,
            "severity": advisory.severity,
            "fixed": fixed,
            "title": shown.text(advisory.title, 100),
        }
        if as_json:
            print(json.dumps({key: value for key, value in said.items() if value is not None}))
        else:
            mend = f"mended in {shown.text(fixed)}" if fixed else "no mended version is known"
            print(f"{advisory.severity:<13} {shown.text(advisory.common)}  {mend}  {said['title']}")
