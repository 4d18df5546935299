"""Measures Sigma rules on generated CloudTrail, with peers beside us: same file, same rules.

    python benchmarks/sigma_rules.py [RECORDS ...]

Needs the shared generator and rules (BAROGRAPH_SHARED, default ../shared). rsigma is run where it
is found (RSIGMA, else PATH), routed and on one thread, and pySigma's SQLite backend where it is
installed. A bare decode of the file is the floor. Time is that of the processor, which a busy
machine spoils less than that of the clock; each row is a process of its own, median of RUNS, but a
peer runs once over more than SLOW records. Start and loading of rules are left out: ours measures
itself, of a peer what it costs with one record is taken off.
"""

import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from correlators import ruleset
from correlators.document import Document
from infra.detecting import Detecting
from schemas.config import Limits
from streams.source import sources

SHARED = Path(os.environ.get("BAROGRAPH_SHARED", Path(__file__).parents[2] / "shared"))
RULES = SHARED / "corpora/rules/sigma-DRL/rules/cloud/aws/cloudtrail"
OTHERS = SHARED / "corpora/rules/sigma-all-DRL/rules"
LOADED = (57, 500, 3000)
INVENTED = 3000
SLOW = 100_000  # records that the SQLite backend is given at most
RUNS = 3
ROUTED = ("--logsource-routing", "--event-logsource", "product=aws,service=cloudtrail")

Matches = Counter[str]  # by id of the rule


class Run(NamedTuple):
    """Seconds of the processor (`own`: as a process says itself), and its largest size in MB."""

    seconds: float
    memory: float
    matches: Matches
    own: bool


class Row(NamedTuple):
    """A line of the table: a name, and what runs over a file and tells its matches."""

    name: str
    command: Callable[[Path], Sequence[str]]
    runs: int = RUNS


# -- what runs in a process of its own


def floor(file: Path, _: Path) -> None:
    """Decode every record, no more."""
    started = time.process_time()
    with file.open("rb") as lines:
        for line in lines:
            orjson.loads(line)
    print(time.process_time() - started, file=sys.stderr)


def barograph(file: Path, folder: Path) -> None:
    """What `barograph detect` does: read, scan, match, write."""
    files = sorted(folder.rglob("*.yml"))
    loaded = ruleset.parse(Document(path.name, path.read_text("utf-8")) for path in files)
    detecting = Detecting(loaded.rules, Limits())
    sources()  # importing them is start, too
    started = time.process_time()
    for told in detecting.file(str(file), None):
        sys.stdout.buffer.write(b"".join(told.matches))
    print(time.process_time() - started, file=sys.stderr)


def sqlite(file: Path, folder: Path) -> None:
    """The queries of pySigma's SQLite backend over a table of flattened records."""
    from flat import matches  # noqa: PLC0415 - the backend need not be there

    for rule in matches(file, folder):
        print(json.dumps({"rule": rule}))


# -- the table


def rows(folder: Path, count: int) -> Iterator[Row]:
    """Every run over single events. Correlations will be further rows, over their own rules."""
    rsigma = os.environ.get("RSIGMA") or shutil.which("rsigma")
    runs = RUNS if count <= SLOW else 1
    yield Row("floor: orjson decodes every record", ours(floor, folder))
    for loaded in LOADED:
        rules = chosen(folder / str(loaded), loaded)
        yield Row(f"barograph, {loaded:,} rules loaded", ours(barograph, rules))
        if rsigma:
            yield Row(f"rsigma, {loaded:,} rules loaded", peer(rsigma, rules), runs)
        if loaded == LOADED[0] and count <= SLOW and find_spec("sigma.backends.sqlite"):
            yield Row("pySigma's SQLite backend", ours(sqlite, rules), runs=1)
    rules = invented(chosen(folder / "invented", LOADED[0]))
    yield Row(
        f"barograph, 57 and {INVENTED:,} invented, all for CloudTrail", ours(barograph, rules)
    )
    if rsigma:
        yield Row(f"rsigma, the same {LOADED[0] + INVENTED:,}", peer(rsigma, rules), runs)


def ours(run: Callable[[Path, Path], None], rules: Path) -> Callable[[Path], Sequence[str]]:
    """One of the functions above, as a process."""
    return lambda file: [sys.executable, __file__, run.__name__, str(file), str(rules)]


