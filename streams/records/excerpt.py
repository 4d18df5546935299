"""Excerpt: a few texts of a raw JSON record, for a record of which the rest is not asked for."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypedDict

import msgspec

from correlators.sigma.shape import UNUSUAL
from schemas.config import Limits
from streams.records.untrusted import brackets

_TYPED_DICT: Final[Any] = TypedDict
_ESCAPE: Final = b"\\"  # perhaps of half a character, which only a whole decoding refuses


def excerpt(
    names: frozenset[str], limits: Limits
) -> Callable[[bytes], dict[str, str | None] | None]:
    """What reads the texts of these names from a record that a scan found no fault with.

    It gives None where `untrusted.decode` must judge the record: where such a value is no text, and
    where the record may be one that is refused as a whole.
    """
    decode = _decoder(names).decode

    def read(data: bytes) -> dict[str, str | None] | None:
        if _ESCAPE in data or brackets(data) > limits.depth:
            return None
        try:
            texts: dict[str, str | None] = decode(data)
        except UNUSUAL:
            return None
        return texts

    return read


@cache  # as many as there are sources
def _decoder(names: frozenset[str]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_TYPED_DICT("Texts", dict.fromkeys(names, str | None), total=False))
