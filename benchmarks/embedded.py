"""Embedded path: generated CloudTrail through all stages and into files and store.

    python benchmarks/embedded.py [RECORDS]

Needs the shared generator (BAROGRAPH_SHARED, default ../shared). Prints records per second of the
whole process, `barograph replay`, and its peak memory, with the built-in rules and with SigmaHQ's
CloudTrail rules beside them; `cat` and a plain JSON decode of the same file are the floor. Then
processor time per record of a service with a journal that is sent batches of one principal, whose
every record correlates, where so many of them are not settled: it must not grow with them.
"""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

from correlators.document import Document
from correlators.ruleset import builtin, parse
from schemas.config import Limits
from schemas.times import SECOND, rfc3339
from schemas.times import parse as instant
from streams.embedded import Declared, Embedded
from streams.input import Chunk
from streams.journal import Journal

SHARED = Path(os.environ.get("BAROGRAPH_SHARED", Path(__file__).parents[2] / "shared"))
RULES = SHARED / "corpora/rules/sigma-DRL/rules/cloud/aws/cloudtrail"
DECODE = "import sys, orjson\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"
BATCH, BATCHES, STEP = 200, 20, SECOND // 20
HOT = (
    """\
title: deleted
name: deleted
level: {level}
logsource: {{product: aws, service: cloudtrail}}
detection: {{s: {{eventName: DeleteGuardrail}}, condition: s}}
""",
    """\
title: spree
name: spree
level: {level}
correlation: {{type: event_count, rules: [deleted], group-by: [userIdentity.arn], timespan: 10m,
  condition: {{gte: 100}}}}
""",
)


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds of a whole process, and the peak memory (MB) of the largest child so far."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def records(first: int, count: int) -> list[bytes]:
    """Records of one principal, twenty a second."""
    start = instant("2026-01-01T12:00:00Z")
    call = {
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "DeleteGuardrail",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.7",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/dev"},
        "recipientAccountId": "111122223333",
    }
    return [
        orjson.dumps(call | {"eventID": f"{n:036}", "eventTime": rfc3339(start + n * STEP)})
        for n in range(first, first + count)
    ]


def hot(level: str, tail: int) -> float:
    """Microseconds of a record where `tail` of one key are not settled.

    Rules of level high have legs: then attach and assess hold such a key as well.
    """
    rules = parse([*builtin(), *(Document("hot.yml", text.format(level=level)) for text in HOT)])
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder) / "journal.sqlite") as journal,
    ):
        inputs = [Declared("http", ("cloudtrail",), tail * STEP)]
        engine = Embedded(rules, inputs, Limits(), journal)
        sizes = [1_000] * (tail // 1_000) + [BATCH] * BATCHES
        chunks = [
            Chunk("cloudtrail", "http", records(sum(sizes[:n]), size), None, n)
            for n, size in enumerate(sizes)
        ]
        for chunk in chunks[:-BATCHES]:
            engine.take("http", chunk)
        started = time.process_time()
        for chunk in chunks[-BATCHES:]:
            engine.take("http", chunk)
        return (time.process_time() - started) / (BATCH * BATCHES) * 1e6


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
    gc.set_threshold(200_000, 20, 100)  # as the commands have it
    print(f"\nOne principal, batches of {BATCH}, median of 3, µs of a record\n")
    print("| not settled | correlated | and of level high |\n|---|---|---|")
    for tail in (1_000, 10_000, 50_000):
        low, high = (sorted(hot(level, tail) for _ in range(3))[1] for level in ("low", "high"))
        print(f"| {tail:,} | {low:,.0f} | {high:,.0f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
