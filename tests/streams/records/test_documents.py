import base64
import gzip
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.config import Limits
from schemas.errors import Mistake
from streams.records.documents import Batch, Documents, files, open_documents, origin
from streams.records.pieces import CHUNK
from streams.source import named

RECORD = b'{"eventID":"1","eventSource":"s3.amazonaws.com","eventName":"GetObject"}'
OTHER = b'{"eventID":"2","eventSource":"s3.amazonaws.com","eventName":"PutObject"}'
PRETTY = b'{\n  "Records": [\n    {"eventSource": "s3.amazonaws.com",\n "eventName": "x"}\n  ]\n}\n'
LIMITS = Limits()
CLOUDTRAIL = named("cloudtrail")

Give = Callable[[bytes], Path]


@pytest.fixture
def give(tmp_path: Path) -> Give:
    """Return the path of a file that holds these bytes."""

    def write(data: bytes) -> Path:
        path = tmp_path / "file.json"
        path.write_bytes(data)
        return path

    return write


def read(
    path: Path, limits: Limits = LIMITS, *, at: int = 0, growing: bool = False
) -> tuple[list[bytes], list[str], int]:
    """All documents, the reasons of all faults, and the last position."""
    with open_documents(path, limits, CLOUDTRAIL, at=at, growing=growing) as documents:
        batches = list(documents)
    found = [one for batch in batches for one in batch.documents]
    reasons: list[str] = [batch.fault.reason for batch in batches if batch.fault]
    return found, reasons, batches[-1].end if batches else 0


@pytest.mark.parametrize(
    ("data", "documents"),
    [
        (RECORD, [RECORD]),
        (RECORD + b"\n", [RECORD]),
        (RECORD + b"\n" + OTHER, [RECORD, OTHER]),
        (b"\n\n" + RECORD + b"\r\n \n" + OTHER + b"\r\n", [RECORD, OTHER]),
        (b"\xef\xbb\xbf" + RECORD + b"\n" + OTHER + b"\n", [RECORD, OTHER]),
        (PRETTY, [PRETTY.strip()]),
        (b"\xef\xbb\xbf" + PRETTY, [PRETTY.strip()]),
        (b"[\n" + RECORD + b",\n" + OTHER + b"\n]", [b"[\n" + RECORD + b",\n" + OTHER + b"\n]"]),
        (b"[\n" + RECORD + b"\n]\n", [b"[\n" + RECORD + b"\n]"]),
        # A file that begins or ends in the middle of a line, as rotated and live ones do.
        (b'Object"}\n' + RECORD + b"\n" + OTHER[:20], [b'Object"}', RECORD, OTHER[:20]]),
        (RECORD[:20] + b"\n" + OTHER + b"\n", [RECORD[:20], OTHER]),
        (RECORD + b"\nnonsense\n" + OTHER, [RECORD, b"nonsense", OTHER]),
        (b"no line of it is JSON\nat all", [b"no line of it is JSON\nat all"]),
        (b'{"a": 1,, "b": 2}', [b'{"a": 1,, "b": 2}']),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_what_is_in_a_file_decides(
    give: Give, pack: Callable[[bytes], bytes], data: bytes, documents: list[bytes]
) -> None:
    assert read(give(pack(data))) == (documents, [], len(data))


def test_its_source_is_sniffed_or_named(give: Give) -> None:
    path = give(RECORD)
    with open_documents(path, LIMITS) as documents:
        assert documents.source is CLOUDTRAIL
        assert documents.origin == f"file:{path}"
        assert documents.lines
    with open_documents(path, LIMITS, named("otel")) as documents:
        assert documents.source is named("otel")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\n ", "empty"),
        (b"{}", "unknown-format"),
        (b"null", "unknown-format"),
        (b"\x00" * 70_000, "unknown-format"),
        (bytes(range(256)) * 300, "unknown-format"),
        (b"[" * 1_000_000, "unknown-format"),
        (PRETTY.decode().encode("utf-16"), "encoding"),
        (gzip.compress(b"", mtime=0), "empty"),
        (gzip.compress(b"{}", mtime=0)[:-9], "truncated"),
        (b"\x1f\x8b" + bytes(100), "encoding"),
        (zstandard.compress(RECORD)[:-3], "truncated"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 100, "encoding"),
    ],
)
def test_a_file_that_no_source_knows_is_one_fault(give: Give, data: bytes, reason: str) -> None:
    with open_documents(give(data), LIMITS) as documents:
        (batch,) = documents
    assert batch.documents == []
    assert batch.fault is not None
    assert batch.fault.reason == reason
    assert batch.fault.detail


