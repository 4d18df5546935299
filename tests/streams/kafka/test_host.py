"""A host: whatever ends a life, the stage does not stay where it is in silence."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from schemas.config import KafkaConfig
from streams.kafka import host
from streams.kafka.host import Host
from streams.kafka.job import Job
from streams.kafka.pace import Processor
from tests.streams.kafka.living import soon

NEVER = cast("Any", None)


def hosting(config: KafkaConfig) -> Host:
    return Host(config, Job("record", ["in"], "group", NEVER, NEVER, NEVER, 9), NEVER, Processor())


async def test_a_certificate_that_is_gone_is_what_a_person_has_to_mend(tmp_path: Path) -> None:
    """It is read again for each life: a stage that cannot begin must not seem to run."""
    gone = tmp_path / "gone.pem"
    one = hosting(KafkaConfig(bootstrap="127.0.0.1:9", tls=True, ca=str(gone)))
    await one.run()
    assert str(one.refusal).startswith(f"kafka.ca: {gone}: ")


async def test_who_cannot_say_what_went_wrong_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def speechless(*_: object) -> str:
        raise OSError("the brokers are not asked either")

    monkeypatch.setattr(host, "sentence", speechless)
    one = hosting(KafkaConfig(bootstrap="127.0.0.1:9"))
    running = asyncio.create_task(one.run())
    await soon(lambda: one.figures.lives > 1)
    assert (one.problem or "").startswith("KafkaConnectionError: ")
    one.stop()
    await running
