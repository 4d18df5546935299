"""Fixtures of all sinks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sinks.made import Sinks


@pytest.fixture
def sinks(tmp_path: Path) -> Iterator[Sinks]:
    """Sinks in a folder of their own, closed with the test."""
    with Sinks(tmp_path) as sinks:
        yield sinks