def test_a_fault_shows_what_was_read(give: Give) -> None:
    with open_documents(give(b"nonsense"), LIMITS) as documents:
        (batch,) = documents
    assert batch.fault is not None
    assert (batch.fault.size, batch.end) == (8, 8)
    assert batch.fault.sha256 == sha256(b"nonsense").hexdigest()


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("%s", [RECORD]),
        ("%s\n%s\n", [RECORD, RECORD]),  # as Kinesis holds them
        ('{"awslogs": {"data": "%s"}}', [RECORD]),  # as a Lambda is given them
        ('{"Records":[{"kinesis":{"a":1,"data":"%s"}},{"kinesis":{"data":"%s"}}]}', [RECORD] * 2),
        ('{"invocationId":"i","records":[{"recordId":"1","data":"%s"}]}', [RECORD]),
    ],
)
def test_gzip_as_text(give: Give, written: str, found: list[bytes]) -> None:
    text = base64.b64encode(gzip.compress(RECORD + b"\n", mtime=0)).decode()
    path = give(written.replace("%s", text).encode())
    assert read(path)[:2] == (found, [])
    with open_documents(path, LIMITS) as documents:
        assert documents.source == CLOUDTRAIL


def test_gzip_as_text_over_lines(give: Give) -> None:
    text = base64.encodebytes(gzip.compress(RECORD, mtime=0))
    assert read(give(text))[:2] == ([RECORD], [])
    assert read(give(text[:40]))[:2] == ([], ["truncated"])
    assert read(give(b"H4sIA"))[:2] == ([b"H4sIA"], [])


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_what_a_cut_file_holds_is_read(give: Give, pack: Callable[[bytes], bytes]) -> None:
    lines = b"".join(b'{"eventName":"e%d","eventSource":"s"}\n' % i for i in range(20_000))
    packed = pack(lines)
    found, reasons, end = read(give(packed[: len(packed) // 2]))
    assert reasons == ["truncated"]
    assert 1_000 < len(found) < 20_000
    assert found == lines.split(b"\n")[: len(found)]
    assert lines[:end].startswith(b"\n".join(found))


def test_a_cut_document_is_no_document(give: Give) -> None:
    assert read(give(gzip.compress(PRETTY, mtime=0)[:-9]))[:2] == ([], ["truncated"])


def test_members_and_padding(give: Give) -> None:
    whole = gzip.compress(RECORD + b"\n", mtime=0) + gzip.compress(OTHER + b"\n") + bytes(600)
    assert read(give(whole)) == ([RECORD, OTHER], [], len(RECORD + OTHER) + 2)
    assert read(give(whole + b"garbage"))[:2] == ([RECORD, OTHER], ["encoding"])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_large_files_come_in_batches(give: Give, pack: Callable[[bytes], bytes]) -> None:
    lines = [RECORD[:-1] + b',"n":%d}' % i for i in range(3 * CHUNK // len(RECORD))]
    path = give(pack(b"\n".join(lines)))
    with open_documents(path, LIMITS, CLOUDTRAIL) as documents:
        batches = list(documents)
    assert len(batches) > 2
    assert [one for batch in batches for one in batch.documents] == lines
    for batch in batches[:-1]:  # reading goes on where it stopped
        rest = read(path, at=batch.end)[0]
        assert rest == lines[-len(rest) :]
        assert len(rest) + sum(
            len(b.documents) for b in batches[: batches.index(batch) + 1]
        ) == len(lines)


@pytest.mark.parametrize("data", [RECORD + b"\n", PRETTY, b"\xef\xbb\xbf" + RECORD + b"\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_behind_the_end_is_nothing(give: Give, pack: Callable[[bytes], bytes], data: bytes) -> None:
    path = give(pack(data))
    end = read(path)[2]
    assert read(path, at=end)[:2] == ([], [])


def test_a_growing_file_keeps_its_last_line(give: Give) -> None:
    path = give(RECORD + b"\n" + OTHER[:20])
    found, reasons, end = read(path, growing=True)
    assert (found, reasons, end) == ([RECORD], [], len(RECORD) + 1)
    path.write_bytes(RECORD + b"\n" + OTHER + b"\n")
    assert read(path, at=end, growing=True)[0] == [OTHER]


def test_a_growing_file_may_be_empty_yet(give: Give) -> None:
    assert read(give(b""), growing=True) == ([], [], 0)


def test_a_document_that_is_too_large(give: Give) -> None:
    limits = Limits(document_bytes=100)
    found, reasons, _ = read(give(b"{\n" + b" " * 200 + b"}"), limits)
    assert (found, reasons) == ([], ["too-large"])


def test_a_line_that_cannot_be_held_is_passed_over(give: Give) -> None:
    long = b"x" * (2 * CHUNK)
    data = RECORD + b"\n" + long + b"\n" + OTHER + b"\n" + long
    with open_documents(give(data), Limits(document_bytes=CHUNK), CLOUDTRAIL) as documents:
        batches = list(documents)
    assert [one for batch in batches for one in batch.documents] == [RECORD, OTHER]
    faults = [batch.fault for batch in batches if batch.fault]
    assert [(one.reason, one.size) for one in faults] == [
        ("too-large", len(long) + 1),
        ("too-large", len(long)),
    ]
    assert {one.sha256 for one in faults} == {sha256(long).hexdigest()}
    assert batches[-1].end == len(data)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("fill", [b"\x00", b"\n", b"[", b" \n"])
def test_a_bomb_does_not_go_off(give: Give, pack: Callable[[bytes], bytes], fill: bytes) -> None:
    bomb = pack(RECORD + b"\n" + fill * (64 * 2**20 // len(fill)))
    found, reasons, end = read(give(bomb), Limits(document_bytes=2**20))
    assert found[0] == RECORD
    assert reasons[-1] == "too-large"
    assert end < 32 * 2**20


def test_files_of_folders(tmp_path: Path) -> None:
    for name in ("b/c.jsonl", "b/a.json.gz", "z.zst", "readme.md", "b/d.txt", "b/.json/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    found = [str(Path(path).relative_to(tmp_path)) for path in files([tmp_path])]
    assert found == ["b/a.json.gz", "b/c.jsonl", "z.zst"]
    assert list(files([tmp_path / "readme.md"])) == [str(tmp_path / "readme.md")]


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"is not there; name a file or a folder$"):
        list(files([tmp_path / "nowhere"]))
    with pytest.raises(Mistake, match=r"holds no file named \.json, "):
        list(files([tmp_path]))
    with pytest.raises(Mistake, match=r"^cannot read .*: No such file or directory; "):
        open_documents(tmp_path / "nowhere", LIMITS)
    with pytest.raises(Mistake, match=r"^cannot read .*: Is a directory; "):
        open_documents(tmp_path, LIMITS)


def test_a_folder_in_which_nothing_is_a_file_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "gone.json").symlink_to("nowhere")
    with pytest.raises(Mistake, match="holds no file named"):
        list(files([tmp_path]))
    (tmp_path / "LOUD.JSON").write_text("{}")
    assert list(files([tmp_path])) == [str(tmp_path / "LOUD.JSON")]


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    assert origin(tmp_path / "a\udcff") == f"file:{tmp_path}/a\\xff"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_are_a_crash(give: Give, data: bytes) -> None:
    for batch in _batches(give(data)):
        assert batch.documents or batch.fault or batch.end >= 0


def _batches(path: Path) -> Iterator[Batch]:
    for source in (None, CLOUDTRAIL):
        with Documents(path, Limits(document_bytes=50), source) as documents:
            yield from documents


@pytest.mark.parametrize(
    "data",
    [
        RECORD + OTHER,
        RECORD + OTHER + b" \n" + RECORD + OTHER,
        b"{\n" + RECORD[1:-1] + b"\n}\n{\n" + OTHER[1:-1] + b"\n}\n",
    ],
)
def test_objects_with_nothing_between_them(give: Give, data: bytes) -> None:
    found, reasons, end = read(give(data))
    assert [one.replace(b"\n", b"") for one in found][-2:] == [RECORD, OTHER]
    assert (reasons, end) == ([], len(data))


def test_what_follows_such_objects_and_is_none_is_the_last(give: Give) -> None:
    found, _, _ = read(give(RECORD + OTHER + b'{"cut'))
    assert found == [RECORD, OTHER, b'{"cut']
