"""Connection: how every client reaches the brokers, and one sentence when none can."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import aiokafka.conn
import kafka.admin
from aiokafka import errors
from kafka.errors import KafkaError

from schemas.config import KafkaConfig
from schemas.errors import Mistake, Unavailable

# aiokafka logs what it raises as well; without a handler Python would print that on stderr.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

CLIENT: Final = "barograph"
_WAIT_MS: Final = 10_000  # for one broker to answer
_CLOSING: Final = 0.2  # seconds for one connection to close
FAREWELL: Final = 5.0  # seconds for a consumer or a producer to say goodbye
# Neither library ships types.
_CONN: Final = cast("Any", aiokafka.conn)
_ADMIN: Final = cast("Any", kafka.admin)


def client(config: KafkaConfig) -> dict[str, Any]:
    """Keyword arguments for aiokafka's clients. A file that is no PEM is a Mistake."""
    secured = "SSL" if config.tls else "PLAINTEXT"
    named: dict[str, Any] = {
        "bootstrap_servers": config.bootstrap.split(","),
        "client_id": CLIENT,
        "security_protocol": secured if config.username is None else f"SASL_{secured}",
    }
    if config.tls:
        named["ssl_context"] = _context(config)
    if config.username is not None and config.password is not None:
        named["sasl_mechanism"] = config.mechanism
        named["sasl_plain_username"] = config.username
        named["sasl_plain_password"] = config.password.get_secret_value()
    return named


def sync(config: KafkaConfig) -> dict[str, Any]:
    """Keyword arguments for kafka-python's clients."""
    return client(config) | {"bootstrap_timeout_ms": _WAIT_MS}


def begun(kind: Any, **options: Any) -> Any:  # noqa: ANN401 - a client of kafka-python, untyped
    """A client of kafka-python; raises what its start raises.

    One that gets no answer leaves its thread behind, which connects anew for ever (3.0.12); here
    that is ended.
    """
    made: list[Any] = []

    def network(**more: Any) -> Any:  # noqa: ANN401 - as above
        made.append(kind.DEFAULT_CONFIG["kafka_client"](**more))
        return made[0]

    try:
        return kind(**options, kafka_client=network)
    except BaseException:
        for one in made:
            one.close()
        raise


def lacks(config: KafkaConfig, right: str, name: str, kind: str = "topic") -> Unavailable:
    """What to raise when the broker denies this user a right on a topic, or on another `kind`."""
    user = config.username
    mend = f"barograph topics rights {user or 'USER'} names all that it needs"
    return Unavailable(
        f"{f'user {user}' if user else 'this client'} lacks {right} on {kind} {name}; {mend}"
    )


def refuses(config: KafkaConfig, place: str) -> Unavailable:
    """What to raise when the broker at `place` does not know this user by this password."""
    return Unavailable(
        f"the Kafka broker at {place} refuses the user {config.username} with this password;"
        " mend kafka.username or kafka.password (BAROGRAPH_KAFKA__PASSWORD)"
    )


@contextmanager
def answering(config: KafkaConfig) -> Generator[None]:
    """What a broker fails to do in here is Unavailable, not an error of its library."""
    try:
        yield
    except (errors.KafkaError, KafkaError, TimeoutError) as error:
        said = str(error) or "no answer"
        raise Unavailable(f"the Kafka broker at {config.bootstrap}: {said}; try again") from error


def admin(config: KafkaConfig) -> Any:  # noqa: ANN401 - a KafkaAdminClient, which has no types
    """A connected KafkaAdminClient, to be closed. Unavailable as in `reach`.

    It blocks; a coroutine calls it by `asyncio.to_thread`.
    """
    # kafka-python says "Unable to bootstrap" whatever the reason, and only after its time is up.
    asyncio.run(reach(config))
    with answering(config):
        return begun(_ADMIN.KafkaAdminClient, **sync(config))


async def reach(config: KafkaConfig) -> None:
    """Return once a broker has answered and let us in.

    Else Unavailable: which broker, why, and what to mend; of several brokers, what the last said.
    """
    named = client(config) | {"request_timeout_ms": _WAIT_MS}
    del named["bootstrap_servers"]
    *others, last = config.bootstrap.split(",")
    for place in others:
        try:
            return await _ask(config, place, named)
        except Unavailable:
            continue
    return await _ask(config, last, named)


async def hang_up(one: Any, seconds: float = FAREWELL) -> None:  # noqa: ANN401 - untyped
    """Stop a consumer or a producer of aiokafka within `seconds`; raises what its end raises.

    A broker that is away does not hold us, nor a consumer that waits for itself: one that is asked
    to stop while it gives up partitions passes over that (aiokafka 0.14). Then its tasks are ended,
    which would connect anew to fetch and keep its place in the group, and its sockets closed.
    """
    try:
        async with asyncio.timeout(seconds):
            await one.stop()
    except TimeoutError:
        left = [task for task in _tasks(one) if task is not None]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_CLOSING)
        # A producer has it in public, a consumer has not.
        sockets = one.client if hasattr(one, "client") else one._client  # noqa: SLF001
        await sockets.close()


def _tasks(one: Any) -> Iterator[asyncio.Task[Any] | None]:  # noqa: ANN401 - untyped
    """What a consumer or a producer runs; there is no public way to it."""
    for owner, names in (
        ("_coordinator", ("_coordination_task", "_heartbeat_task", "_commit_refresh_task")),
        ("_fetcher", ("_fetch_task",)),
        ("_sender", ("_sender_task",)),
    ):
        for name in names:
            yield getattr(getattr(one, owner, None), name, None)


async def _ask(config: KafkaConfig, place: str, named: dict[str, Any]) -> None:
    host, _, port = place.rpartition(":")
    where = f"the Kafka broker at {place}"
    connection = _CONN.AIOKafkaConnection(host.strip("[]"), int(port), **named)
    try:
        await connection.connect()
    except ssl.SSLCertVerificationError as error:
        problem = (
            f"shows a certificate that is not trusted ({error.verify_message}); name the file of "
            "its authority in kafka.ca, or its right name in kafka.bootstrap"
        )
        raise Unavailable(f"{where} {problem}") from error
    except (errors.AuthenticationFailedError, errors.SaslAuthenticationFailed) as error:
        raise refuses(config, place) from error
    except (errors.UnsupportedSaslMechanismError, errors.IllegalSaslStateError) as error:
        problem = f"takes no login by {config.mechanism}; mend kafka.mechanism or kafka.username"
        raise Unavailable(f"{where} {problem}") from error
    except (OSError, errors.KafkaError) as error:
        number = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(number) if number and number > 0 else str(error) or "no answer"
        problem = f"is not to be reached ({reason}); start it, or mend kafka.bootstrap or kafka.tls"
        raise Unavailable(f"{where} {problem}") from error
    finally:
        # Sockets close behind our back, and of one that never opened nobody says so.
        await asyncio.wait([connection.close()], timeout=_CLOSING)


def _context(config: KafkaConfig) -> ssl.SSLContext:
    field, path = "ca", config.ca
    try:
        context = ssl.create_default_context(cafile=config.ca)
        if config.certificate is not None:
            field, path = "certificate", config.certificate
            context.load_cert_chain(config.certificate, config.key)
    except OSError as error:  # which an ssl.SSLError is, too
        reason = getattr(error, "reason", None) or error.strerror
        raise Mistake(f"kafka.{field}: {path}: {reason}; name a readable PEM file") from error
    return context
