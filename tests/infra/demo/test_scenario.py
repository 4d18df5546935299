"""The demo's two days: the same bytes each time, and read to the last record."""

from collections import Counter
from pathlib import Path

import pytest

from infra.demo.scenario import Written, write
from schemas.config import Limits
from schemas.event import Reject
from streams.reading import Reader
from streams.records.documents import open_documents

RECORDS = {"cloudtrail": 2313, "cyclonedx": 32, "otel": 1920, "trivy": 145}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_two_runs_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write(tmp_path)
    assert contents(tmp_path) == contents(folder)


def test_it_says_what_it_wrote(tmp_path: Path) -> None:
    assert write(tmp_path) == Written(RECORDS, copies=26, broken=4)


def test_the_sources_read_all_of_it_but_what_is_broken(folder: Path) -> None:
    read, refused = Counter[str](), Counter[str]()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with open_documents(path, Limits()) as documents:
            assert documents.source is not None, path
            reader = Reader(documents.source, documents.origin, Limits())
            for batch in documents:
                assert batch.fault is None, path
                outcomes = [one for data in batch.documents for one in reader.read(data, 0)]
                broken = sum(isinstance(one.result, Reject) for one in outcomes)
                read[reader.source.NAME] += len(outcomes) - broken
                refused[reader.source.NAME] += broken
    assert read == RECORDS
    assert +refused == {"cloudtrail": 3, "otel": 1}


def test_it_is_small(folder: Path) -> None:
    assert sum(map(len, contents(folder).values())) < 10_000_000


@pytest.mark.parametrize("prefix", [b"AKIA", b"ASIA", b"AIDA", b"AROA"])
def test_no_id_of_aws_looks_real(folder: Path, prefix: bytes) -> None:
    text = b"".join(data for name, data in contents(folder).items() if not name.endswith(".gz"))
    assert text.count(prefix) == text.count(prefix + b"EXAMPLE")
