"""Wire: rows, Ticks and results as records of our topics, and back.

A row has the key that owns its state, a result its id, a Tick none. The header `barograph-schema`
says what a record is, `barograph-state` how far a result is. Values are JSON.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Final, cast, get_args

import msgspec

from schemas.finding import State
from schemas.rows import Delete, Result, ResultKind, Row, Tick
from schemas.times import BEGINNING, END
from schemas.topics import ALERTS, DEAD_LETTERS, FINDINGS, HISTORY

Headers = Sequence[tuple[str, bytes]]

SCHEMA: Final = "barograph-schema"
STATE: Final = "barograph-state"
RAW_BYTES: Final = 2**20  # of a record that goes to the dead letters
_ROW: Final = ((SCHEMA, b"row"),)
_DELETE: Final = ((SCHEMA, b"delete"),)
_TICK: Final = ((SCHEMA, b"tick"),)
_RESULT: Final = {
    (kind, state): ((SCHEMA, kind.encode()), (STATE, state.encode()))
    for kind in get_args(ResultKind)
    for state in get_args(State)
}
_TOPICS: Final[dict[str, str]] = {"finding": FINDINGS, "alert": ALERTS, "reject": DEAD_LETTERS}


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record without its place: key, value (None takes the key back) and headers."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


# A time beyond these is nobody's, and no state can hold it.
_Time = Annotated[int, msgspec.Meta(ge=BEGINNING, le=END)]


class _Row(msgspec.Struct):
    level: int
    time: _Time
    id: str
    kind: str
    body: dict[str, Any]


class _Delete(msgspec.Struct):
    level: int
    time: _Time
    id: str


class _Tick(msgspec.Struct):
    input: str
    level: int
    watermark: _Time
    clock: _Time


_row: Final = msgspec.json.Decoder(_Row)
_delete: Final = msgspec.json.Decoder(_Delete)
_tick: Final = msgspec.json.Decoder(_Tick)
_encode: Final = msgspec.json.Encoder().encode
_KINDS: Final = frozenset(get_args(ResultKind))


def row(output: Row | Delete) -> Record:
    """A row, or what takes one back; both lie in the topic that they name."""
    key = output.key.encode()
    if type(output) is Delete:
        return Record(key, _encode(_Delete(output.level, output.time, output.id)), _DELETE)
    value = _Row(output.level, output.time, output.id, output.kind, output.body)
    return Record(key, _encode(value), _ROW)


def tick(output: Tick) -> Record:
    """A Tick, for every partition of the topics that it goes to."""
    return Record(
        None, _encode(_Tick(output.input, output.level, output.watermark, output.clock)), _TICK
    )


def received(
    topic: str, key: bytes | None, value: bytes | None, headers: Headers
) -> Row | Delete | Tick:
    """What lies in one of the topics between stages, named without its prefix."""
    schema = headers[0][1] if headers else b""
    data = value or b""
    if schema == b"tick":
        told = _tick.decode(data)
        return Tick(told.input, told.level, told.watermark, told.clock)
    owner = (key or b"").decode()
    if schema == b"row":
        found = _row.decode(data)
        return Row(topic, found.level, owner, found.time, found.id, found.kind, found.body)
    gone = _delete.decode(data)
    return Delete(topic, gone.level, owner, gone.time, gone.id)


def topic_of(kind: ResultKind) -> str:
    """The topic of results of a kind, without the prefix."""
    return _TOPICS.get(kind, HISTORY)


def result(output: Result) -> Record:
    """A result as sinks take it."""
    headers = _RESULT[output.kind, output.state]
    return Record(output.id.encode(), _encode(output.body), headers)


def dead_letter(output: Result, raw: bytes) -> Record:
    """A refused record: why, and as much of it as there is room for."""
    kept = raw[:RAW_BYTES]
    body = dict(output.body)
    try:
        body["record"] = kept.decode()
    except UnicodeDecodeError:
        body["record_base64"] = base64.b64encode(kept).decode()
    if len(kept) < len(raw):
        body["truncated"] = True
    return msgspec.structs.replace(result(output), value=_encode(body))


def result_of(
    key: bytes | None, value: bytes | None, headers: Headers, timestamp: int
) -> Result | None:
    """The result in a topic of results; None of a record that is none. `timestamp`: its arrival.

    Raises msgspec.DecodeError for a value that is no JSON object.
    """
    named = dict(headers)
    kind = named.get(SCHEMA, b"").decode("ascii", "replace")
    if key is None or value is None or kind not in _KINDS:
        return None
    body = msgspec.json.decode(value, type=dict[str, Any])
    for extra in ("record", "record_base64", "truncated"):
        body.pop(extra, None)
    state = named.get(STATE, b"final").decode("ascii", "replace")
    return Result(cast("ResultKind", kind), key.decode(), timestamp, cast("State", state), body)
