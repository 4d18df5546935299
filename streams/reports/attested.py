"""Attestations: the document inside a statement of in-toto, as cosign and vexctl sign it."""

from __future__ import annotations

from typing import Final

import msgspec

from streams.records.untrusted import slices

_HEAD: Final = 65_536  # bytes of a document that say what it is inside of


class _Statement(msgspec.Struct, rename="camel"):
    predicate_type: str | None = None
    predicate: msgspec.Raw = msgspec.Raw()


_STATEMENT: Final = msgspec.json.Decoder(_Statement)


def predicate(document: bytes) -> bytes:
    """What is attested, or the document itself where it is no statement. Raises Unreadable."""
    if b'"predicateType"' not in document[:_HEAD]:
        return document
    told = slices(document, _STATEMENT)
    inside = bytes(told.predicate)
    return inside if told.predicate_type is not None and inside.startswith(b"{") else document
