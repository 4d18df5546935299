"""The demo's days, moved to end just now."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from infra.demo import scenario
from infra.dev import recent
from schemas.times import DAY, HOUR, MINUTE, SECOND

NOW = 1_800_000_000 * SECOND


def texts(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found[path.name] = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return found


def test_the_demo_ends_just_now_and_was_moved_by_whole_hours(tmp_path: Path) -> None:
    moved = recent.write(tmp_path / "moved", NOW)
    written = scenario.write(tmp_path / "there")
    assert moved.by % HOUR == 0
    assert moved.records == sum(written.records.values()) + written.broken
    nanos = re.findall(r'"(1[78]\d{17})"', "".join(texts(tmp_path / "moved").values()))
    newest = max(int(one) // 1000 for one in nanos)
    assert NOW - 3 * MINUTE - DAY < newest <= NOW - 3 * MINUTE
    there, after = texts(tmp_path / "there"), texts(tmp_path / "moved")
    assert sum(map(len, after.values())) >= sum(map(len, there.values()))  # nothing is lost
    assert not any("2026-03-0" in text for text in after.values())


def test_an_older_scan_comes_before_a_newer_one_by_name(tmp_path: Path) -> None:
    recent.write(tmp_path, NOW)
    names = sorted(path.name for path in (tmp_path / "trivy").iterdir())
    assert [name[:8] for name in names] == ["20260302"] * 4 + ["20260303"] * 4
