"""What tests of the Kafka driver share: logins, and topics of results that can be written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from infra.dev.broker import Broker
from schemas.config import KafkaConfig
from tests.streams.kafka.carrying import PARTITIONS, make, producing


@pytest.fixture
def login(secure_broker: Broker, prefix: str) -> Callable[[str], KafkaConfig]:
    """Return the configuration of a user of the secure broker."""

    def of(user: str) -> KafkaConfig:
        return KafkaConfig.model_validate(
            {
                "bootstrap": secure_broker.bootstrap,
                "prefix": prefix,
                "tls": True,
                "ca": str(secure_broker.ca),
                "username": user,
                "password": secure_broker.users[user],
            }
        )

    return of


@pytest.fixture
def results(broker: Broker, prefix: str) -> KafkaConfig:
    """Return a configuration whose topics of results are there."""
    make(broker, prefix)
    return KafkaConfig(bootstrap=broker.bootstrap, prefix=prefix, partitions=PARTITIONS)


@pytest.fixture
def put(broker: Broker, results: KafkaConfig) -> Iterator[Callable[..., None]]:
    """Yield what writes results into them."""
    with producing(broker, results.prefix) as put:
        yield put
