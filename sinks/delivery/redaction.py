"""Redaction: what leaves with an alert and what does not, before any receiver sees it."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from ipaddress import ip_address
from typing import Any, Final, Literal, cast, get_args

from schemas.entity import Kind

Redacted = Kind | Literal["address"]
Omitted = Literal[
    "entities", "findings", "timeline", "path", "why", "next", "actions", "tags", "evidence"
]
DIGITS: Final = 16  # of a fingerprint, hexadecimal: 64 bits
_KINDS: Final = frozenset(get_args(Kind))
_ADDRESS: Final = re.compile(
    r"(?<![\w.:])[0-9A-Fa-f:.]{2,44}[0-9A-Fa-f:](?![\w:]|\.\d)"
)  # or a time, or a version


class Redaction:
    """Takes ids of some kinds of entities, and network addresses, out of a whole alert.

    With `key`, a thing is `<kind>-<fingerprint>` wherever it is named, the same in every alert;
    without it `[<kind>]`. Whole lists may be left out besides. What is left says nothing false:
    `body_sha256` stays that of the alert as it is in the store.
    """

    def __init__(
        self, kinds: Collection[Redacted], omitted: Collection[Omitted], key: bytes | None
    ) -> None:
        self._kinds, self._omitted, self._key = frozenset(kinds), frozenset(omitted), key

    def __bool__(self) -> bool:
        return bool(self._kinds or self._omitted)

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body that may leave."""
        kept = {name: value for name, value in body.items() if name not in self._omitted}
        if not self._kinds:
            return kept
        names = dict(sorted(self._named(body), key=lambda pair: -len(pair[0])))
        if names:
            pattern = "|".join(map(re.escape, names))  # the longest first
            told = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")

            def named(text: str) -> str:
                return told.sub(lambda found: names[found[0]], text)

            kept = _walked(kept, named)
        if "address" in self._kinds:
            kept = _walked(kept, self._unaddressed)
        return kept

    def _named(self, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for kind, id_, name in _things(body):
            if kind in self._kinds:
                told = self._told(kind, id_)
                yield id_, told
                if name:
                    yield name, told

    def _unaddressed(self, text: str) -> str:
        return _ADDRESS.sub(self._address, text)

    def _address(self, found: re.Match[str]) -> str:
        try:
            address = ip_address(found[0])
        except ValueError:
            return found[0]
        return self._told("address", str(address))

    def _told(self, kind: str, id_: str) -> str:
        if self._key is None:
            return f"[{kind}]"
        return f"{kind}-{hmac.digest(self._key, f'{kind}:{id_}'.encode(), 'sha256').hex()[:DIGITS]}"


def _things(body: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """The kinds, ids and names of all things that an alert names by their ids."""
    for entity in body.get("entities", ()):
        yield entity["kind"], entity["id"], entity.get("name")
    ends = [step[end] for step in body.get("path", ()) for end in ("from", "to")]
    for end in (*ends, body.get("system", "")):
        kind, colon, id_ = end.partition(":")
        if colon and id_ and kind in _KINDS:
            yield kind, id_, None


def _walked(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    """The same value with every text in it changed, except the names of fields."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: _walked(inner, change) for name, inner in fields.items()}
    if isinstance(value, list | tuple):
        return [_walked(inner, change) for inner in cast("Sequence[Any]", value)]
    return value
