"""Probes: the rows of a garak report, and what they say of the run and of what was probed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.entity import Entity
from streams.names import addresses, aws, models
from streams.records.clocks import told
from streams.records.untrusted import decode, entity, mapping, number, text
from streams.source import Json, Unreadable

ENDS: Final = frozenset({"completed", "completion", "digest"})  # types of the last rows
_ADDRESSES: Final = ("http://", "https://", "ws://", "wss://")
_PATHS: Final = ("/", "./", "../", "~")
_LIMITS: Final = Limits()


class Row(msgspec.Struct):
    """A row by its type; a row of the hit log has none."""

    entry_type: str = "hit"
    probe: str = ""
    detector: str = ""


class _Digest(msgspec.Struct):
    meta: msgspec.Raw = msgspec.Raw(b"{}")
    groups: dict[str, dict[str, msgspec.Raw]] | None = msgspec.field(default=None, name="eval")


_ROW: Final = msgspec.json.Decoder(Row)
_DIGEST: Final = msgspec.json.Decoder(_Digest)
_PROBE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Run(NamedTuple):
    """What the rows before say of a run: its target, when it began, whether it came to an end."""

    kind: str | None = None
    name: str | None = None
    time: int = 0
    id: str | None = None
    attempts: int = 0
    ended: bool = False

    def target(self) -> Entity | None:
        """The model, or the endpoint, that was probed."""
        return target(self.kind, self.name)


class Judged(NamedTuple):
    """One detector of one probe in a digest, with the exact text of what is said of it."""

    data: bytes
    probe: str
    detector: str
    defcon: int | None


def row(line: bytes) -> Row | None:
    """The row of a line; None of what is none."""
    try:
        return _ROW.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def read(line: bytes) -> dict[str, Json]:
    """All that a line says."""
    try:
        return mapping(decode(line, _LIMITS))
    except Unreadable:
        return {}


def began(run: Run, said: dict[str, Json]) -> Run:
    """The run, with what one more row says of it; what was said before stays."""

    def first(*keys: str) -> str | None:
        return next((known for key in keys if (known := text(said.get(key), 384))), None)

    kind = first("plugins.target_type", "plugins.model_type", "target_type", "model_type")
    name = first("plugins.target_name", "plugins.model_name", "target_name", "model_name")
    started = first("start_time", "transient.starttime_iso")
    return run._replace(
        kind=run.kind or kind,
        name=run.name or name,
        time=run.time or told(started),
        id=run.id or first("run", "transient.run_id", "run_uuid", "run_id"),
    )


def digest(line: bytes) -> Iterator[Judged]:
    """What a digest says of each detector of each probe."""
    try:
        groups = _DIGEST.decode(line).groups or {}
        for group in groups.values():
            for probe, held in group.items():
                found = {} if probe == "_summary" else _PROBE.decode(held)
                for detector, said in found.items():
                    if detector != "_summary":
                        defcon = number(read(bytes(said)).get("detector_defcon"))
                        level = None if defcon is None else int(defcon)
                        yield Judged(bytes(said), probe, detector, level)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return


def target(kind: str | None, name: str | None) -> Entity | None:
    """The model by its provider's id; the endpoint where an address, or no model, is named."""
    if kind is None or name is None:
        return entity("endpoint", kind)
    family = kind.partition(".")[0].lower()
    if family == "litellm" and "/" in name:  # `openai/gpt-4o`: who serves it, and the model
        family, _, name = name.partition("/")
    if family in {"rest", "websocket"} or name.startswith(_ADDRESSES):
        return addresses.endpoint(name)
    match family:
        case "azure":
            return entity("endpoint", name.lower())
        case "huggingface":
            local = name.startswith(_PATHS)
            return models.file(name)[0] if local else models.model(f"huggingface {name}")
        case "bedrock":
            return aws.model(name)
        case _:
            return entity("model", name)
