import pytest

from schemas.entity import Entity
from schemas.event import EventEvidence
from streams.names.artifacts import UNNAMED
from streams.reports.scans import Scan
from streams.reports.whole import Ended, Whole, about, dated, empty, needed, since_1970, whole
from streams.source import Json, Unreadable

SCAN = Scan("osv", "osv", Entity(kind="repo", id="r"), 0)


def test_a_scan_is_a_record_unless_of_files_without_a_name() -> None:
    (raw,) = whole(b"{}", Ended(SCAN, 3))
    assert (raw.data, raw.record) == (b"{}", None)
    assert isinstance(raw.context, Whole)
    event, _ = raw.context.event(EventEvidence(origin="file:x#1", sha256="00"))
    assert (event.status, event.attributes["scan.findings"]) == ("success", 3)
    nameless = SCAN._replace(asset=UNNAMED)
    assert list(whole(b"{}", Ended(nameless, 3))) == []
    (raw,) = whole(b"{}", Ended(nameless, 0, failed=True))
    assert raw.context.status == "failure"


def test_a_report_with_many_scans_is_not_decoded_for_each() -> None:
    found = list(whole(b"{}", Ended(SCAN, 1), Ended(SCAN._replace(tool="x"), 2)))
    assert [raw.record for raw in found] == [{}, {}]


@pytest.mark.parametrize(
    ("values", "time"),
    [
        (["2026-03-04T05:06:07Z"], 1_772_600_767_000_000),
        (["yesterday", None, 1772600767], 1_772_600_767_000_000),
        (["0001-01-01T00:00:00Z", "2026-3-4"], 0),
        ([-5, 1e30, True, [], {}], 0),
        ([], 0),
    ],
)
def test_the_first_time_that_can_be_read(values: list[Json], time: int) -> None:
    assert dated(*values) == time


@pytest.mark.parametrize("count", [0, -1, 631_151_999, 1e30])
def test_a_time_that_no_clock_showed(count: float) -> None:
    with pytest.raises(Unreadable):
        since_1970(count)


def test_a_row_outside_its_report() -> None:
    assert about(SCAN, Scan, {"a": 1}) == (SCAN, {"a": 1})
    for context, record in ((None, {}), (SCAN, 7)):
        with pytest.raises(Unreadable):
            about(context, Scan, record)


def test_what_a_row_must_say() -> None:
    assert needed({"a": " ", "b": "x"}, "a", "b") == "x"
    with pytest.raises(Unreadable, match="a"):
        needed({}, "a", "b")


@pytest.mark.parametrize(
    ("document", "nothing"),
    [(b"null", True), (b" [ ]\n", True), (b"{}", False), (b"[{}]", False), (b"", False)],
)
def test_reports_of_nothing(document: bytes, nothing: bool) -> None:  # noqa: FBT001 - a case
    assert empty(document) is nothing
