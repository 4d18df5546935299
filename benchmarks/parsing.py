"""Parsing: how fast each source is read by one core, with orjson.loads beside it as the floor.

The examples of a source are repeated: lines as NDJSON, a report by making its longest list longer.
`parse` makes an Event of every record; `ingest` is what a run does, with the built-in rules. Of
sources that are judged before they are decoded, `1 in 100` is ingest over records of which one in a
hundred speaks of an AI asset, as in an audit log. Processor time, the best of a few runs.

    python benchmarks/parsing.py [--mb 50] [--seconds 2] [SOURCE ...]
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from correlators.routes import Routes
from correlators.ruleset import Ruleset, builtin, parse
from schemas.config import Limits
from streams.finite import FiniteFile
from streams.ingest import Ingest, Progress
from streams.matchers import Matchers
from streams.reading import Reader
from streams.source import Narrow, Source, named, names

EXAMPLES: Final = Path(__file__).parents[1] / "tests/streams/sources/examples"
REPORT: Final = 5 * 2**20  # bytes of one report
RUNS: Final = 3


class Input(NamedTuple):
    """Documents, and whether each is a line."""

    documents: list[bytes]
    lines: bool

    def file(self, folder: Path, number: int) -> Path:
        """As a file; of reports the one of that number."""
        path = folder / f"{number}.json"
        path.write_bytes(b"\n".join(self.documents) if self.lines else self.documents[number])
        return path


class Speed(NamedTuple):
    """Bytes and records a second of processor time."""

    bytes: float
    records: float

    def __str__(self) -> str:
        return f"{self.bytes / 1e6:>8.1f} {self.records:>11,.0f}"


def examples(name: str, size: int) -> Input | None:
    """About `size` bytes of the examples of a source; None of what is no JSON."""
    lines: list[bytes] = []
    reports: list[bytes] = []
    for path in sorted(EXAMPLES.glob(f"{name}.*")):
        if ".bad." in path.name:
            continue
        try:
            reports.append(orjson.dumps(orjson.loads(path.read_bytes())))
        except orjson.JSONDecodeError:
            lines += [line for line in path.read_bytes().splitlines() if line.strip()]
    if lines and all(map(_is_json, lines)):
        return Input(repeated(lines, size), lines=True)
    if not reports:
        return None
    if all(grown(report, REPORT) is None for report in reports):
        return Input(repeated(reports, size), lines=True)
    made = [big for report in reports if (big := grown(report, REPORT)) is not None]
    return Input(repeated(made, size), lines=False)


def repeated(parts: list[bytes], size: int) -> list[bytes]:
    """All of them again and again, at least once."""
    times = max(1, size // sum(map(len, parts)))
    return parts * times


def grown(report: bytes, size: int) -> bytes | None:
    """A report with its longest list made longer; None of one that has no list of objects."""
    whole = orjson.loads(report)
    found = max(_lists(whole), key=lambda one: len(orjson.dumps(one)), default=None)
    if found is None:
        return None
    found *= max(1, size // max(1, len(orjson.dumps(found))))
    return orjson.dumps(whole)


def _lists(value: Any) -> Iterator[list[Any]]:  # noqa: ANN401 - JSON
    level = [value]
    while level:
        below: list[Any] = []
        for one in level:
            if isinstance(one, list) and one and all(isinstance(x, dict) for x in one):
                yield one
            below += one.values() if isinstance(one, dict) else one if isinstance(one, list) else []
        level = below


def rare(source: Source, given: Input) -> Input | None:
    """The same lines, of which only one in a hundred speaks of an AI asset."""
    if source.NARROW is None or not given.lines:
        return None
    kinds = {line: _ordinary(line, source.NARROW) for line in set(given.documents)}
    documents = [line if n % 100 == 0 else kinds[line] for n, line in enumerate(given.documents)]
    return Input(documents, lines=True)


def _ordinary(line: bytes, narrow: Narrow) -> bytes:
    record = orjson.loads(line)
    others = dict.fromkeys(narrow.relevant, "other.example")
    for path, value in (others | {at: min(known) for at, known in narrow.ordinary.items()}).items():
        *way, last = path.split(".")
        inside: Any = record
        for key in way:
            inside = inside.get(key, {}) if isinstance(inside, dict) else {}
        if isinstance(inside, dict) and last in inside:
            inside[last] = value
    return orjson.dumps(record)


def timed(work: Callable[[bytes], int], documents: Sequence[bytes], seconds: float) -> Speed:
    """The speed of the work over as many documents as fit into the time."""
    size = records = 0
    started = time.process_time()
    for document in documents:
        records += work(document)
        size += len(document)
        if time.process_time() - started > seconds:
            break
    spent = max(time.process_time() - started, 1e-9)
    return Speed(size / spent, records / spent)


def ingested(source: Source, given: Input, rules: Ruleset, folder: Path, seconds: float) -> Speed:
    """The speed of a run over files."""
    matchers, routes = Matchers(rules.rules), Routes(rules)
    size, spent = 0, 0.0
    total = Progress()
    for number in range(1 if given.lines else len(given.documents)):
        path = given.file(folder, number)
        file = FiniteFile(str(path), Limits(), source)
        stage = Ingest(file.name, matchers, routes, named, None, Limits())
        started = time.process_time()
        while (chunk := file.read()) is not None:
            total, _ = stage.step(total, chunk)
            size += sum(map(len, chunk.documents))
            if spent + time.process_time() - started > seconds:
                break
        spent += time.process_time() - started
        if spent > seconds:
            break
    return Speed(size / max(spent, 1e-9), total.read / max(spent, 1e-9))


def best(measure: Callable[[], Speed]) -> Speed:
    """The fastest of a few: what else runs here can only slow it."""
    return max((measure() for _ in range(RUNS)), key=lambda one: one.bytes)


def row(name: str, size: int, seconds: float, rules: Ruleset, folder: Path) -> str:
    """A line of the table."""
    source, given = named(name), examples(name, size)
    if given is None:
        return f"{name:20} no JSON"
    reader = Reader(source, "file:x", Limits())

    def loads(document: bytes) -> int:
        orjson.loads(document)
        return 0

    def read(document: bytes) -> int:
        return sum(1 for _ in reader.read(document, 0))

    floor = best(lambda: timed(loads, given.documents, seconds)).bytes / 1e6
    cells = [str(best(lambda: timed(read, given.documents, seconds)))]
    cells.append(str(best(lambda: ingested(source, given, rules, folder, seconds))))
    few = rare(source, given)
    if few is not None:
        cells.append(str(best(lambda: ingested(source, few, rules, folder, seconds))))
    kind = "lines" if given.lines else "report"
    return f"{name:20} {kind:6} {floor:>7.0f} {' '.join(cells)}"


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="*")
    parser.add_argument("--mb", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement, at most")
    args = parser.parse_args()
    rules = parse(builtin())
    gc.set_threshold(200_000, 20, 100)  # as the command line has it
    print(f"{'':20} {'':6} {'loads':>7} {'parse':>20} {'ingest':>20} {'1 in 100':>20}")
    print(f"{'source':20} {'':6} {'MB/s':>7}" + f" {'MB/s':>8} {'records/s':>11}" * 3)
    with tempfile.TemporaryDirectory() as folder:
        for name in args.source or names():
            print(row(name, args.mb * 2**20, args.seconds, rules, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
