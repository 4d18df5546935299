"""A sentence for each thing that brokers refuse, from the errors of either library."""

from __future__ import annotations

import pytest
from aiokafka import errors
from kafka import errors as others

from schemas.config import KafkaConfig
from schemas.errors import Mistake, Unavailable
from streams.kafka.problems import sentence

CONFIG = KafkaConfig.model_validate(
    {"bootstrap": "127.0.0.1:1", "prefix": "p.", "username": "app", "password": "app-example"}
)
MEND = "barograph topics rights app names all that it needs"


def from_(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.GroupAuthorizationFailedError("p.ingest"), "READ on group p.ingest"),
        (others.GroupAuthorizationFailedError("p.sink.siem"), "READ on group p.sink.siem"),
        (
            errors.TransactionalIdAuthorizationFailed("p.agreement"),
            "WRITE on transactional id p.agreement",
        ),
        (errors.TransactionalIdAuthorizationFailed(), "WRITE on transactional id p.*"),
        (errors.ClusterAuthorizationFailedError(), "IDEMPOTENT_WRITE on cluster kafka-cluster"),
        # Nobody answers who could say which one it is.
        (errors.TopicAuthorizationFailedError({"p.b", "p.a"}), "READ or WRITE on topic p.a, p.b"),
        (others.TopicAuthorizationFailedError("p.a"), "READ or WRITE on topic p.a"),
        (
            from_(
                errors.KafkaError("Unexpected error during coordination"),
                errors.GroupAuthorizationFailedError("p.observe"),
            ),
            "READ on group p.observe",
        ),
    ],
)
def test_a_missing_right(error: Exception, said: str) -> None:
    assert sentence(error, CONFIG) == f"user app lacks {said}; {MEND}"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            errors.MessageSizeTooLargeError(),
            (
                "a record is larger than a topic of p. takes, which is 8388608 bytes by"
                " kafka.message_bytes; raise that, and `barograph topics check` names the topics"
                " to be altered"
            ),
        ),
        (
            errors.UnknownTopicOrPartitionError(),
            "a topic of p. is missing; `barograph topics check` names all that are",
        ),
        (
            errors.SaslAuthenticationFailed("Authentication failed"),
            (
                "the Kafka broker at 127.0.0.1:1 refuses the user app with this password;"
                " mend kafka.username or kafka.password (BAROGRAPH_KAFKA__PASSWORD)"
            ),
        ),
        (
            errors.KafkaConnectionError("Unable to bootstrap from [('127.0.0.1', 1)]"),
            (
                "the Kafka broker at 127.0.0.1:1 is not to be reached (Connection refused); start"
                " it, or mend kafka.bootstrap or kafka.tls"
            ),
        ),
        (TimeoutError(), "the Kafka broker at 127.0.0.1:1 takes too long to answer"),
        (Mistake("two sinks have the same name; rename one"), None),
        (Unavailable("the disk is full; make room"), None),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
        (RuntimeError("odd"), "RuntimeError: odd"),
    ],
)
def test_what_else_goes_wrong(error: Exception, said: str | None) -> None:
    assert sentence(error, CONFIG) == (said or str(error))


@pytest.mark.parametrize(
    "error",
    [
        errors.ProducerFenced(),
        errors.IllegalOperation("Cannot start"),
        errors.InvalidTxnState(),
        from_(Unavailable("another worker has taken over p.x"), errors.ProducerFenced()),
    ],
)
def test_a_broken_transaction_asks_for_its_reason(error: Exception) -> None:
    assert "127.0.0.1:1 is not to be reached" in sentence(error, CONFIG)
