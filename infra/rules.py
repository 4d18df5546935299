"""Rules: the files that a user names and the built-in ones, read within bounds."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from correlators import ruleset
from correlators.document import Document, Faulty, Problem
from correlators.ruleset import CASES, SUFFIX, Ruleset
from correlators.sigma.processing import Processing
from correlators.sigma.processing import processing as processed
from infra.terminal.shown import text
from schemas.config import RulesConfig
from schemas.errors import Mistake

SUFFIXES: Final = (SUFFIX, ".yaml")  # the second is how other rule sets end their files
CASE_SUFFIXES: Final = (CASES, ".cases.yaml")
Seen = dict[Path, tuple[int, int, int]]  # the inode, size and time of change of each file
LARGEST: Final = 10 * 2**20  # bytes of one file
TOLD: Final = 100  # problems; the others are counted


class RuleFile(NamedTuple):
    """A file of rules, and the cases beside it (`<stem>.cases.yml`, else `<stem>.cases.yaml`)."""

    document: Document
    cases: Document | None


def load(config: RulesConfig, *, external: bool = False) -> Ruleset:
    """As `collected`; what cannot be used, of the rules and of one of them, is told on stderr."""
    loaded = collected(config, external=external)
    _tell(loaded)
    return loaded


def related(config: RulesConfig) -> Ruleset:
    """The rules of these paths without stories, and the built-in ones they refer to.

    What cannot be used is told and left out as by `load`.
    """
    documents = [file.document for file in read(config.paths)]
    done = processing(config)
    loaded = ruleset.parse(documents, processing=done)
    if loaded.problems:
        mine = {document.text for document in documents}
        others = (document for document in ruleset.builtin() if document.text not in mine)
        whole = ruleset.parse(chain(others, documents), processing=done)
        whole = whole.only({document.path for document in documents})
        loaded = min(loaded, whole, key=lambda one: len(one.problems))
    _tell(_sound(loaded, config))
    return replace(loaded, convergences=())


def _tell(loaded: Ruleset) -> None:
    told = [f"{text(problem)}; the rule is left out" for problem in loaded.problems]
    told += [text(note) for note in loaded.notes]
    for line in told[:TOLD]:
        print(line, file=sys.stderr)
    if len(told) > TOLD:
        print(f"{len(told) - TOLD} more problems, barograph rules check names all", file=sys.stderr)


def collected(config: RulesConfig, *, external: bool = False) -> Ruleset:
    """The built-in rules and those of the files and folders of the configuration.

    A rule that cannot be used is left out. It is a Mistake if the configuration is `strict`, as is
    one that lacks a part, and if nothing is left of what it names. `external`: correlations may
    refer to rules that are not here.
    """
    return _sound(parsed(config, external=external), config)


def _sound(loaded: Ruleset, config: RulesConfig) -> Ruleset:
    problems = loaded.problems + (loaded.notes if config.strict else ())
    if problems and (config.strict or not _usable(loaded, config.paths)):
        more = f" (and {len(problems) - 1} more, barograph rules check names all)"
        raise Mistake(f"{problems[0]}{more if len(problems) > 1 else ''}")
    return loaded


def parsed(config: RulesConfig, *, external: bool = False) -> Ruleset:
    """As `collected`, whatever is wrong with the rules: its Problems say so."""
    given = (file.document for file in read(config.paths))
    documents = chain(ruleset.builtin() if config.builtin else (), given)
    return ruleset.parse(documents, external=external, processing=processing(config))


def processing(config: RulesConfig) -> Processing:
    """The pipelines and placeholders of the configuration; any Problem with them is a Mistake."""
    try:
        return processed(
            (_pipeline(path) for path in config.pipelines),
            (document(Path(path), "a file of placeholders") for path in config.placeholders),
        )
    except Faulty as faulty:
        raise Mistake(f"{faulty.problems[0]}; mend it there") from faulty


def _usable(loaded: Ruleset, paths: Iterable[str]) -> bool:
    """True if one at least of the files that a user named holds a rule that can be used."""
    found = {rule.detection.path for rule in loaded.rules}
    found.update(rule.path for rule in loaded.correlations)
    found.update(story.path for story in loaded.convergences)
    return not found.isdisjoint(map(str, files(paths)))


def files(paths: Iterable[str | Path]) -> list[Path]:
    """The rule files at `paths`, folders searched to the bottom, by name; none twice."""
    return list(dict.fromkeys(chain.from_iterable(map(_files, map(Path, paths)))))


def read(paths: Iterable[str | Path]) -> Iterator[RuleFile]:
    """The rule files at `paths`, folders searched to the bottom, by name; none twice.

    A path that is not there or cannot be read and a folder without rules are Mistakes; a file that
    is larger than LARGEST, no text, or in a folder and cannot be read is a Document with a fault.
    """
    paths = list(map(Path, paths))
    for file in files(paths):
        read_ = document if file in paths else _found
        beside = _beside(file)
        yield RuleFile(read_(file), None if beside is None else read_(beside))


def seen(config: RulesConfig) -> Seen:
    """What can be seen of the rule files without reading them; a file that is gone is not there."""
    found: Seen = {}
    for path in _named(config):
        with suppress(OSError):
            state = path.stat()
            found[path] = state.st_ino, state.st_size, state.st_mtime_ns
    return found


def _named(config: RulesConfig) -> list[Path]:
    try:
        return [*files(config.paths), *map(Path, (*config.pipelines, *config.placeholders))]
    except Mistake:
        return []


def stray(paths: Iterable[str | Path]) -> list[Problem]:
    """The files of cases in the folders at `paths` that belong to no rule, as after a rename."""
    taken = set(map(_beside, files(paths)))
    ends = " nor ".join(f"`{end}`" for end in SUFFIXES)
    found = {
        file
        for path in map(Path, paths)
        if path.is_dir()
        for file in _within(path, CASE_SUFFIXES)
        if file not in taken
    }
    return [Problem(str(file), None, _why(file, ends)) for file in sorted(found)]


def _beside(file: Path) -> Path | None:
    """The file of cases of a file of rules."""
    named = (file.with_name(file.stem + end) for end in CASE_SUFFIXES)
    return next((beside for beside in named if beside.is_file()), None)


def _why(file: Path, ends: str) -> str:
    stem = file.name.rpartition(CASES[: -len(SUFFIX)])[0]
    if any(file.with_name(stem + end).is_file() for end in SUFFIXES):
        return f"not read: the cases of `{stem}` are in {stem}{CASES}"
    return f"cases of no rule: beside it is no `{stem}` with {ends}"


def builtin() -> Iterator[RuleFile]:
    """The rule files that come with the package."""
    cases = ruleset.builtin_cases()
    for document in ruleset.builtin():
        yield RuleFile(document, cases.get(document.path))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    there = _within(path, SUFFIXES)
    found = sorted(file for file in there if not file.name.endswith(CASE_SUFFIXES))
    if not found:
        raise Mistake(f"{path} holds no rules; name a folder with {SUFFIX} files")
    return found


def _within(folder: Path, ends: Iterable[str]) -> Iterator[Path]:
    """The files of these endings at any depth.

    What a name with a dot hides does not belong to the folder: `.git`, and where Kubernetes keeps
    the versions of a ConfigMap.
    """
    for end in ends:
        for file in folder.rglob(f"*{end}"):
            hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
            if not hidden and not file.is_dir():
                yield file


def _pipeline(name: str) -> Document:
    """A file, or the pipeline of that name that comes with the package."""
    known = ruleset.pipeline(name) if name.isidentifier() else None
    return known or document(Path(name), "a pipeline")


def document(
    file: Path, wanted: str = "a file or folder of rules", most: int = LARGEST
) -> Document:
    """The text of a file, of at most so many bytes; with a fault where it is longer or no text.

    A file that cannot be read is a Mistake, which says what is `wanted`.
    """
    try:
        return _read(file, most)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Mistake(f"cannot read {file}: {reason}; name {wanted}") from None


def _found(file: Path) -> Document:
    """The text of a file that nobody named, as `document`; one with a fault if it is unreadable."""
    try:
        if file.is_file() or not file.exists():
            return _read(file, LARGEST)
        reason = "it is no regular file"  # a pipe that nobody writes to is never read to its end
    except OSError as error:
        reason = str(error.strerror)
    return Document(str(file), "", Problem(str(file), None, f"cannot read it: {reason}"))


def _read(file: Path, most: int) -> Document:
    with file.open("rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        fault = Problem(str(file), None, f"larger than {most} bytes: divide it")
        return Document(str(file), "", fault)
    try:
        return Document(str(file), data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = Problem(str(file), line, "not UTF-8: save it as UTF-8")
        return Document(str(file), data.decode(errors="replace"), fault)
