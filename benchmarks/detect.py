"""Measures `barograph detect` on generated CloudTrail: the loop alone and the whole process.

    python benchmarks/detect.py [RECORDS]

Needs the shared generator and rules (BAROGRAPH_SHARED, default ../shared). A bare decode of the
same file stands beside it as the floor, and rsigma where it is installed. Rules of other logsources
are added to show what a rule costs that cannot fire here. Time is that of the processor, which a
busy machine spoils less than that of the clock; nothing here runs on two cores.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from infra.detecting import Detecting
from infra.rules import load
from schemas.config import Limits, RulesConfig

SHARED = Path(os.environ.get("BAROGRAPH_SHARED", Path(__file__).parents[2] / "shared"))
RULES = SHARED / "corpora/rules/sigma-DRL/rules/cloud/aws/cloudtrail"
OTHERS = SHARED / "corpora/rules/sigma-all-DRL/rules/windows"
DECODE = "import sys, orjson\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"
RUNS = 3


class Row(NamedTuple):
    """One line of the table: seconds of the median run, and its matches where they are known."""

    name: str
    seconds: float
    matches: int | None


def spent() -> float:
    """Processor seconds of this process and of those that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def median(run: Callable[[], int | None], name: str) -> Row:
    """Run several times and keep the run in the middle."""
    runs: list[tuple[float, int | None]] = []
    for _ in range(RUNS):
        started = spent()
        matches = run()
        runs.append((spent() - started, matches))
    seconds, matches = sorted(runs)[RUNS // 2]
    return Row(name, seconds, matches)


def process(command: Sequence[str]) -> int | None:
    """Run a whole process; the number of lines that it wrote."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.count(b"\n") or None


def loop(rules: Sequence[Path], file: Path) -> Callable[[], int]:
    """Read, scan, match and format, rules being loaded: what a long run costs."""
    config = RulesConfig(paths=tuple(map(str, rules)), builtin=not rules)
    detecting = Detecting(load(config).rules, Limits())
    return lambda: sum(len(told.matches) for told in detecting.file(str(file), None))


def rows(file: Path) -> Iterator[Row]:
    """Every run, the quick ones first."""
    detect = [sys.executable, "-m", "infra", "detect"]
    aws = ["--rules", str(RULES)]
    yield median(lambda: process([sys.executable, "-c", DECODE, str(file)]), "orjson decode only")
    yield median(loop([RULES], file), "loop, 57 SigmaHQ rules")
    yield median(loop([RULES, OTHERS], file), "loop, with 2,400 Windows rules")
    yield median(loop([], file), "loop, built-in rules")
    yield median(lambda: process([*detect, *aws, str(file)]), "process, 57 SigmaHQ rules")
    rsigma = shutil.which("rsigma")
    if rsigma:
        peer = [rsigma, "engine", "eval", "-q", "-r", str(RULES), "-e", f"@{file}"]
        yield median(lambda: process([*peer, "--input-format", "json"]), "process, rsigma eval")


def main(count: int) -> None:
    """Generate the records, print a table."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cloudtrail.ndjson"
        generator = [sys.executable, str(SHARED / "bench/gen_cloudtrail.py"), "--seed", "7"]
        subprocess.run([*generator, "--n", str(count), "--out", str(file)], check=True)
        size = file.stat().st_size / count
        print(f"{count:,} records of {size:,.0f} bytes, processor seconds, median of {RUNS} runs\n")
        print("| run | records/s | s | matches |\n|---|---|---|---|")
        for name, seconds, matches in rows(file):
            shown = "" if matches is None else f"{matches:,}"
            print(f"| {name} | {count / seconds:,.0f} | {seconds:.2f} | {shown} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
