"""Tailing: one record of a topic as a line for people, or as JSON for programs."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from correlators.sigma.values import is_object
from infra.terminal import shown
from schemas.times import BEGINNING, END, rfc3339
from streams.kafka.log import Entry
from streams.kafka.wire import SCHEMA, STATE

VALUE: Final = 160  # characters of a value on a line
KEY: Final = 40
_ROOM: Final = 40  # for what says how much was cut


def line(entry: Entry) -> str:
    """Place, time, what it is, key, and the start of what it says; nothing in it acts."""
    schema = header(entry, SCHEMA) or "-"
    key = "-" if entry.key is None else entry.key.decode("utf-8", "backslashreplace")
    place = f"{entry.partition}/{entry.offset}"
    return (
        f"{place:<10}  {shown.time(entry.time)}  {shown.short(schema, 9):<9}  "
        f"{shown.short(key, KEY)}  {shown.text(said(entry), VALUE + _ROOM)}"
    )


def said(entry: Entry) -> str:
    """The start of what a record of ours says, or of the bytes that others wrote."""
    if entry.value is None:
        return "(takes its key back)"
    teller = _TELLERS.get(header(entry, SCHEMA) or "")
    value = _decoded(entry.value) if teller else None
    if teller is None or not is_object(value):
        return _head(entry.value)
    try:
        return _cut(teller(value, header(entry, STATE) or ""))
    except (KeyError, TypeError, ValueError):  # shaped otherwise than ours
        return _head(entry.value)


def body(entry: Entry) -> dict[str, Any]:
    """The whole record; `value` where it is JSON, else `text` or `base64`."""
    told: dict[str, Any] = {
        "topic": entry.topic,
        "partition": entry.partition,
        "offset": entry.offset,
        "time": rfc3339(entry.time),
        "headers": {name: _text(value) for name, value in entry.headers},
    }
    if entry.key is not None:
        told["key"] = _text(entry.key)
    if entry.value is None:
        return told
    value = _decoded(entry.value)
    if value is not None:
        return told | {"value": value}
    try:
        return told | {"text": entry.value.decode()}
    except UnicodeDecodeError:
        return told | {"base64": base64.b64encode(entry.value).decode()}


def header(entry: Entry, name: str) -> str | None:
    """The first header of that name, None if there is none."""
    return next((_text(value) for key, value in entry.headers if key == name), None)


def _head(value: bytes) -> str:
    head = value[:VALUE].decode("utf-8", "backslashreplace")
    whole = len(value) <= VALUE and len(head) <= VALUE
    return head if whole else f"{head[:VALUE]}… ({len(value):,} bytes)"


def _cut(said: str) -> str:
    return said if len(said) <= VALUE else f"{said[:VALUE]}… ({len(said):,} characters)"


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "backslashreplace")


def _decoded(data: bytes) -> Any:  # noqa: ANN401 - a JSON value
    """The value of a JSON text that can be written again; None for what is none, or too deep."""
    try:
        value = orjson.loads(data)
        orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return value


def _row(value: Mapping[str, Any], _: str) -> str:
    level = f" level {value['level']}" if value["level"] else ""
    rest = orjson.dumps(value["body"]).decode()
    return f"{value['kind']}{level} {_moment(value['time'])} {rest}"


def _delete(value: Mapping[str, Any], _: str) -> str:
    return f"takes back {value['id']} {_moment(value['time'])}"


def _tick(value: Mapping[str, Any], _: str) -> str:
    watermark, clock = _moment(value["watermark"]), _moment(value["clock"])
    return f"{value['input']} level {value['level']} settled below {watermark}, clock {clock}"


def _finding(value: Mapping[str, Any], state: str) -> str:
    return f"{state} {value['level']} {value['title']} ({value['rule']})"


def _alert(value: Mapping[str, Any], state: str) -> str:
    return f"{state} {value['stage']} {value['title']} on {value['system']}"


def _reject(value: Mapping[str, Any], _: str) -> str:
    return f"{value['reason']}: {value['detail']} ({value['source']}, {value['origin']})"


def _moment(micros: int) -> str:
    if micros in (BEGINNING, END):
        return "the beginning" if micros == BEGINNING else "the end"
    return rfc3339(micros)


_TELLERS: Final[Mapping[str, Callable[[Mapping[str, Any], str], str]]] = {
    "row": _row,
    "delete": _delete,
    "tick": _tick,
    "finding": _finding,
    "alert": _alert,
    "reject": _reject,
}