def peer(program: str, rules: Path) -> Callable[[Path], Sequence[str]]:
    """The peer rsigma over a file."""
    options = ["engine", "eval", "--quiet", "--rules", str(rules), *ROUTED]
    return lambda file: [program, *options, "--event", f"@{file}", "--input-format", "json"]


def chosen(folder: Path, loaded: int) -> Path:
    """The 57 rules for CloudTrail, and so many of other logsources that it is `loaded`."""
    ours_ = sorted(RULES.glob("*.yml"))
    others = [path for path in sorted(OTHERS.rglob("*.yml")) if "aws" not in path.parts]
    wanted = loaded - len(ours_)
    picked = others[:: len(others) // wanted][:wanted] if wanted else []
    folder.mkdir()
    for n, path in enumerate((*ours_, *picked)):
        shutil.copy(path, folder / f"{n:04}.yml")
    return folder


def invented(folder: Path) -> Path:
    """Further rules that run on CloudTrail: each for an operation, or for a part of a name."""
    for n in range(INVENTED):
        selection: dict[str, Any] = {"eventSource": f"s{n % 50}.amazonaws.com"}
        selection |= {"eventName": f"Operation{n}"} if n % 3 else {"userAgent|contains": f"kit-{n}"}
        rule = {
            "title": f"Invented {n}",
            "id": f"00000000-0000-4000-8000-{n:012}",
            "logsource": {"product": "aws", "service": "cloudtrail"},
            "detection": {"s": selection, "condition": "s"},
            "level": "low",
        }
        (folder / f"invented{n:04}.yml").write_text(json.dumps(rule), "utf-8")
    return folder


def measured(row: Row, file: Path, one: Path) -> Run:
    """The run in the middle."""
    runs = sorted(
        (process(row.command(file)) for _ in range(row.runs)), key=lambda run: run.seconds
    )
    middle = runs[len(runs) // 2]
    if middle.own:
        return middle
    start = min(process(row.command(one)).seconds for _ in range(row.runs))
    return middle._replace(seconds=middle.seconds - start)


def process(command: Sequence[str]) -> Run:
    """Run a process to its end; what it writes are matches, and on stderr perhaps its seconds."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        done = subprocess.Popen(command, stdout=out, stderr=said)
        _, status, used = os.wait4(done.pid, 0)
        done.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said.seek(0)
        words = said.read().decode()
        if done.returncode:
            raise SystemExit(f"{command} ended with {done.returncode}: {words}")
        matches = Matches(one.get("rule_id") or one["rule"] for one in map(json.loads, out))
    own = words.strip().replace(".", "", 1).isdigit()
    seconds = float(words) if own else used.ru_utime + used.ru_stime
    return Run(seconds, used.ru_maxrss / 1024, matches, own)


def table(count: int) -> None:
    """Generate the records, print a table, and say in which rules the peers differ."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file, one = folder / "cloudtrail.ndjson", folder / "one.ndjson"
        generator = [sys.executable, str(SHARED / "bench/gen_cloudtrail.py"), "--seed", "7"]
        subprocess.run([*generator, "--n", str(count), "--out", str(file)], check=True)
        with file.open("rb") as lines:
            one.write_bytes(lines.readline())
        size = file.stat().st_size / count
        print(f"\n{count:,} records of {size:,.0f} bytes, median of {RUNS} runs\n")
        print("| run | records/s | s | MB | matches |\n|---|---|---|---|---|")
        expected = Matches()
        for row in rows(folder, count):
            run = measured(row, file, one)
            differ = sorted(rule[:8] for rule in expected if expected[rule] != run.matches[rule])
            expected = expected or run.matches
            shown = f"{run.matches.total():,}" if run.matches else ""
            note = f", other in {', '.join(differ)}" if differ and run.matches else ""
            rate = count / run.seconds
            print(
                f"| {row.name} | {rate:,.0f} | {run.seconds:.2f} | {run.memory:,.0f} "
                f"| {shown}{note} |",
                flush=True,
            )


def main(arguments: Sequence[str]) -> None:
    """Print the tables, or be one of the processes of a table."""
    gc.set_threshold(200_000, 20, 100)  # as the command line does
    runs = {run.__name__: run for run in (floor, barograph, sqlite)}
    if arguments and arguments[0] in runs:
        name, file, folder = arguments
        runs[name](Path(file), Path(folder))
        return
    for count in map(int, arguments or ("100000", "1000000")):
        table(count)


if __name__ == "__main__":
    main(sys.argv[1:])
