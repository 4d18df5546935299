"""Rules: the files that a user names and the built-in ones, read within bounds."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
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
    files = chain(ruleset.builtin() if builtin else (), (file.document for file in read(paths)))
    return _sound(ruleset.parse(files, external=external))


def _sound(loaded: Ruleset) -> Ruleset:
    if loaded.problems:
        others = len(loaded.problems) - 1
        more = f" (and {others} more, barograph rules check names all)" if others else ""
        raise Mistake(f"{loaded.problems[0]}{more}")
    return loaded


def related(paths: Iterable[str | Path]) -> Ruleset:
    """The rules of these files and folders, without stories, and the built-in ones they refer to.

    Any Problem is a Mistake.
    """
    documents = [file.document for file in read(paths)]
    loaded = ruleset.parse(documents)
    if loaded.problems:
        mine = {document.text for document in documents}
        others = (document for document in ruleset.builtin() if document.text not in mine)
        whole = ruleset.parse(chain(others, documents))
        loaded = loaded if whole.problems else whole.only({doc.path for doc in documents})
    return replace(_sound(loaded), convergences=())


def read(paths: Iterable[str | Path]) -> Iterator[RuleFile]:
    """The rule files at `paths`, folders searched to the bottom, by name; none twice.

    A path that is not there or cannot be read, a folder without rules, and a file larger than
    LARGEST are Mistakes.
    """
    for file in dict.fromkeys(chain.from_iterable(map(_files, map(Path, paths)))):
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
    files = sorted(file for file in path.rglob(f"*{SUFFIX}") if not file.name.endswith(CASES))
    if not files:
        raise Mistake(f"{path} holds no rules; name a folder with {SUFFIX} files")
    return files


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
