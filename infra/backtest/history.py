"""History: the files that a backtest reads, named by the user or by the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from infra.backtest.backtesting import File
from infra.reading.reader import Reader, located
from infra.terminal.shown import plural
from schemas.config import Config
from schemas.errors import Mistake
from streams.finite import FiniteFile
from streams.records.documents import files
from streams.source import Source, named, names
from streams.trace import FILE, Message, place

# What the store knows of records that said nothing to any rule is nothing: a file counts as known
# once one of its records was kept, late or rejected.
_FILES = r"""
SELECT regexp_replace(origin, '#[0-9]+$', '') AS file, max(source) AS source, count(*) AS records
FROM (
    SELECT origin, source FROM events
    UNION ALL SELECT origin, source FROM rejects WHERE source <> 'unknown'
    UNION ALL SELECT origin, source FROM late)
GROUP BY file ORDER BY file"""
_MOST = 100_000  # files
RECORDS = 500  # that are handed on at once


class History(NamedTuple):
    """Files to read, and for each part of the history that is gone a sentence."""

    files: list[File]
    missing: list[str]


def given(paths: Sequence[str], source: str | None, config: Config) -> History:
    """The files at `paths`, folders searched; their format is `source` or sniffed."""
    known = None if source is None else named(source)
    return History([_file(p, known, config) for p in dict.fromkeys(files(paths))], [])


def stored(store: str | None, root: Path, config: Config) -> History:
    """The files that the store names as origins, relative ones from `root` on. Mistake if none."""
    path = located(store, config)
    with Reader(path) as reader:
        rows = reader.run(_FILES, rows=_MOST).rows
    if not rows:
        raise Mistake(
            f"{path} names no file to read again; name the history: barograph backtest RULE INPUT"
        )
    history = History([], [])
    topics: dict[str, int] = {}
    for origin, source, records in rows:
        try:
            lies, _ = place(f"{origin}#1")
        except Mistake as error:
            history.missing.append(str(error))
            continue
        if isinstance(lies, Message):
            topics[lies.topic] = topics.get(lies.topic, 0) + records
            continue
        history.missing.extend(_missing(root / lies, records))
        if (root / lies).is_file():
            known = named(source) if source in names() else None
            history.files.append(_file(str(root / lies), known, config))
    history.missing.extend(
        f"topic {topic}: {plural(records, 'known record')} lie there; copy it to a file and name it"
        for topic, records in sorted(topics.items())
    )
    if not history.files:
        raise Mistake(
            f"{path} names {plural(len(rows), 'file')} and none can be read here ({FILE}... starts"
            f" at {root}; see --root): {history.missing[0]}"
        )
    return history


def _missing(path: Path, records: int) -> Iterator[str]:
    if not path.is_file():
        known = plural(records, "known record")
        yield f"{path} is not there: {known}, and all in it that said nothing to any rule"


def _file(path: str, source: Source | None, config: Config) -> File:
    # Fewer records at a time than elsewhere: those that were just read are still in the cache.
    few = min(RECORDS, config.limits.batch_records)
    limits = config.limits.model_copy(update={"batch_records": few})
    return File(path, FiniteFile(path, limits, source))
