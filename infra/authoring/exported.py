"""Exported: the files of an export on disk, and what pySigma says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from infra.authoring.exporting import FOLDERS, MARK, Exported
from schemas.errors import Mistake

_HEAD: Final = 512  # characters of a file in which the mark stands


class Refusal(NamedTuple):
    """A rule that pySigma does not read, and its reason."""

    name: str
    reason: str


def write(folder: Path, rules: Iterable[Exported]) -> int:
    """Write the files, and remove those of an earlier export that are not among them.

    Returns how many were removed. Nothing that is not of an export is touched: where one of the
    files would take its place, nothing is written and it is a Mistake.
    """
    texts = {folder / one.name: one.text for one in rules if one.text is not None}
    target = folder
    try:
        for target in texts:
            if target.exists() and not _marked(target):
                raise Mistake(f"{target} is no file of an export; move it, or name another folder")
        stale = [path for path in _there(folder) if path not in texts and _marked(path)]
        for target, text in texts.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        for target in stale:
            target.unlink()
    except OSError as error:
        raise Mistake(f"cannot write {target}: {error.strerror}; name another folder") from None
    return len(stale)


def _there(folder: Path) -> Iterator[Path]:
    for name in FOLDERS:
        yield from sorted((folder / name).glob("*.yml"))


def _marked(path: Path) -> bool:
    with path.open("rb") as file:
        return MARK in file.read(_HEAD).decode(errors="replace")


def refused(rules: Iterable[Exported]) -> Iterator[Refusal]:
    """Which of the exported rules pySigma does not read; it reads no folder that holds one."""
    read: dict[str, SigmaCollection] = {}
    for one in rules:
        if one.text is None:
            continue
        try:
            read[one.name] = _read(one.text)
        except (SigmaError, yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
            yield Refusal(one.name, _plain(error))
    together = SigmaCollection.merge(read.values(), resolve_references=False)
    for name, collection in read.items():
        try:
            for rule in collection.rules:
                if isinstance(rule, SigmaCorrelationRule):
                    rule.resolve_rule_references(together)
        except SigmaError as error:
            yield Refusal(name, _plain(error))


def _read(text: str) -> SigmaCollection:
    read = SigmaCollection.from_yaml(text, collect_filters=True, resolve_references=False)
    sections = [rule.detection for rule in read.rules if isinstance(rule, SigmaRule)]
    for section in (*sections, *(further.filter for further in read.filters)):
        for condition in section.parsed_condition:
            condition.parse()
    return read


def _plain(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
