"""Places: where in its file each rule stands, with the line of everything in it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from correlators.document import Document, Faulty, Part, parts
from correlators.sigma import atr
from correlators.sigma.outline import Node, outline
from correlators.sigma.processing import NONE, Processing


class Places:
    """The documents of some files by path and id; a file is read when it is first asked for."""

    def __init__(self, documents: Iterable[Document], processing: Processing = NONE) -> None:
        self._processing = processing
        self._documents = {document.path: document for document in documents}
        self._parts: dict[str, dict[str, Part]] = {}

    def of(self, path: str, id_: str) -> Part | None:
        """The document of a rule that is loaded; a rule of ATR as the Sigma rule that it is."""
        return self._read(path).get(id_)

    def outline(self, path: str, id_: str) -> Node | None:
        """The condition of a detection that is loaded; None of one that is not by itself whole."""
        part = self.of(path, id_)
        try:
            return None if part is None else outline(part, self._processing)
        except Faulty:
            return None

    def line(self, path: str, id_: str) -> int:
        """The line where a rule begins; a file with one rule is not read for it."""
        text = self._documents[path].text
        if "\n---" not in text and not text.startswith(("---", "%")):
            lines = enumerate(text.splitlines(), 1)
            return next((n for n, line in lines if line.strip() and line.lstrip()[0] != "#"), 1)
        part = self.of(path, id_)
        return 1 if part is None else part.line

    def owner(self, path: str, line: int | None) -> int | None:
        """The line where the rule begins that a line belongs to."""
        begins = [part.line for part in self._read(path).values()]
        return max((at for at in begins if line is not None and at <= line), default=None)

    def _read(self, path: str) -> dict[str, Part]:
        if path not in self._parts:
            found: dict[str, Part] = {}
            for part in parts(self._documents[path]):
                if isinstance(part, Part):
                    try:
                        stated = atr.sigma(part).part if atr.KEY in part.data else part
                    except Faulty:  # a Problem of the rule set already
                        continue
                    found.setdefault(_identity(stated), stated)
            self._parts[path] = found
        return self._parts[path]


def _identity(part: Part) -> str:
    """What the loader calls the rule of a document."""
    stated, name = part.data.get("id"), part.data.get("name")
    if "legs" in part.data:
        return str(stated or part.stem)
    try:
        return str(UUID(str(stated)))
    except ValueError:
        return str(name or part.stem)
