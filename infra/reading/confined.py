"""Confined: a query in a process of its own, with bounded time and memory: it may be anybody's.

DuckDB counts what its tables and sorts take, but a function like repeat() takes what it wants, and
some cannot be interrupted. The system can count and end a process.
"""

from __future__ import annotations

import io
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict

from schemas.errors import Mistake, Slow, Unavailable

if TYPE_CHECKING:
    import polars as pl

    from infra.reading.reader import Answer

MEMORY: Final = 3 * 2**30  # of addresses; 1 GB of it is DuckDB's own bound
PATIENCE: Final = 30.0  # seconds beside the query's own: to start, and to be interrupted
SLOW: Final = 3.0  # seconds, after which somebody wonders
PASSED: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")  # no secret of ours goes along


class Bounds(TypedDict):
    """How many rows at most, and how many seconds."""

    rows: int
    seconds: float


class _Order(NamedTuple):
    """What the process is asked for: it answers with the kind of what it gives and that."""

    path: Path
    query: str
    parameters: Sequence[object] | Mapping[str, object]
    rows: int
    seconds: float
    frame: bool


def answer(
    path: Path,
    query: str,
    parameters: Sequence[object] | Mapping[str, object] = (),
    *,
    rows: int,
    seconds: float,
    slow: Callable[[], object] = lambda: None,
) -> Answer:
    """As `Reader.run` over `path`; `slow` is called once if it takes a while."""
    found: Answer = _done(_Order(path, query, parameters, rows, seconds, frame=False), slow)
    return found


def frame(
    path: Path,
    query: str,
    parameters: Sequence[object] | Mapping[str, object] = (),
    *,
    rows: int,
    seconds: float,
    slow: Callable[[], object] = lambda: None,
) -> pl.DataFrame:
    """As `Reader.frame` over `path`; `slow` is called once if it takes a while."""
    import polars as pl  # noqa: PLC0415 - takes as long as all the rest

    found = _done(_Order(path, query, parameters, rows, seconds, frame=True), slow)
    return pl.read_ipc(io.BytesIO(found))


def _done(order: _Order, slow: Callable[[], object]) -> Any:  # noqa: ANN401 - an Answer or bytes
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "infra.reading.confined"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in PASSED if name in os.environ},
    )
    with process:
        try:
            said, last = _said(process, pickle.dumps(order), order.seconds + PATIENCE, slow)
        except subprocess.TimeoutExpired:
            from infra.reading.reader import too_long  # noqa: PLC0415 - as above

            raise Slow(too_long(order.seconds)) from None
        finally:
            process.kill()
    if process.returncode > 0 and b"MemoryError" not in last:
        raise RuntimeError(last.decode(errors="replace"))  # a defect of ours
    if not said:
        from infra.reading.reader import TOO_LARGE  # noqa: PLC0415 - as above

        raise Mistake(TOO_LARGE)
    kind, found = pickle.loads(said)  # noqa: S301 - our own process
    match kind:
        case "slow":
            raise Slow(found)
        case "mistake":
            raise Mistake(found)
        case "unavailable":
            raise Unavailable(found)
        case _:
            return found


def _said(
    process: subprocess.Popen[bytes], asked: bytes, seconds: float, slow: Callable[[], object]
) -> tuple[bytes, bytes]:
    """What it wrote to stdout and to stderr."""
    try:
        return process.communicate(asked, timeout=min(SLOW, seconds))
    except subprocess.TimeoutExpired:
        slow()
        return process.communicate(timeout=max(seconds - SLOW, 0))


def _serve() -> None:
    """Answer the order on stdin; if this process ends without, its memory was not enough."""
    order: _Order = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own process
    processor = int(2 * (order.seconds + PATIENCE)) + 1  # it has two threads
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.stdout.buffer.write(_answered(order))


def _answered(order: _Order) -> bytes:
    from infra.reading.reader import TOO_LARGE, Reader  # noqa: PLC0415 - not in the asking process

    asked = order.query, order.parameters
    bounds: Bounds = {"rows": order.rows, "seconds": order.seconds}
    try:
        with Reader(order.path) as reader:
            if not order.frame:
                return pickle.dumps(("answer", reader.run(*asked, **bounds)))
            told = io.BytesIO()
            reader.frame(*asked, **bounds).write_ipc(told)
            return pickle.dumps(("frame", told.getvalue()))
    except Slow as slow:
        return pickle.dumps(("slow", str(slow)))
    except Mistake as mistake:
        return pickle.dumps(("mistake", str(mistake)))
    except Unavailable as unavailable:
        return pickle.dumps(("unavailable", str(unavailable)))
    except MemoryError:
        return pickle.dumps(("mistake", TOO_LARGE))


if __name__ == "__main__":
    _serve()
