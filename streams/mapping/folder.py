"""Folder: the mappings of a user, one file each in `mappings/` where the program runs.

`mappings/doors.yml` is the source `generic:doors`; what lies there is found as sources are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from correlators.document import Document, Faulty
from schemas.errors import Mistake
from streams.mapping.load import load
from streams.mapping.mapped import Mapped

FOLDER: Final = Path("mappings")
BEFORE: Final = "generic:"  # stands before the name of a mapping
SUFFIX: Final = ".yml"
CASES: Final = ".cases.yml"
LARGEST: Final = 2**20  # bytes of a file
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def names() -> list[str]:
    """The sources that the folder holds, sorted; none where there is no folder."""
    if not FOLDER.is_dir():
        return []
    files = (file for file in FOLDER.iterdir() if file.name.endswith(SUFFIX))
    stems = (file.name.removesuffix(SUFFIX) for file in files if not file.name.endswith(CASES))
    return sorted(BEFORE + stem for stem in stems if _NAME.fullmatch(stem))


def source(name: str) -> Mapped:
    """The source of that name, which is one of `names`; a file with a problem is a Mistake."""
    file = FOLDER / (name.removeprefix(BEFORE) + SUFFIX)
    try:
        stat = file.stat()
    except OSError as error:
        raise Mistake(f"cannot read {file}: {error.strerror}; write the mapping there") from None
    return _read(file.absolute(), str(file), name, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _read(file: Path, shown: str, name: str, _: int) -> Mapped:
    """The source of a file as it was changed last."""
    return mapped(file, shown, name)


def mapped(file: Path, shown: str, name: str) -> Mapped:
    """The source that a file describes; its first problem is a Mistake."""
    try:
        return Mapped(load(document(file, shown), name))
    except Faulty as faulty:
        more = len(faulty.problems) - 1
        rest = f" (and {more} more, `barograph mappings` names all)" if more else ""
        raise Mistake(f"{faulty.problems[0]}{rest}; mend it there") from None


def document(file: Path, shown: str) -> Document:
    """The text of a file, within bounds."""
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise Mistake(f"{shown} is larger than {LARGEST} bytes: that is no mapping")
        return Document(shown, data.decode("utf-8-sig"))
    except OSError as error:
        raise Mistake(f"cannot read {shown}: {error.strerror}; name a mapping") from None
    except UnicodeDecodeError:
        raise Mistake(f"{shown} is not UTF-8; save it as UTF-8") from None
