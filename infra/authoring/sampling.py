"""Sampling: the fields that real records have, taken in besides those that are documented."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from correlators.normal import normal_form
from infra.authoring.firing import Estate
from schemas.config import Limits
from schemas.errors import Mistake
from schemas.event import Reject
from streams.reading import Reader
from streams.records.documents import open_documents
from streams.source import Raw

MOST: Final = 10_000  # records of one file that are looked at


def learn(paths: Iterable[str], estate: Estate) -> int:
    """Take in the records of these files; the number of records. A format unknown is a Mistake."""
    return sum(_file(path, estate) for path in paths)


def _file(path: str, estate: Estate) -> int:
    limits, count = Limits(), 0
    with open_documents(path, limits) as documents:
        source = documents.source
        if source is None:
            raise Mistake(f"{path}: no source knows this format; name a file of records")
        reader = Reader(source, documents.origin, limits)
        raw, normal = estate.raw[source.NAME], estate.normal[source.NAME]
        records = (
            record
            for batch in documents
            for document in batch.documents
            for record in reader.records(document, 0)
            if isinstance(record, Raw)
        )
        for record in islice(records, MOST):
            count += 1
            result, decoded = reader.outcome(record, count)
            if isinstance(result, Reject):
                continue
            if raw is not None:
                raw.learn(decoded)
            if normal is not None:
                for name in normal_form(result.event, result.private):
                    normal.learn({name: None})
    return count
