"""Envelope: the records inside what carries them, whichever way they came.

Known are a list; an object with a list of records; EventBridge (`detail`); a batch of CloudWatch
Logs as a subscription delivers it (`logEvents`); what Pub/Sub pushes, or gives when it is pulled
(`message.data` in base64); and the record alone. Carriers may lie in each other.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import cache
from typing import Final

import msgspec

from streams.records.untrusted import slices
from streams.source import Raw, Unreadable

_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CARRIERS: Final = (b'"detail"', b'"logEvents"', b'"message"', b'"receivedMessages"')
_NESTED: Final = 4  # carriers in carriers


class _Line(msgspec.Struct):
    message: str


class _Push(msgspec.Struct):
    data: str


_LINES: Final = msgspec.json.Decoder(list[_Line])
_PUSH: Final = msgspec.json.Decoder(_Push)


def records(document: bytes, *lists: str) -> Iterator[Raw]:
    """The records of a document, in its order; `lists` are the names of lists of records.

    Raises Unreadable for all of it, before the first record.
    """
    document, marks = document.strip(), _marks(lists)
    if document[:1] == b"{" and not _holds(document, marks):
        return iter((Raw(document),))  # nearly all of NDJSON: not looked at twice
    return map(Raw, _records(document, lists, marks, _NESTED))


@cache
def _marks(lists: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(b'"%b"' % name.encode() for name in lists) + _CARRIERS


def _records(
    document: bytes, lists: tuple[str, ...], keys: tuple[bytes, ...], left: int
) -> list[bytes]:
    if document.startswith(b"["):
        ones = [bytes(one) for one in slices(document, _LIST)]
        if left == 0 or not ones or b'"ackId"' not in ones[0]:  # as `gcloud pubsub pull` has it
            return ones
        return [one for part in ones for one in _records(part, lists, keys, left - 1)]
    if left == 0 or not document.startswith(b"{") or not _holds(document, keys):
        return [document]  # nearly all of NDJSON: not looked at twice
    held = slices(document, _OBJECT)
    for name in lists:
        if bytes(held.get(name, b"")).startswith(b"["):
            return [bytes(one) for one in slices(bytes(held[name]), _LIST)]
    inside = _carried(held)
    if inside is None:
        return [document]
    return [one for part in inside for one in _records(part.strip(), lists, keys, left - 1)]


def _holds(document: bytes, keys: tuple[bytes, ...]) -> bool:
    for key in keys:  # noqa: SIM110 - half the time of `any`
        if key in document:
            return True
    return False


def _carried(held: dict[str, msgspec.Raw]) -> list[bytes] | None:
    """What a carrier brings; None of what is none."""
    if bytes(held.get("messageType", b"")) == b'"CONTROL_MESSAGE"':  # CloudWatch tries the way
        return []
    if "logEvents" in held and "messageType" in held:
        return [line.message.encode() for line in slices(bytes(held["logEvents"]), _LINES)]
    if "detail" in held and "detail-type" in held:
        return [bytes(held["detail"])]
    if "receivedMessages" in held:
        return [bytes(held["receivedMessages"])]
    if "message" in held and ("subscription" in held or "ackId" in held):
        try:
            return [base64.b64decode(slices(bytes(held["message"]), _PUSH).data, validate=True)]
        except ValueError as error:  # binascii.Error, or a letter that no ASCII has
            raise Unreadable("encoding", f"`message.data` is no base64: {error}") from None
    return None
