"""Intel: the advisory files that a user names, read within bounds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from correlators.advisories.feed import JSON, NONE, YAML, Feed, feed
from infra.rules import document
from infra.terminal import shown
from schemas.config import Config, IntelConfig
from schemas.errors import Mistake

SUFFIXES: Final = (*JSON, *YAML)
LARGEST: Final = 256 * 2**20  # bytes of one file
MOST: Final = 500_000  # files: every advisory of one ecosystem is a file in what OSV publishes
DIGITS: Final = 12  # of a sha256 that people compare


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--intel`."""
    parser.add_argument(
        "--intel",
        action="append",
        default=[],
        metavar="PATH",
        help="file or folder of advisories (OSV, YAML rules) beside [intel]; may be repeated",
    )


def stated(config: Config, args: argparse.Namespace) -> Config:
    """The configuration with what the command line adds."""
    feeds = (*config.intel.feeds, *args.intel)
    return config.model_copy(update={"intel": IntelConfig(feeds=feeds)})


def load(config: IntelConfig) -> Feed:
    """The feed of the configuration; stderr has one line of it, and what of it cannot be used."""
    if not config.feeds:
        return NONE
    found = read(config.feeds)
    print(f"barograph: {summary(found)}", file=sys.stderr)
    if found.problems:
        first = shown.text(found.problems[0])
        more = f"barograph intel check lists all {len(found.problems)}"
        print(f"barograph: an advisory is left out: {first}; {more}", file=sys.stderr)
    return found


def summary(found: Feed) -> str:
    """A feed in one line."""
    names = shown.plural(len(found.places), "component")
    left = f", {len(found.problems):,} left out" if found.problems else ""
    advisories = "1 advisory" if found.count == 1 else f"{found.count:,} advisories"
    return f"intel {found.sha256[:DIGITS]}: {advisories} of {names}{left}"


def read(paths: Iterable[str]) -> Feed:
    """The feed of these files and folders; a path that is not there, or empty, is a Mistake."""
    return feed(document(file, "a file or folder of advisories", LARGEST) for file in _files(paths))


def _files(paths: Iterable[str]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found[path] = None
            continue
        inside = sorted(_inside(path))
        if not inside:
            raise Mistake(f"{path} holds no advisories; name a folder with {', '.join(SUFFIXES)}")
        found |= dict.fromkeys(inside)
        if len(found) > MOST:
            raise Mistake(f"{path} holds more than {MOST} files; name the folders that you need")
    return list(found)


def _inside(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.suffix.lower() in SUFFIXES and not hidden and file.is_file():
            yield file
