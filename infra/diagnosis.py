"""Diagnosis: what a run needs, looked at one by one; each with the mend."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from correlators.sigma.values import is_object
from infra.brokers import inputs
from infra.reading.reader import Reader
from infra.rules import collected
from infra.terminal import shown
from schemas.config import Config, KafkaConfig
from schemas.errors import Mistake, Unavailable
from schemas.topics import deployment
from sinks.store import SNAPSHOT

OK, WARN, FAIL = "ok", "warn", "FAIL"
PYTHON = (3, 11)
PACKAGES = ("duckdb", "faust-streaming", "kafka-python", "msgspec", "polars", "pydantic", "pysigma")
PATIENCE, MOST = 5.0, 2**20  # seconds and bytes that an answer of a run may take
FREE = 2**30  # bytes on the disk of the data folder, below which a warning is due
TOOLS = {"chromium": "looks at reports in tests", "java": "runs Kafka in tests"}


class Check(NamedTuple):
    """One thing that was looked at. `mend` is empty where nothing is to be done."""

    what: str
    result: str
    detail: str
    mend: str = ""


def checks(config: Config) -> Iterator[Check]:
    """All checks, in the order in which a run would need them."""
    yield _python()
    for name in PACKAGES:
        yield _package(name)
    yield _rules(config)
    yield from _data(Path(config.data))
    yield _store(Path(config.data) / SNAPSHOT)
    yield from _ports(config)
    if config.kafka is not None:
        yield from _kafka(config, config.kafka)
    for tool, use in TOOLS.items():
        found = shutil.which(tool)
        missing = Check(tool, WARN, f"not installed; it only {use}", "install it if you run those")
        yield Check(tool, OK, found) if found else missing


def _python() -> Check:
    said = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        return Check("python", FAIL, said, "use Python 3.11 or newer")
    return Check("python", OK, said)


def _package(name: str) -> Check:
    try:
        return Check(name, OK, version(name))
    except PackageNotFoundError:
        return Check(name, FAIL, "not installed", "run `make venv`, or install barograph again")


def _rules(config: Config) -> Check:
    try:
        rules = collected(config.rules)
    except Mistake as mistake:
        return Check("rules", FAIL, str(mistake), "`barograph rules check` lists all problems")
    counts = (len(rules.rules), len(rules.correlations), len(rules.convergences))
    said = "{} detections, {} correlations, {} convergences".format(*counts)
    if rules.problems:
        left = f"{said}; left out: {rules.problems[0]}"
        return Check("rules", WARN, left, "`barograph rules check` lists all problems")
    return Check("rules", OK, said)


def _data(folder: Path) -> Iterator[Check]:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            yield Check("data folder", OK, f"{folder} can be written")
    except OSError as error:
        mend = "give the configuration another `data` folder"
        yield Check("data folder", FAIL, f"{folder}: {error.strerror}", mend)
    free = shutil.disk_usage(there).free
    detail = f"{free / 2**30:.1f} GiB free"
    if free < FREE:
        yield Check("disk", WARN, detail, "make room: a full disk stops the run until there is")
    else:
        yield Check("disk", OK, detail)


def _store(snapshot: Path) -> Check:
    if not snapshot.exists():
        return Check("store", OK, f"{snapshot} is not there yet; the first run makes it")
    try:
        with Reader(snapshot) as reader:
            ((alerts,),) = reader.run("SELECT count(*) FROM open_alerts").rows
    except (Mistake, Unavailable) as error:
        return Check("store", FAIL, str(error), "move it away, and the next run makes it anew")
    return Check("store", OK, f"{snapshot} opens, with {shown.plural(alerts, 'open alert')}")


def _kafka(config: Config, kafka: KafkaConfig) -> Iterator[Check]:
    from streams.kafka.connection import admin  # noqa: PLC0415 - only who has brokers waits for it
    from streams.kafka.topics import check  # noqa: PLC0415

    try:
        levels = collected(config.rules).levels
        client = admin(kafka)
    except (Mistake, Unavailable) as error:
        what, _, mend = str(error).partition("; ")
        yield Check("kafka", FAIL, what, mend)
        return
    yield Check("kafka", OK, f"{kafka.bootstrap} answers")
    try:
        found = check(client, kafka, deployment(kafka, levels), inputs(config))
    finally:
        client.close()
    wrong = [one for one in found if not one.hint]
    if wrong:
        mend = "`barograph topics check` lists all; `barograph topics create` makes the missing"
        yield Check("topics", FAIL, f"{wrong[0].topic} {wrong[0].what}", mend)
    else:
        yield Check("topics", OK, f"all of {kafka.prefix} are as they should be")


def _ports(config: Config) -> Iterator[Check]:
    asked = [("server", config.server.host, config.server.port)]
    asked += [(f"input {i.name}", i.host, i.port) for i in config.input if i.kind == "http"]
    for what, host, port in asked:
        place = f"{host}:{port}"
        try:
            with socket.create_server((host, port)):
                yield Check(what, OK, f"{place} is free")
        except OSError as error:
            plain = what == "server" and config.server.certificate is None
            if running := _running(host, port) if plain else None:
                yield from _told(place, running)
                continue
            mend = "stop what listens there, or set another port"
            yield Check(what, FAIL, f"{place}: {os.strerror(error.errno or 0)}", mend)


def _running(host: str, port: int) -> dict[str, Any] | None:
    """What a Barograph that answers there says of itself."""
    asked = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        asked.request("GET", "/readyz")
        said = json.loads(asked.getresponse().read(MOST))
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        asked.close()
    return said if is_object(said) and {"reasons", "sinks"} <= said.keys() else None


def _told(place: str, running: dict[str, Any]) -> Iterator[Check]:
    """How the run is that has the port, and which of its sinks are not well."""
    reasons = "; ".join(map(str, running["reasons"]))
    said = f"a Barograph answers at {place}/readyz: {reasons or 'ready'}"
    yield Check("server", WARN if reasons else OK, said)
    for name, problem in dict(running["sinks"]).items():
        if problem != "ok":
            yield Check(f"sink {name}", WARN, str(problem))
