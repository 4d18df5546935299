"""Rules: the files that a user names and the built-in ones, read within bounds."""

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from correlators import ruleset
from correlators.document import Document, Faulty, Problem
from correlators.ruleset import CASES, SUFFIX, Ruleset
from correlators.sigma.processing import Processing
from correlators.sigma.processing import processing as processed
from infra.shown import text
from schemas.config import RulesConfig
from schemas.errors import Mistake

SUFFIXES: Final = (SUFFIX, ".yaml")  # the second is how other rule sets end their files
LARGEST: Final = 10 * 2**20  # bytes of one file
TOLD: Final = 100  # problems; the others are counted


class RuleFile(NamedTuple):
    """A file of rules, and the cases beside it (`<stem>.cases.yml`)."""

    document: Document
    cases: Document | None


def load(config: RulesConfig, *, external: bool = False) -> Ruleset:
    """As `collected`; what cannot be used, of the rules and of one of them, is told on stderr."""
    loaded = collected(config, external=external)
    told = [f"{text(problem)}; the rule is left out" for problem in loaded.problems]
    told += [text(note) for note in loaded.notes]
    for line in told[:TOLD]:
        print(line, file=sys.stderr)
    if len(told) > TOLD:
        print(f"{len(told) - TOLD} more problems, barograph rules check names all", file=sys.stderr)
    return loaded


def collected(config: RulesConfig, *, external: bool = False) -> Ruleset:
    """The built-in rules and those of the files and folders of the configuration.

    A rule that cannot be used is left out. It is a Mistake if the configuration is `strict`, as is
    one that lacks a part, and if nothing is left of what it names. `external`: correlations may
    refer to rules that are not here.
    """
    loaded = parsed(config, external=external)
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
            (_document(Path(path), "a pipeline") for path in config.pipelines),
            (_document(Path(path), "a file of placeholders") for path in config.placeholders),
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
    is larger than LARGEST or no text is a Document with a fault.
    """
    for file in files(paths):
        beside = file.with_name(file.stem + CASES)
        yield RuleFile(_document(file), _document(beside) if beside.is_file() else None)


def builtin() -> Iterator[RuleFile]:
    """The rule files that come with the package."""
    cases = ruleset.builtin_cases()
    for document in ruleset.builtin():
        yield RuleFile(document, cases.get(document.path))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    # What a name with a dot hides is no rule of this folder: `.git`, and where Kubernetes keeps the
    # versions of a ConfigMap.
    found = sorted(
        file
        for end in SUFFIXES
        for file in path.rglob(f"*{end}")
        if not file.name.endswith(CASES)
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise Mistake(f"{path} holds no rules; name a folder with {SUFFIX} files")
    return found


def _document(file: Path, wanted: str = "a file or folder of rules") -> Document:
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Mistake(f"cannot read {file}: {reason}; name {wanted}") from None
    if len(data) > LARGEST:
        fault = Problem(str(file), None, f"larger than {LARGEST} bytes: divide it")
        return Document(str(file), "", fault)
    try:
        return Document(str(file), data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = Problem(str(file), line, "not UTF-8: save it as UTF-8")
        return Document(str(file), data.decode(errors="replace"), fault)
