"""Brokers: what the commands that talk to Kafka ask of the configuration."""

from __future__ import annotations

from pathlib import Path

from schemas.config import Config, KafkaConfig
from schemas.errors import Mistake
from schemas.topics import RAW, TOPICS, state


def kafka(config: Config, path: Path | None) -> KafkaConfig:
    """The section `[kafka]`; without it a Mistake that shows one."""
    if config.kafka is None:
        raise Mistake(
            f"{path or 'barograph.toml'} has no section [kafka]: add the lines "
            '[kafka] and bootstrap = "localhost:9092", or set BAROGRAPH_KAFKA__BOOTSTRAP'
        )
    return config.kafka


def full(config: KafkaConfig, topic: str) -> str:
    """The full name of a topic: ours may be given without the prefix, as `raw.cloudtrail`."""
    ours = {one.name for one in TOPICS}
    if topic.startswith(RAW) or topic in ours or topic.endswith(state("")):
        return config.prefix + topic
    return topic


def inputs(config: Config) -> list[str]:
    """The topics of `[[input]]`, which others write."""
    return [one.topic for one in config.input if one.kind == "kafka" and one.topic is not None]
