"""Measures correlations over history: `barograph backtest` beside rsigma and a bare decode.

    python benchmarks/correlations.py [RECORDS] [--only WORD]

Needs the shared generator (BAROGRAPH_SHARED, default ../shared). rsigma is the program that RSIGMA
names, or the one on PATH; it runs in one thread. Time is that of the processor, without start-up
and imports for us, with some 10 ms of them for rsigma; each run is a process of its own, so that
memory is its own too. What takes rsigma longer than LIMIT seconds is stopped, and has no figure.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from infra.backtest.backtesting import Backtest
from infra.backtest.history import given
from infra.rules import related
from schemas.config import Config, RulesConfig

SHARED = Path(os.environ.get("BAROGRAPH_SHARED", Path(__file__).parents[2] / "shared"))
LIMIT = 40  # seconds of the clock for one run of rsigma
START = 1_782_864_000

DETECTIONS = """
title: Failed login
name: failed_login
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: ConsoleLogin, responseElements.ConsoleLogin: Failure}
  condition: selection
---
title: Any call
name: any_call
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventSource|endswith: .amazonaws.com}
  condition: selection
---
title: Asked
name: asked
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName|startswith: [Describe, List]}
  condition: selection
---
title: Read
name: read
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName|startswith: Get}
  condition: selection
---
title: Changed
name: changed
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName|startswith: [Put, Create, Attach, Update]}
  condition: selection
"""
_STEPS = "rules: [asked, read, changed], group-by: [userIdentity.arn], timespan: 15m"
CORRELATIONS = {
    "C1 event_count": "type: event_count, rules: [failed_login],"
    " group-by: [userIdentity.userName], timespan: 5m, condition: {gte: 10}",
    "C2 value_count": "type: value_count, rules: [any_call], group-by: [userIdentity.arn],"
    " timespan: 10m, condition: {field: eventName, gte: 20}",
    "C3 temporal": f"type: temporal, {_STEPS}",
    "C4 temporal_ordered": f"type: temporal_ordered, {_STEPS}",
}
MANY = "type: event_count, rules: [any_call], group-by: [userIdentity.arn], timespan: 10m"
KEYED = {
    "event_count": f"{MANY}, condition: {{gte: 1000000}}",
    "value_count": MANY.replace("event", "value") + ", condition: {field: eventName, gte: 500}",
}


class Measured(NamedTuple):
    """One run: processor seconds, findings (of rsigma: alerts), and its peak memory in MB."""

    seconds: float
    found: int
    memory: float


def rules(folder: Path, *correlations: str) -> Path:
    """A folder with the detections and these correlations."""
    folder.mkdir()
    stated = [
        f"title: c{n}\nname: c{n}\ncorrelation: {{{text}}}" for n, text in enumerate(correlations)
    ]
    (folder / "rules.yml").write_text("\n---\n".join([DETECTIONS.strip(), *stated]), "utf-8")
    return folder


def keyed(path: Path, count: int, keys: int, seconds: float, hot: float = 0.0) -> Path:
    """Small calls by so many users within so many seconds, a share of them by one of these."""
    random = Random(7)  # noqa: S311 - records, not secrets
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            at = time.gmtime(START + n * seconds / count)
            who = 0 if random.random() < hot else random.randrange(keys) if keys < count else n
            file.write(
                f'{{"eventID":"e{n}","eventTime":"{time.strftime("%Y-%m-%dT%H:%M:%SZ", at)}",'
                f'"eventSource":"s3.amazonaws.com","eventName":"Call{random.randrange(1000)}",'
                f'"userIdentity":{{"arn":"arn:aws:iam::111122223333:user/u{who:07}"}}}}\n'
            )
    return path


def delayed(path: Path, share: float, span: int) -> Path:
    """A copy in which a share of the lines comes up to so many seconds later."""
    random, arrivals = Random(7), list[tuple[float, bytes]]()  # noqa: S311 - as above
    for line in path.read_bytes().splitlines(keepends=True):
        at = line.index(b'"eventTime":"') + 13
        moment = time.mktime(time.strptime(line[at : at + 19].decode(), "%Y-%m-%dT%H:%M:%S"))
        late = random.random() * span if random.random() < share else 0.0
        arrivals.append((moment + late, line))
    arrivals.sort(key=lambda arrival: arrival[0])
    other = path.with_name(f"delayed-{share}-{path.name}")
    other.write_bytes(b"".join(line for _, line in arrivals))
    return other


def ours(folder: Path, file: Path, shown: Path | None = None) -> Measured:
    """One run of the engine of `barograph backtest`, in a process of its own."""
    command = [sys.executable, __file__, "--one", str(folder), str(file)]
    done = subprocess.run(command, check=True, capture_output=True)
    if shown is not None:
        shown.write_bytes(done.stdout)
    told = json.loads(done.stdout)
    return Measured(told["seconds"], len(told["findings"]), told["memory"])


def peak() -> float:
    """MB that this process held at most; what getrusage tells begins with that of its parent."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def one(folder: str, file: str) -> None:
    """What `ours` starts."""
    ruleset, config = related(RulesConfig(paths=(folder,))), Config()
    history = given([file], "cloudtrail", config)
    gc.set_threshold(200_000, 20, 100)  # as the command line has it
    started = time.process_time()
    outcome = Backtest(ruleset, history.files, config).run()
    told = {
        "seconds": time.process_time() - started,
        "findings": sorted((body["id"], body["body_sha256"]) for body in outcome.findings),
        "memory": peak(),
    }
    print(json.dumps(told))


