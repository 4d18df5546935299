"""docs/sources.md says what the code and the examples say."""

from pathlib import Path

from infra.dev import sources
from infra.dev.sources import Page, Samples, counted, told
from streams.source import named, names

ROOT = Path(__file__).parents[3]


def test_the_page_is_fresh() -> None:
    """After a change of a source or its examples it is not."""
    page = (ROOT / "docs/sources.md").read_text("utf-8")
    fresh = Page(ROOT / sources.EXAMPLES).text(told(page)) == page
    assert fresh, "run `make sources`: docs/sources.md says other things than the code"


def test_what_it_says_of_a_source() -> None:
    page = Page(ROOT / sources.EXAMPLES).text({"trivy": str(Samples(3, 1200, 1100))})
    assert told(page)["trivy"] == "1,100 of 1,200 in 3"
    assert told(page)["generic"] == "none"
    assert set(told(page)) == set(names())
    assert "facts exploitable_vulnerability, finding" in page
    assert "\n- classes: " in page
    assert sources.read_are(named("generic")).startswith("Read are JSON objects")


def test_samples_are_counted_by_what_they_are_sniffed_as(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6"}')
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "c.md").write_text("# text")
    example = ROOT / sources.EXAMPLES / "generic.jsonl"
    (tmp_path / "d.ndjson").write_bytes(example.read_bytes() + b'{"uid": 1}\n')
    found = list(sources.files(tmp_path))
    assert [path.name for path in found] == ["a.jsonl", "b.json", "d.ndjson"]
    assert counted(map(sources.sniffed, found))["generic"] == Samples(1, 3, 2)
    assert "unknown" not in counted(map(sources.sniffed, found))
