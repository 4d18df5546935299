"""Embedded path: generated CloudTrail through all stages and into files and store.

    python benchmarks/embedded.py [RECORDS]

Needs the shared generator (BAROGRAPH_SHARED, default ../shared). Prints records per second of the
whole process, `barograph replay`, and its peak memory, with the built-in rules and with SigmaHQ's
CloudTrail rules beside them; `cat` and a plain JSON decode of the same file are the floor.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHARED = Path(os.environ.get("BAROGRAPH_SHARED", Path(__file__).parents[2] / "shared"))
RULES = SHARED / "corpora/rules/sigma-DRL/rules/cloud/aws/cloudtrail"
DECODE = "import sys, orjson\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds of a whole process, and the peak memory (MB) of the largest child so far."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main(count: int) -> None:
    """Generate, run each command three times, print the medians."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cloudtrail.ndjson"
        generator = [sys.executable, str(SHARED / "bench/gen_cloudtrail.py")]
        subprocess.run(
            [*generator, "--seed", "7", "--n", str(count), "--out", str(file)], check=True
        )
        replay = [sys.executable, "-m", "infra", "replay", str(file), "--out", f"{folder}/out"]
        rows = {
            "cat": ["cat", str(file)],
            "orjson decode only": [sys.executable, "-c", DECODE, str(file)],
            "replay, built-in rules": replay,
            "replay, built-in and SigmaHQ rules": [*replay, "--rules", str(RULES)],
        }
        size = file.stat().st_size / count
        print(f"{count:,} records of {size:,.0f} bytes, median of 3 whole processes\n")
        print("| command | records/s | s | peak MB |\n|---|---|---|---|")
        for name, command in rows.items():
            runs = sorted(timed(command) for _ in range(3))
            seconds, memory = runs[1]
            print(
                f"| {name} | {count / seconds:,.0f} | {seconds:.2f} | {memory:,.0f} |", flush=True
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
