"""Feed: the advisories of all files that a user keeps, found by component.

A file holds OSV records (one, a list of them, `{"vulns": [...]}`, or one a line), or documents of
the YAML rule feed. What cannot be used is a Problem with its line, and matches nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from correlators.advisories import osv, rule_feed
from correlators.advisories.advisory import Advisory, Ruled
from correlators.advisories.component import Component
from correlators.document import Document, Problem, parts
from correlators.sigma.values import is_list, is_object
from schemas.canonical import digest

YAML: Final = (".yaml", ".yml")
JSON: Final = (".json", ".jsonl", ".ndjson")


class Match(NamedTuple):
    """An advisory that a component has; `fixed` is the nearest version above that is mended."""

    advisory: Advisory
    fixed: str | None


@dataclass(frozen=True)
class Feed:
    """Advisories by ecosystem and name. `sha256` is over the texts, in no order."""

    places: Mapping[tuple[str, str], tuple[Advisory, ...]] = field(
        default_factory=dict[tuple[str, str], tuple[Advisory, ...]]
    )
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    files: int = 0
    sha256: str = ""

    def __bool__(self) -> bool:
        return bool(self.places)

    @property
    def count(self) -> int:
        """How many advisories there are."""
        return sum(map(len, self.places.values()))

    def ecosystems(self) -> Counter[str]:
        """Advisories by ecosystem."""
        found = Counter[str]()
        for (ecosystem, _), held in self.places.items():
            found[ecosystem or "products by name"] += len(held)
        return found

    def knows(self, component: Component) -> bool:
        """True if it has advisories of the component, of whichever version."""
        return any(place in self.places for place in component.places)

    def matches(self, component: Component) -> list[Match]:
        """The advisories of that version, by id; none twice."""
        found: dict[str, Match] = {}
        for place in component.places:
            for one in self.places.get(place, ()):
                if one.common not in found and one.holds(component.version):
                    found[one.common] = Match(one, one.fixed(component.version))
        return [found[id_] for id_ in sorted(found)]


NONE: Final = Feed()


def feed(documents: Iterable[Document]) -> Feed:
    """The feed of these files."""
    held: dict[tuple[str, str], list[Advisory]] = {}
    problems: list[Problem] = []
    notes: list[Problem] = []
    texts: list[str] = []
    for document in documents:
        texts.append(digest(document.text))
        for found in _read(document):
            if isinstance(found, Problem):
                problems.append(found)
                continue
            held.setdefault((found.ecosystem, found.name), []).append(found)
            notes += _odd(document, found)
    places = {place: tuple(sorted(held[place], key=lambda one: one.id)) for place in sorted(held)}
    version = digest(*sorted(texts)) if texts else ""
    return Feed(places, tuple(problems), tuple(notes), len(texts), version)


def _odd(document: Document, found: Advisory) -> Iterator[Problem]:
    """What can be used and is hardly meant."""
    for one in found.affected:
        if isinstance(one, Ruled) and one.holds("0") and one.holds("99999999"):
            yield Problem(document.path, None, f"{found.id} holds for every version")


def _read(document: Document) -> Iterator[Advisory | Problem]:
    if document.fault is not None:
        yield document.fault
    elif document.path.lower().endswith(YAML):
        for part in parts(document):
            yield part if isinstance(part, Problem) else rule_feed.advisory(part)
    else:
        for line, record in _records(document):
            if isinstance(record, Problem):
                yield record
                continue
            for one in osv.advisories(record):
                yield Problem(document.path, line, str(one)) if isinstance(one, osv.Odd) else one


def _records(document: Document) -> Iterator[tuple[int | None, Any]]:
    """Each record, with its line where lines are records."""
    try:
        whole: Any = orjson.loads(document.text)
    except orjson.JSONDecodeError as error:
        lines = document.text.splitlines()
        if len(lines) < 2 or not _is_json(lines[0]):
            yield error.lineno, Problem(document.path, error.lineno, f"not JSON: {error.msg}")
            return
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _line(document, number, line)
        return
    if is_object(whole) and is_list(whole.get("vulns")):
        whole = whole["vulns"]
    for record in whole if is_list(whole) else [whole]:
        yield None, record


def _line(document: Document, number: int, line: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Problem(document.path, number, f"not JSON: {error.msg}")


def _is_json(line: str) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True
