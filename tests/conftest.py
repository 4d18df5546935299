"""What all tests share: the real components that some need, and the third-party samples."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: nothing here asserts a time. In CI each run has the same examples: no luck there.
settings.register_profile("barograph", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("barograph")

# marker -> the programs that a test so marked starts, by the Debian package that holds them
COMPONENTS = {
    "chromium": {"chromium": "chromium"},
    "kafka": {"java": "default-jre-headless", "mvn": "maven"},
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose component is not installed; in CI, where it must be, fail it."""
    for marker in item.iter_markers():
        programs = COMPONENTS.get(marker.name, {})
        missing = [package for name, package in programs.items() if shutil.which(name) is None]
        if missing:
            sentence = f"{marker.name} is not here: apt-get install {' '.join(missing)}"
            if "CI" in os.environ:
                pytest.fail(sentence)
            pytest.skip(sentence)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of third-party samples, which are not ours to ship."""
    beside = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("BAROGRAPH_SHARED", beside))
    if not folder.is_dir():
        pytest.skip("third-party samples are not here: name their folder in BAROGRAPH_SHARED")
    return folder
