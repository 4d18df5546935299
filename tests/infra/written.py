"""A store with some records in it, written by the real sink."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.rows import Result, ResultKind
from sinks.store import SNAPSHOT, Store


def result(kind: ResultKind, number: object, body: Mapping[str, Any]) -> Result:
    return Result(kind, str(body.get("id", number)), 0, "final", dict(body))


def written(folder: Path, *batches: list[Result]) -> Path:
    """The snapshot in `folder`; each batch is one transaction."""
    store = Store(folder, finite=True)
    store.open(None)
    for batch in batches:
        assert store.write(batch).problem is None
    store.close()
    return folder / SNAPSHOT
