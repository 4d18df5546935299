"""SARIF: the rules of a run, and what a result says by them: message, place and mark."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

from schemas.canonical import digest
from streams.records.untrusted import listing, mapping, secret, text
from streams.source import Json, Unreadable

_GAP: Final = re.compile(r"\{(\d{1,2})\}")
_LINK: Final = re.compile(r"\[((?:[^\]\\]|\\.){1,256})\]\(\d{1,8}\)")  # to a related location
_LINE: Final = "primaryLocationLineHash"
_WITHHELD: Final = "requires login"  # what Semgrep writes for every print of who is not logged in
_CWE: Final = re.compile(r"(?:^|/)cwe-0*(\d{1,5})\b", re.IGNORECASE)
# How Trivy tells of a package inside the message.
_SAID: Final = re.compile(
    r"^(Package|Installed Version|Fixed Version): ([^\n]{1,256})$", re.MULTILINE
)
_PARTS: Final = {
    "Package": "package.name",
    "Installed Version": "package.version",
    "Fixed Version": "package.fixed_version",
}


class Rule(NamedTuple):
    """A rule as far as a result does not say the same itself."""

    id: str
    title: str
    level: str
    properties: dict[str, Json]
    messages: dict[str, Json]

    @property
    def tags(self) -> list[str]:
        """The words that the author put on it."""
        return [tag for one in listing(self.properties.get("tags"))[:32] if (tag := text(one, 64))]

    @property
    def cwe(self) -> list[str]:
        """The weaknesses that it looks for: `CWE-79`."""
        return numbers([*self.tags, *several(self.properties.get("cwe"))])

    @property
    def category(self) -> str | None:
        """The word of its author for rules like it."""
        return text(self.properties.get("category"), 128)


def numbers(told: Json) -> list[str]:
    """The weaknesses (`CWE-79`) that words speak of, each once."""
    found = (_CWE.search(one) for one in several(told) if isinstance(one, str))
    return list(dict.fromkeys(f"CWE-{one[1]}" for one in found if one))


def several(value: Json) -> list[Json]:
    """A list, or the one thing that stands for it."""
    return listing(value) or [value]


class Words(NamedTuple):
    """What a result says, where, and by what it is known again."""

    message: str
    where: str | None
    mark: str | None


class Rules:
    """The rules of the driver, and of its extensions, by their ids and numbers."""

    def __init__(self, driver: Json, extensions: list[Json]) -> None:
        self._lists = [[mapping(one) for one in listing(some)] for some in (driver, *extensions)]
        self._known = {
            id_: one
            for some in reversed(self._lists)
            for one in some
            if (id_ := text(one.get("id"), 256))
        }

    def of(self, said: dict[str, Json]) -> Rule:
        """The rule of a result. Raises Unreadable where the result names none."""
        by = mapping(said.get("rule"))
        id_ = text(said.get("ruleId"), 256) or text(by.get("id"), 256)
        found = self._at(said, by) if id_ is None else self._known.get(id_)
        # `CA2000/part` is a rule below `CA2000`.
        if found is None and id_ is not None:
            found = self._known.get(id_.rpartition("/")[0]) or self._at(said, by)
        told = found or {}
        # Gitleaks 7 names no rule, and says it in the message.
        words_ = text(mapping(said.get("message")).get("text"), 128)
        name = id_ or text(told.get("id"), 256) or words_
        if name is None or secret(name):
            raise Unreadable("wrong-shape", "a result has a ruleId")
        title = text(mapping(told.get("shortDescription")).get("text"), 512)
        return Rule(
            name,
            title or text(told.get("name"), 256) or name,
            text(mapping(told.get("defaultConfiguration")).get("level"), 16) or "warning",
            mapping(told.get("properties")),
            mapping(told.get("messageStrings")),
        )

    def _at(self, said: dict[str, Json], by: dict[str, Json]) -> dict[str, Json] | None:
        index = by.get("index", said.get("ruleIndex"))
        part = mapping(by.get("toolComponent")).get("index")
        some = part + 1 if isinstance(part, int) and not isinstance(part, bool) else 0
        if not 0 <= some < len(self._lists) or not isinstance(index, int):
            return None
        return self._lists[some][index] if 0 <= index < len(self._lists[some]) else None


def words(said: dict[str, Json], rule: Rule) -> Words:
    """Message, place and mark of a result."""
    path, line = _place(said)
    given = mapping(said.get("fingerprints"))
    # Of prints that are parts only GitHub's tells two equal lines of a file apart.
    given = given or {_LINE: mapping(said.get("partialFingerprints")).get(_LINE)}
    told = ((key[:128], text(value, 256)) for key, value in given.items())
    prints = sorted((key, one) for key, one in told if one and one != _WITHHELD)
    mark = digest(path, *(part for pair in prints for part in pair)) if prints else None
    where = ":".join(filter(None, (path, line)))
    return Words(_message(mapping(said.get("message")), rule), where or None, mark)


def software(message: str) -> dict[str, Json]:
    """Package, version and fixed version that a message lists."""
    return {_PARTS[name]: value.strip() for name, value in _SAID.findall(message) if value.strip()}


def _message(said: dict[str, Json], rule: Rule) -> str:
    told = text(said.get("text")) or text(said.get("markdown"))
    if told is None:
        form = mapping(rule.messages.get(text(said.get("id"), 64) or "default"))
        told = text(form.get("text")) or ""
    given = [text(one, 256) or "" for one in listing(said.get("arguments"))]
    told = _GAP.sub(lambda at: given[int(at[1])] if int(at[1]) < len(given) else at[0], told)
    told = _LINK.sub(r"\1", told)
    return "" if secret(told) else told


def _place(said: dict[str, Json]) -> tuple[str | None, str | None]:
    """File and line of the first location, or what it is called."""
    one = mapping(next(iter(listing(said.get("locations"))), None))
    physical = mapping(one.get("physicalLocation"))
    uri = text(mapping(physical.get("artifactLocation")).get("uri"), 512)
    line = text(mapping(physical.get("region")).get("startLine"), 16)
    if uri is not None:
        return unquote(uri).removeprefix("file://"), line
    logical = mapping(next(iter(listing(one.get("logicalLocations"))), None))
    return text(logical.get("fullyQualifiedName"), 512) or text(logical.get("name"), 512), None
