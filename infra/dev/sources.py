"""docs/sources.md: what each source reads and gives, from its code, its examples and samples."""

from __future__ import annotations

import argparse
import inspect
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from correlators.routes import Routes
from correlators.ruleset import Ruleset, builtin, parse
from correlators.sigma.values import is_object
from schemas.config import Limits
from schemas.event import Reject
from schemas.rows import Result, Row
from streams.matchers import Matchers
from streams.reading import UNKNOWN, Outcome, outcomes
from streams.records.documents import open_documents
from streams.source import Source, event_attributes, fields, sources
from streams.statements import Statements

OUT: Final = Path("docs/sources.md")
EXAMPLES: Final = Path("tests/streams/sources/examples")
SUFFIXES: Final = frozenset(
    {*(".cloudtrail", ".csv", ".json", ".jsonl", ".log", ".ndjson", ".sarif", ".txt")}
)
SHOWN: Final = 400  # names of fields that are listed
_HEAD: Final = """\
# Sources

What Barograph reads, by its own code and examples (`python -m infra.dev.sources` writes this page).
*Gives* is what the built-in rules make of the examples: kinds of assets, edges between them, and
facts; more may come of real records. *Samples* are records of third parties, which are not part of
this repository: how many are parsed of those in files that are sniffed as the source. For formats
of your own see [generic-source.md](generic-source.md).

"""
_ROW: Final = re.compile(r"^\| \[`([\w:]+)`\].*?\| ([^|]*) \| \d+ \|$", re.MULTILINE)


class Samples(NamedTuple):
    """How many files and records of others are of a source, and how many of these are parsed."""

    files: int = 0
    read: int = 0
    parsed: int = 0

    def __str__(self) -> str:
        if not self.read:
            return "none"
        return f"{self.parsed:,} of {self.read:,} in {self.files:,}"


class Given(NamedTuple):
    """What the events of some records give, each name once."""

    classes: set[str]
    kinds: set[str]
    edges: set[str]
    facts: set[str]
    detections: set[str]


