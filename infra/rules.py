"""Rules: the files that a user names and the built-in ones, read within bounds."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from correlators import ruleset
from correlators.document import Document
from correlators.ruleset import CASES, SUFFIX, Ruleset
from schemas.errors import Mistake

LARGEST: Final = 10 * 2**20  # bytes of one file


class RuleFile(NamedTuple):
    """A file of rules, and the cases beside it (`<stem>.cases.yml`)."""

    document: Document
    cases: Document | None


def load(
    paths: Iterable[str | Path] = (), *, builtin: bool = True, external: bool = False
) -> Ruleset:
    """The built-in rules and those of these files and folders. Any Problem is a Mistake.

    `external`: correlations may refer to rules that are not here.
    """
    loaded = parsed(paths, builtin=builtin, external=external)
    if loaded.problems:
        others = len(loaded.problems) - 1
        more = f" (and {others} more, barograph rules check names all)" if others else ""
        raise Mistake(f"{loaded.problems[0]}{more}")
    return loaded


def parsed(
    paths: Iterable[str | Path] = (), *, builtin: bool = True, external: bool = False
) -> Ruleset:
    """As `load`, with its Problems."""
    documents = chain(ruleset.builtin() if builtin else (), (file.document for file in read(paths)))
    return ruleset.parse(documents, external=external)


def files(paths: Iterable[str | Path]) -> list[Path]:
    """The rule files at `paths`, folders searched to the bottom, by name; none twice."""
    return list(dict.fromkeys(chain.from_iterable(map(_files, map(Path, paths)))))


def read(paths: Iterable[str | Path]) -> Iterator[RuleFile]:
    """The rule files at `paths`, folders searched to the bottom, by name; none twice.

    A path that is not there or cannot be read, a folder without rules, and a file larger than
    LARGEST are Mistakes.
    """
    for file in files(paths):
        beside = file.with_name(file.name.removesuffix(SUFFIX) + CASES)
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
        for file in path.rglob(f"*{SUFFIX}")
        if not file.name.endswith(CASES)
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise Mistake(f"{path} holds no rules; name a folder with {SUFFIX} files")
    return found


def _document(file: Path) -> Document:
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Mistake(f"cannot read {file}: {reason}; name a file or folder of rules") from None
    if len(data) > LARGEST:
        raise Mistake(f"{file} is larger than {LARGEST} bytes; divide it") from None
    try:
        return Document(str(file), data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Mistake(f"{file} is not UTF-8 at byte {error.start}; save it as UTF-8") from None
