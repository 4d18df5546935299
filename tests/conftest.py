"""What all tests share: the real components that some need, and the third-party samples."""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from infra.dev.broker import Broker
from infra.dev.jars import OPENSEARCH, jars, java
from infra.dev.opensearch.node import Node, jdk
from schemas.errors import Unavailable

# No deadline: nothing here asserts a time. Where CI is set each run has the same examples.
settings.register_profile("barograph", deadline=None, derandomize="CI" in os.environ)
settings.register_profile("many", deadline=None, max_examples=1_000)  # for `make examples`
settings.load_profile("barograph")

# Brokers live for minutes here: what they would compile to make it fast is never earned back.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# marker -> the programs that a test so marked starts, by the Debian package that holds them
COMPONENTS = {
    "chromium": {"chromium": "chromium"},
    "openssl": {"openssl": "openssl"},
    "prometheus": {"prometheus": "prometheus", "promtool": "prometheus"},
    "kafka": {"openssl": "openssl"},  # Java and the jars come by more than one way: see below
}
NUMBERS = count(1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose component is not installed; in CI, where it must be, fail it."""
    for marker in item.iter_markers():
        programs = COMPONENTS.get(marker.name, {})
        missing = [package for name, package in programs.items() if shutil.which(name) is None]
        if missing:
            absent(f"{marker.name} is not here: apt-get install {' '.join(missing)}")
        if marker.name == "kafka":
            try:
                java()
                jars()
            except Unavailable as reason:
                absent(str(reason))
        if marker.name == "opensearch":
            try:
                jdk()
                jars(OPENSEARCH)
            except Unavailable as reason:
                pytest.skip(str(reason))  # a Java of 21 or newer is not on every machine


def absent(sentence: str) -> NoReturn:
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


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Yield a real Kafka for all tests of a run; mark the test `kafka`, and take a `prefix`."""
    yield from started(Broker(tmp_path_factory.mktemp("kafka")))


@pytest.fixture(scope="session")
def secure_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """As `broker`, with TLS, logins and ACLs: `admin` may do all, `app` and `guest` nothing yet."""
    users = {"admin": "admin-example", "app": "app-example", "guest": "guest-example"}
    yield from started(Broker(tmp_path_factory.mktemp("kafka-secure"), users=users))


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Yield a real OpenSearch with room for 256 KiB of requests; mark the test `opensearch`.

    Streams and indices whose name begins with `missing` are not made by the first write.
    """
    node = Node(
        tmp_path_factory.mktemp("opensearch"),
        {"indexing_pressure.memory.limit": "256kb", "action.auto_create_index": "-missing*,+*"},
    )
    node.start()
    try:
        yield node
    finally:
        node.stop()


def started(broker: Broker) -> Iterator[Broker]:
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
        broker.wipe()


@pytest.fixture
def prefix() -> str:
    """Return what the topics, groups and transactional ids of this test begin with."""
    return f"test-{next(NUMBERS)}."