def rsigma(folder: Path, file: Path) -> Measured | None:
    """The same by rsigma; None if there is none, or if it was stopped."""
    program = os.environ.get("RSIGMA") or shutil.which("rsigma")
    if program is None:
        return None
    given = [program, "engine", "eval", "-q", "-r", str(folder), "-e", f"@{file}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["timeout", str(LIMIT), *given, "--input-format", "json"]
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(command, check=False, stdout=out, stderr=subprocess.DEVNULL)
        out.seek(0)
        alerts = sum(1 for _ in out)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return None if done.returncode else Measured(seconds, alerts, 0.0)


def decode(file: Path) -> float:
    """Processor seconds for a bare decode of every line."""
    code = (
        "import sys, time, orjson\ns = time.process_time()\n"
        "for line in open(sys.argv[1], 'rb'): orjson.loads(line)\nprint(time.process_time() - s)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True)
    return float(done.stdout)


def generated(path: Path, count: int) -> Path:
    """CloudTrail of the shared generator."""
    generator = [sys.executable, str(SHARED / "bench/gen_cloudtrail.py"), "--seed", "7"]
    templates = ["--templates", str(SHARED / "bench/templates")]
    subprocess.run([*generator, *templates, "--n", str(count), "--out", str(path)], check=True)
    return path


def cases(folder: Path, count: int) -> Iterator[tuple[str, Path, Path, int]]:
    """Name, rules, records and their number; files are made as they are needed."""
    trail = generated(folder / "trail.ndjson", count)
    for n, (name, text) in enumerate(CORRELATIONS.items()):
        yield name, rules(folder / f"c{n}", text), trail, count
    every = rules(folder / "all", *CORRELATIONS.values())
    yield "C1 to C4", every, trail, count
    yield "C1 to C4, 5 % up to 300 s later", every, delayed(trail, 0.05, 300), count
    yield "C1 to C4, shuffled by 300 s", every, delayed(trail, 1.0, 300), count
    counts = {name: rules(folder / name, text) for name, text in KEYED.items()}
    hits = keyed(folder / "k100.ndjson", 1_000_000, 100, 600)
    for name, stated in counts.items():
        yield f"{name}, 100 keys, 10,000 hits in a window", stated, hits, 1_000_000
    late = delayed(hits, 0.05, 300)
    yield "value_count, the same, 5 % late", counts["value_count"], late, 1_000_000
    for keys in (10_000, 1_000_000):
        many = keyed(folder / f"k{keys}.ndjson", 1_000_000, keys, 600)
        for name, stated in counts.items():
            yield f"{name}, {keys:,} keys", stated, many, 1_000_000
    hot = keyed(folder / "hot.ndjson", 1_000_000, 10_000, 600, hot=1 / 3)
    for name, stated in counts.items():
        yield f"{name}, a third of 1,000,000 by one of 10,000 keys", stated, hot, 1_000_000


def main(count: int, only: str) -> None:
    """Print a table; then whether the order of arrival changed a finding."""
    print(f"C1 to C4 over {count:,} records; events/s of processor time, decoding included\n")
    print("| run | events/s | findings | MB | rsigma events/s | its alerts | bare decode/s |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        orders: dict[str, Any] = {}
        for name, stated, file, records in cases(folder, count):
            if only not in name:
                continue
            shown = folder / "shown.json"
            mine, peer, floor = ours(stated, file, shown), rsigma(stated, file), decode(file)
            if name.startswith("C1 to C4"):
                orders[name] = json.loads(shown.read_bytes())["findings"]
            cells = [name, f"{records / mine.seconds:,.0f}", f"{mine.found:,}"]
            cells += [f"{mine.memory:,.0f}"]
            cells += (
                ["", ""] if peer is None else [f"{records / peer.seconds:,.0f}", f"{peer.found:,}"]
            )
            print(f"| {' | '.join([*cells, f'{records / floor:,.0f}'])} |", flush=True)
        for name, findings in orders.items():
            same = findings == orders["C1 to C4"]
            print(f"\n{name}: {'the same findings' if same else 'OTHER FINDINGS'}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("records", nargs="?", type=int, default=300_000)
        parser.add_argument("--only", default="", help="only the runs with this in their name")
        asked = parser.parse_args()
        main(asked.records, asked.only)
