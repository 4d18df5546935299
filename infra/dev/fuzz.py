"""Fuzz: each source over documents that were made worse, for as long as asked.

A problem is: an exception that is no Unreadable, a reject with the reason `defect` or without a
detail, an Event that is none when it is read again, another outcome the second time, and more than
2 s of processor time for each MB. Its input is saved. What a source does with an input that it did
with none before makes that input a seed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final, NamedTuple, get_args

import orjson

from infra.dev.mutation import Mutator
from infra.dev.sources import EXAMPLES, files, sniffed
from schemas.canonical import canonical
from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import Outcome, Reader
from streams.source import HEAD, Reason, Source, sources

OUT: Final = Path("out/fuzz")
SLOW: Final = 2.0  # seconds of processor time for each MB
LEAST: Final = 0.2  # and for a document, however small
HANGS: Final = 30.0  # seconds after which nobody waits any longer
SEEDS: Final = 400
SEED_BYTES: Final = 64 * 1024
GROWN: Final = 2000  # seeds with those that were found
AGAIN: Final = 8  # one input in so many is read twice
DETAIL: Final = 24
LIMITS: Final = Limits(record_bytes=2**20, document_bytes=2**21)


class Hang(BaseException):
    """Raised into what does not end; no `except Exception` holds it."""


class Found(NamedTuple):
    """A problem, and the input that shows it."""

    kind: str
    detail: str
    document: bytes


class Tally:
    """What came of the inputs of one source."""

    def __init__(self, hangs: float) -> None:
        self.hangs = hangs
        self.inputs = self.size = self.records = self.parsed = 0
        self.shapes: set[str] = set()
        self.found: dict[str, Found] = {}


def fuzz(
    source: Source, seeds: Sequence[bytes], seconds: float, seed: int = 0, hangs: float = HANGS
) -> Tally:
    """Read worse and worse documents for `seconds` of processor time, none longer than `hangs`."""
    random, tally = Random(f"{source.NAME} {seed}"), Tally(hangs)  # noqa: S311 - documents, no secrets
    pool = [one for one in seeds if len(one) <= SEED_BYTES] or [one[:SEED_BYTES] for one in seeds]
    mutator = Mutator(random, pool)
    _one(source, b"", tally, twice=True)
    for document in pool:
        _one(source, document, tally, twice=True)
    end = time.process_time() + seconds
    while time.process_time() < end:
        document = mutator.worse(random.choice(pool))
        if _one(source, document, tally, twice=random.randrange(AGAIN) == 0):
            pool.append(document)
            if len(pool) > GROWN:  # a later one for one that was found before
                del pool[random.randrange(len(seeds), len(pool))]
    return tally


def _one(source: Source, document: bytes, tally: Tally, *, twice: bool) -> bool:
    """Read a document; True if something became of it that became of none before."""
    tally.inputs += 1
    tally.size += len(document)
    before = len(tally.shapes)
    try:
        with _patience(tally.hangs):
            started = time.process_time()
            source.sniff(document[:HEAD])
            found = list(Reader(source, "file:x", LIMITS).read(document, 0))
            spent = time.process_time() - started
            for outcome in found:
                tally.records += 1
                tally.parsed += not isinstance(outcome.result, Reject)
                _checked(outcome, document, tally)
            if spent > _allowed(document) and _least(source, document) > _allowed(document):
                _note(tally, "slow", f"{spent:.1f} s for {len(document)} bytes", document)
            if twice and _bodies(found) != _bodies(
                Reader(source, "file:x", LIMITS).read(document, 0)
            ):
                _note(tally, "differs", "another outcome the second time", document)
    except Hang:
        _note(tally, "hang", f"no end after {tally.hangs:g} s", document)
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        _note(tally, "crash", repr(error), document)
    return len(tally.shapes) > before


def _checked(outcome: Outcome, document: bytes, tally: Tally) -> None:
    result = outcome.result
    if isinstance(result, Reject):
        tally.shapes.add(f"{result.reason} {result.detail[:DETAIL]}")
        if result.reason == "defect":
            _note(tally, "defect", result.detail, document)
        elif result.reason not in get_args(Reason) or not result.detail:
            _note(tally, "reject", f"{result.reason!r} {result.detail!r}", document)
        return
    event = result.event
    body = event.body()
    kinds = sorted({entity.kind for entity in event.entities})
    relations = sorted({edge.relation for edge in event.edges})
    names = sorted({*event.attributes, *result.private})
    shape = (event.class_uid, event.status, event.severity, event.client is None, kinds, relations)
    tally.shapes.add(f"{shape} {names if len(names) < 40 else len(names)}")
    if Event.model_validate(orjson.loads(canonical(body))) != event:
        _note(tally, "unequal", "the event is another when it is read again", document)
    if len(canonical(body)) > 8 * (len(document) + 2**16):
        _note(tally, "grows", f"{len(canonical(body))} bytes of {len(document)}", document)


def _bodies(found: Iterable[Outcome]) -> list[bytes]:
    return [
        canonical(one.result.body() if isinstance(one.result, Reject) else one.result.event.body())
        for one in found
    ]


def _allowed(document: bytes) -> float:
    return max(LEAST, SLOW * len(document) / 2**20)


def _least(source: Source, document: bytes) -> float:
    """The least of a few times: others use the same processor."""
    times: list[float] = []
    for _ in range(3):
        started = time.process_time()
        list(Reader(source, "file:x", LIMITS).read(document, 0))
        times.append(time.process_time() - started)
    return min(times)


def _note(tally: Tally, kind: str, detail: str, document: bytes) -> None:
    tally.found.setdefault(f"{kind} {detail[:60]}", Found(kind, detail, document))


@contextmanager
def _patience(seconds: float) -> Generator[None]:
    def hang(_: int, __: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGVTALRM, hang)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def seeds(corpora: Path | None) -> dict[str, list[bytes]]:
    """What each source begins with: its examples, and samples of others where they are."""
    found: dict[str, list[bytes]] = {}
    for path in sorted(EXAMPLES.iterdir()):
        found.setdefault(path.name.partition(".")[0], []).append(path.read_bytes())
    if corpora is not None and corpora.is_dir():
        for path in files(corpora):
            if path.stat().st_size <= SEED_BYTES:
                name, _ = sniffed(path)
                if len(found.setdefault(name, [])) < SEEDS:
                    found[name].append(path.read_bytes())
    return found


def main(arguments: Sequence[str] | None = None, known: Mapping[str, Source] | None = None) -> int:
    """Fuzz all of these sources or those that are named; 1 if a problem was found."""
    parser = argparse.ArgumentParser(prog="python -m infra.dev.fuzz", description=__doc__)
    parser.add_argument("source", nargs="*", help="name of a source (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each source (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="another one makes other documents")
    parser.add_argument("--out", type=Path, default=OUT, help="where inputs are saved")
    shared = Path(os.environ.get("BAROGRAPH_SHARED", "../shared"))
    parser.add_argument("--corpora", type=Path, default=shared / "corpora")
    args = parser.parse_args(arguments)
    known, begin = known or sources(), seeds(args.corpora)
    wrong = 0
    head = f"{'source':22}{'seeds':>7}{'inputs':>10}{'MB':>8}{'records':>10}{'parsed':>8}"
    print(f"{head}{'shapes':>8}{'problems':>10}", flush=True)
    for name in args.source or [name for name in known if ":" not in name]:
        start = begin.get(name) or [b"{}"]
        tally = fuzz(known[name], start, args.seconds, args.seed)
        parsed = tally.parsed / max(tally.records, 1)
        line = f"{name:22}{len(start):>7}{tally.inputs:>10,}{tally.size / 2**20:>8.0f}"
        line += f"{tally.records:>10,}{parsed:>8.0%}{len(tally.shapes):>8,}{len(tally.found):>10}"
        print(line, flush=True)
        for one in tally.found.values():
            wrong += 1
            args.out.mkdir(parents=True, exist_ok=True)
            file = args.out / f"{name}.{one.kind}.{sha256(one.document).hexdigest()[:12]}"
            file.write_bytes(one.document)
            print(f"  {one.kind}: {ascii(one.detail)[1:200]} ({file})", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
