"""The folder of a live run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.service.configured import CONFIG, RULE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "barograph.toml").write_text(CONFIG)
    (tmp_path / "answered.yml").write_text(RULE)
    return tmp_path
