"""The demo's records, as small as each can stand alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.demo import scenario
from schemas.config import Limits
from schemas.event import Reject
from streams.reading import Reader
from streams.records.documents import open_documents

SOURCES = ("cloudtrail", "cyclonedx", "otel", "trivy")

Documents = Mapping[str, Sequence[tuple[int, bytes]]]  # by source: (time, document), by time


def documents(folder: Path) -> Documents:
    """Each document that can be read, as small as it can stand alone, with its earliest time."""
    scenario.write(folder)
    found: dict[str, list[tuple[int, bytes]]] = {name: [] for name in SOURCES}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with open_documents(path, Limits()) as opened:
            assert opened.source is not None
            reader = Reader(opened.source, opened.origin, Limits())
            for batch in opened:
                for document in batch.documents:
                    for piece in _pieces(reader, document):
                        times = [
                            outcome.result.event.time
                            for outcome in reader.read(piece, 0)
                            if not isinstance(outcome.result, Reject)
                        ]
                        if times:
                            found[opened.source.NAME].append((min(times), piece))
    return {name: sorted(pairs) for name, pairs in found.items()}


def _pieces(reader: Reader, document: bytes) -> list[bytes]:
    if reader.source.NARROW is None:
        return [document]
    records = reader.records(document, 0)
    return [record.data for record in records if not isinstance(record, Reject)]
