"""Untyped: the clients of aiokafka, which ships no types, as checkers shall see them."""

from __future__ import annotations

from typing import Any, Final, cast

import aiokafka
import aiokafka.admin

Admin: Final[Any] = cast("Any", aiokafka.admin).AIOKafkaAdminClient
Consumer: Final[Any] = cast("Any", aiokafka).AIOKafkaConsumer
Producer: Final[Any] = cast("Any", aiokafka).AIOKafkaProducer