class Page:
    """The page of all sources there are."""

    def __init__(self, examples: Path = EXAMPLES) -> None:
        rules = parse(builtin())
        self._said = {
            name: _Said(source, given(source, rules, examples))
            for name, source in sources().items()
            if ":" not in name  # a mapping of whoever runs this
        }

    def text(self, samples: Mapping[str, str]) -> str:
        """The page, with what is said of the samples of each source."""
        lines = [
            "| source | format | versions seen | fields | gives | samples | gaps |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [said.row(samples.get(name, "none")) for name, said in self._said.items()]
        details = "\n".join(said.details() for said in self._said.values())
        return f"{_HEAD}{len(self._said)} sources.\n\n" + "\n".join(lines) + "\n\n" + details


class _Said(NamedTuple):
    """What there is to say of one source."""

    source: Source
    given: Given

    def row(self, samples: str) -> str:
        name, given = self.source.NAME, self.given
        known = fields(self.source)
        gives = [
            _few("assets", given.kinds),
            _few("edges", {edge.split(" ")[1] for edge in given.edges}),
            _few("facts", given.facts),
        ]
        cells = (
            f"[`{name}`](#{name})",
            self.source.TITLE,
            _cell(str(getattr(self.source, "VERSIONS", "not said"))),
            str(len(known)) if known is not None else "open",
            "; ".join(filter(None, gives)) or "events",
            samples,
            str(len(_gaps(self.source))),
        )
        return f"| {' | '.join(cells)} |"

    def details(self) -> str:
        source, given = self.source, self.given
        lines = [f"## {source.NAME}", "", f"{source.TITLE}. {read_are(source)}", ""]
        told = source.LOGSOURCE.model_dump(exclude_none=True)
        where = ", ".join(f"{key} `{value}`" for key, value in told.items() if value)
        lines.append(f"- for rules over raw records: {where}" if source.NARROW else f"- {where}")
        lines += _listed("classes", given.classes)
        lines += _listed("assets", given.kinds)
        lines += _listed("edges", given.edges)
        lines += _listed("facts", given.facts)
        lines += _listed("detections that its examples match", given.detections)
        lines += [f"- gap: {gap}" for gap in _gaps(source)]
        lines += _names("fields of a raw record", fields(source))
        lines += _names("attributes of an event", event_attributes(source))
        return "\n".join(lines) + "\n"


def read_are(source: Source) -> str:
    """The paragraph of the module's docstring that says what is read."""
    _, _, rest = (inspect.getdoc(source) or "").partition("\n\n")
    parts = [" ".join(part.split()) for part in rest.split("\n\n")]
    return next((part for part in parts if part.startswith("Read")), " ".join(parts))


def given(source: Source, rules: Ruleset, examples: Path) -> Given:
    """What the examples of a source give with these rules."""
    matchers = Matchers(rules.rules)
    statements = Statements(matchers, Routes(rules))
    raw = matchers.raw(source)
    found = Given(set(), set(), set(), set(), set())
    for file in sorted(examples.glob(f"{source.NAME}.*")):
        for result, record in outcomes(str(file), Limits(), source):
            if isinstance(result, Reject):
                continue
            event = result.event
            vendor = raw.match(record) if raw is not None and is_object(record) else ()
            found.classes.add(event.class_name)
            found.kinds.update(entity.kind for entity in event.entities)
            found.edges.update(
                f"{e.from_.kind} {e.relation} {e.to.kind}" + (" (declared)" if e.declared else "")
                for e in event.edges
            )
            for output in statements.of(result, record, vendor, None):
                if type(output) is Row and output.kind == "fact":
                    found.facts.add(output.body["name"])
                elif type(output) is Result and output.kind == "signal":
                    found.detections.add(output.body["detection"])
    return found


def files(corpora: Path) -> Iterator[Path]:
    """The samples that may hold records, by name."""
    for path in sorted(corpora.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            yield path


def counted(found: Iterable[tuple[str, Sequence[Outcome]]]) -> dict[str, Samples]:
    """The samples by the name of the source that they were sniffed as."""
    number, read, parsed = Counter[str](), Counter[str](), Counter[str]()
    for name, results in found:
        number[name] += 1
        read[name] += len(results)
        parsed[name] += sum(not isinstance(one.result, Reject) for one in results)
    return {
        name: Samples(number[name], read[name], parsed[name]) for name in number if name != UNKNOWN
    }


def sniffed(path: Path) -> tuple[str, list[Outcome]]:
    """The source of a file, and the outcome of each of its records."""
    with open_documents(path, Limits()) as documents:
        source = documents.source
    if source is None:
        return UNKNOWN, []
    return source.NAME, list(outcomes(str(path), Limits(), source))


def told(page: str) -> dict[str, str]:
    """What a page says of samples, by source."""
    return dict(_ROW.findall(page))


def _gaps(source: Source) -> tuple[str, ...]:
    return tuple(getattr(source, "GAPS", ()))


def _few(what: str, names: set[str]) -> str:
    return f"{what} {', '.join(sorted(names))}" if names else ""


def _listed(what: str, names: set[str]) -> list[str]:
    return [f"- {what}: {', '.join(sorted(names))}"] if names else []


def _names(what: str, names: Iterable[str] | None) -> list[str]:
    if names is None:
        return [f"- {what}: not said"]
    shown = sorted(set(names) - {"*"})
    listed = " ".join(f"`{_cell(name)}`" for name in shown[:SHOWN])
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    others = " and whatever else a record says" if "*" in set(names) else ""
    summary = f"{len(shown)} {what}{others}"
    return ["", f"<details><summary>{summary}</summary>", "", f"{listed}{more}", "", "</details>"]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page; without samples beside us what it says of them stays."""
    parser = argparse.ArgumentParser(prog="python -m infra.dev.sources", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    shared: Any = os.environ.get("BAROGRAPH_SHARED", "../shared")
    parser.add_argument(
        "--corpora",
        type=Path,
        default=Path(shared) / "corpora",
        help="folder of third-party samples (default: ../shared/corpora)",
    )
    args = parser.parse_args(arguments)
    samples = told(args.out.read_text("utf-8")) if args.out.exists() else {}
    if args.corpora.is_dir():
        found = counted(map(sniffed, files(args.corpora)))
        samples = {name: str(one) for name, one in found.items()}
    args.out.write_text(Page().text(samples), "utf-8")


if __name__ == "__main__":
    main()
