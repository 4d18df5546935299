"""Every file of the samples, whatever it is: no crash, no hang, nothing lost without a word.

Each file is read as it is sniffed, by the reader and by the ingest stage, which judges records of
some sources before it decodes them. And each is read as a few sources that it mostly is not: which,
the name of the file decides, so that over all files each source meets hundreds of strange ones.
"""

import signal
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, get_args
from zlib import crc32

from correlators.routes import Routes
from correlators.ruleset import builtin, parse
from infra.dev.sources import SUFFIXES, counted, told
from schemas.canonical import canonical
from schemas.config import Limits
from schemas.event import Reject
from schemas.rows import Output, Result
from streams.finite import FiniteFile
from streams.ingest import Ingest, Progress
from streams.matchers import Matchers
from streams.reading import UNKNOWN, Outcome, outcomes
from streams.source import Reason, named, names

LIMITS: Final = Limits()
REASONS: Final = frozenset(get_args(Reason)) - {"defect"}
STRANGE: Final = 3  # sources that each file is read as besides
PATIENCE: Final = 20  # seconds of processor time for one file: a hang becomes a failure
PAGE: Final = Path(__file__).parents[3] / "docs/sources.md"


@contextmanager
def patience(path: Path) -> Generator[None]:
    def hangs(_: int, __: FrameType | None) -> None:
        raise AssertionError(f"{path} is not read to its end")

    before = signal.signal(signal.SIGVTALRM, hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def every_file(shared: Path) -> list[Path]:
    return [path for path in sorted((shared / "corpora").rglob("*")) if path.is_file()]


def read(path: Path, name: str | None = None) -> list[Outcome]:
    with patience(path):
        found = list(outcomes(str(path), LIMITS, named(name) if name else None))
    for number, (result, _) in enumerate(found, 1):
        if isinstance(result, Reject):
            assert result.reason in REASONS, (path, name, result)
            assert result.detail
            assert len(result.sha256) == 64
            assert result.origin == f"file:{path}#{number}"
        else:
            canonical(result.event.body())
    return found


def rejected(found: list[Outcome]) -> int:
    return sum(isinstance(one.result, Reject) for one in found)


def test_every_file_as_it_is_sniffed(shared: Path) -> None:
    rules = parse(builtin())
    matchers, routes = Matchers(rules.rules), Routes(rules)
    reasons = Counter[str]()
    of: list[tuple[str, list[Outcome]]] = []
    for path in every_file(shared):
        found = read(path)
        reasons.update(one.result.reason for one in found if isinstance(one.result, Reject))
        file = FiniteFile(str(path), LIMITS, None)
        if path.suffix.lower() in SUFFIXES:
            of.append((file.source.NAME if file.source else UNKNOWN, found))
        progress = Progress()
        outputs: list[Output] = []
        ingest = Ingest(file.name, matchers, routes, named, None, LIMITS)
        with patience(path):
            while (chunk := file.read()) is not None:
                progress, told_ = ingest.step(progress, chunk)
                outputs += told_
        assert progress.read == len(found), path
        refused = [o for o in outputs if isinstance(o, Result) and o.kind == "reject"]
        assert len(refused) == progress.rejected, path
        # What matches nothing and speaks of no asset is never looked at whole.
        whole = file.source is None or file.source.NARROW is None
        assert progress.rejected <= rejected(found), path
        assert progress.rejected == rejected(found) or not whole, path
    assert set(reasons) <= REASONS
    samples = {name: str(one) for name, one in counted(of).items()}
    page = told(PAGE.read_text("utf-8"))
    assert {name: said for name, said in page.items() if said != "none"} == samples


def test_every_file_as_what_it_is_not(shared: Path) -> None:
    known = names()
    met = Counter[str]()
    for path in every_file(shared):
        where = crc32(str(path.relative_to(shared)).encode())
        for turn in range(min(STRANGE, len(known))):
            name = known[(where + turn * (1 + where // len(known))) % len(known)]
            read(path, name)
            met[name] += 1
    assert set(met) == set(known)
