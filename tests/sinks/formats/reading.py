"""Readers of CEF, LEEF and RFC 5424, as strict as their papers."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import orjson

# The dictionary of CEF: the longest that a field may be, None for a number.
CEF_FIELDS: Final[dict[str, int | None]] = {
    "rt": None,
    "start": None,
    "end": None,
    "cn1": None,
    "cn2": None,
    "cfp1": None,
    "externalId": 40,
    "act": 63,
    "outcome": 63,
    "cat": 1023,
    "msg": 1023,
    "reason": 1023,
    "suser": 1023,
    "flexString1": 1023,
    "flexString2": 1023,
} | {f"cs{n}": 4000 for n in range(1, 7)}
LABELS: Final = 1023
_HEADER: Final = re.compile(r"CEF:0" + r"\|((?:[^|\\\n\r]|\\[|\\])*)" * 6 + r"\|(.*)", re.DOTALL)
_KEY: Final = re.compile(r"(?:\A| )([A-Za-z0-9]+)=")
_VALUE: Final = re.compile(r"(?:[^\\=\n\r]|\\[\\=nr])*")
_MESSAGE: Final = re.compile(
    rb"<(0|[1-9]\d{0,2})>1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z)"
    rb" ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) \[([!-~]+)"
    rb'((?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] (.*)',
    re.DOTALL,
)
_PARAM: Final = re.compile(rb' ([^=]+)="((?:[^"\\\]]|\\["\\\]])*)"')


class Cef(NamedTuple):
    """An event: vendor, product, version, signature, name and severity; its extension."""

    header: tuple[str, ...]
    fields: dict[str, str]


class Message(NamedTuple):
    """A message; `priority` is PRI, `data` the parameters of its one element."""

    priority: int
    time: str
    host: str
    app: str
    msgid: str
    sd_id: str
    data: dict[str, str]
    text: str


def cef(text: str) -> Cef:
    """The event in a text; AssertionError where it is none."""
    found = _HEADER.fullmatch(text)
    assert found is not None, text
    *header, extension = found.groups()
    keys = list(_KEY.finditer(extension))
    assert keys
    assert keys[0].start() == 0
    ends = [key.start() for key in keys[1:]] + [len(extension)]
    fields: dict[str, str] = {}
    for key, end in zip(keys, ends, strict=True):
        raw = extension[key.end() : end]
        assert _VALUE.fullmatch(raw), raw
        assert key[1] not in fields, f"{key[1]} twice"
        fields[key[1]] = _unescaped(raw)
    for key_, value in fields.items():
        most = LABELS if key_.endswith("Label") else CEF_FIELDS[key_]
        if most is None:
            float(value)
        else:
            assert len(value) <= most, key_
    assert len(header[4]) <= 512 * 6  # a name of 512, each spelled out
    assert 0 <= int(header[5]) <= 10
    return Cef(tuple(_unescaped(one) for one in header), fields)


def leef(text: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Vendor, product, version and event id; the attributes. AssertionError where it is none."""
    mark, *header, delimiter, rest = text.split("|", 6)
    assert (mark, delimiter) == ("LEEF:2.0", "^")
    assert re.search("[\x00-\x1f\x7f]", text) is None
    fields: dict[str, str] = {}
    for pair in rest.split(delimiter):
        key, equals, value = pair.partition("=")
        assert equals
        assert re.fullmatch("[A-Za-z]+", key), pair
        assert key not in fields, f"{key} twice"
        fields[key] = _json(value)
    assert 1 <= int(fields["sev"]) <= 10
    return tuple(map(_json, header)), fields


def message(data: bytes) -> Message:
    """The message that these bytes are; AssertionError where they are none."""
    found = _MESSAGE.fullmatch(data)
    assert found is not None, data
    priority, time, host, app, procid, msgid, sd_id, params, text = found.groups()
    assert int(priority) <= 191
    assert procid == b"-"
    told: dict[str, str] = {}
    for name, value in _PARAM.findall(params):
        assert name.decode() not in told
        told[name.decode()] = re.sub(r'\\(["\\\]])', r"\1", value.decode())
    assert text.startswith(b"\xef\xbb\xbf")
    host, app, msgid, sd_id = (word.decode() for word in (host, app, msgid, sd_id))
    said = text[3:].decode()
    return Message(int(priority), time.decode(), host, app, msgid, sd_id, told, said)


def frames(data: bytes) -> list[bytes]:
    """The messages of a stream with octet counting; AssertionError if it ends within one."""
    found: list[bytes] = []
    while data:
        length, _, data = data.partition(b" ")
        assert re.fullmatch(rb"[1-9]\d*", length)
        assert len(data) >= int(length)
        found.append(data[: int(length)])
        data = data[int(length) :]
    return found


def _unescaped(raw: str) -> str:
    told = {"\\\\": "\\", "\\=": "=", "\\|": "|", "\\n": "\n", "\\r": "\r"}
    return re.sub(r"\\.", lambda found: told[found[0]], raw)


def _json(text: str) -> str:
    return str(orjson.loads('"' + text.replace('"', '\\"') + '"'))
