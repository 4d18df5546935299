"""Mutation: documents made worse, in their bytes or in what they say; the random is an argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import orjson

from correlators.sigma.values import is_list, is_object

LARGEST: Final = 2**20  # bytes of a document that is still changed
LONGEST: Final = 2000  # elements of a list
DEEPEST: Final = 40  # levels that are gone inside
_DEPTHS: Final = (3, 90, 101, 600)
_BYTES: Final = (
    *(b"\x00", b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\n", b"\r\n"),
    *(b'"', b"\\", b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]", b",", b":", b"-", b"e999"),
    *(b"null", b"NaN", b"1e400", b"-0", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"'", b";", b"|", b"\t"),
    *(b"9" * 30, b'"\\ud83d"', b"\xf0\x9f"),
)
_TEXTS: Final = (
    *("", " ", "\x00", "\x1b[2J", "\u202e", "\ud7ff", "a" * 5000, "a." * 300, "%s%n", "../" * 9),
    *("2026-02-30T00:00:00Z", "2026-03-04T05:06:07Z", "0001-01-01T00:00:00Z", "20260304", "1e9"),
    *("9" * 40, "-1", "NaN", "true", "null", "None", "[]", "{}", "::ffff:1.2.3.4", "999.1.1.1"),
    *("arn:", "arn:aws:iam::111122223333:role/x", "arn:aws:sts::1:assumed-role/", "sha256:"),
    *("pkg:", "pkg:npm/%40a/b@1?x#y", "CVE-", "urn:cdx:x/1#y", "https://[", "http://a:b@c/d"),
    *(
        "eyJ",
        "eyJhIjoxfQ==",
        "AAAA",
        "====",
        "gpt-4",
        "user:",
        "system:serviceaccount:a:b",
        "a/b/c",
    ),
)
_NUMBERS: Final = (
    *(0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 0.1, -0.5, 1e308, 1e-320),
    *(1772600767, 1772600767123, 1772600767123456, 1772600767123456789),
)


class Mutator:
    """Changes documents; knows the keys and values of all that it was shown."""

    def __init__(self, random: Random, seeds: Sequence[bytes]) -> None:
        self._random = random
        self._keys: list[str] = []
        self._values: list[Any] = []
        self._seeds = seeds
        for seed in seeds:
            for part in (seed, *seed.splitlines()[:20]):
                self._learn(_json(part))
        self._keys = sorted(set(self._keys)) or ["a"]

    def worse(self, document: bytes) -> bytes:
        """A document with a few changes."""
        for _ in range(self._random.choice((1, 1, 2, 3, 8))):
            change = self._said if self._random.random() < 0.7 else self._bytes
            document = change(document)[:LARGEST]
        return document

    # -- what it says

    def _said(self, document: bytes) -> bytes:
        whole = _json(document)
        if whole is not None:
            return _dumped(self._changed(whole, 0)) or document
        lines = document.splitlines(keepends=True)
        if not lines:
            return self._bytes(document)
        at = self._random.randrange(len(lines))
        record = _json(lines[at])
        if record is None:
            return self._bytes(document)
        lines[at] = (_dumped(self._changed(record, 0)) or lines[at].strip()) + b"\n"
        return b"".join(lines)

    def _changed(self, value: Any, depth: int) -> Any:  # noqa: ANN401 - JSON
        """Change one value somewhere inside."""
        if value and depth <= DEEPEST and self._random.random() > 0.12:
            if is_list(value):
                return self._list(value, depth)
            if is_object(value):
                return self._object(value, depth)
        return self._other(value)

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        found, turn = list(value), self._random.random()
        at = self._random.randrange(len(found))
        if turn < 0.08:
            found.insert(at, found[at])
        elif turn < 0.16:
            del found[at]
        elif turn < 0.18:
            found = found * self._random.choice((2, 40))
        else:
            found[at] = self._changed(found[at], depth + 1)
        return found[:LONGEST]

    def _object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        said, turn = dict(value), self._random.random()
        key = self._random.choice(sorted(said))
        if turn < 0.08:
            del said[key]
        elif turn < 0.14:
            said[self._random.choice(self._keys)] = said.pop(key)
        elif turn < 0.20:
            said[self._random.choice(self._keys)] = self._value()
        elif turn < 0.24:
            said[key.swapcase()] = said[key]
        else:
            said[key] = self._changed(said[key], depth + 1)
        return said

    def _other(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """Something in its place: of another kind, or the same in other clothes."""
        ways: tuple[Callable[[Any], Any], ...] = (
            lambda _: self._value(),
            lambda _: self._value(),
            lambda v: [v],
            lambda v: {self._random.choice(self._keys): v},
            lambda v: v[0] if is_list(v) and v else None,
            lambda v: orjson.dumps(v).decode() if not isinstance(v, str) else v.upper(),
            lambda v: v[: len(v) // 2] if isinstance(v, str) or is_list(v) else str(v),
            lambda v: v + self._random.choice(_TEXTS) if isinstance(v, str) else [],
            self._nested,
        )
        return self._random.choice(ways)(value)

    def _nested(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        for _ in range(self._random.choice(_DEPTHS)):
            value = [value] if self._random.random() < 0.5 else {"a": value}
        return value

    def _value(self) -> Any:  # noqa: ANN401 - JSON
        turn = self._random.random()
        if turn < 0.4 and self._values:
            return self._random.choice(self._values)
        if turn < 0.7:
            return self._random.choice(_TEXTS)
        if turn < 0.85:
            return self._random.choice(_NUMBERS)
        others: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], {"": ""})
        return self._random.choice(others)

    def _learn(self, value: Any) -> None:  # noqa: ANN401 - JSON
        level = [value]
        while level and len(self._keys) < 20_000:
            below: list[Any] = []
            for one in level:
                if is_object(one):
                    self._keys += one
                    below += one.values()
                elif is_list(one):
                    below += one[:50]
                if len(self._values) < 20_000 and len(str(one)) < 2000:
                    self._values.append(one)
            level = below

    # -- its bytes

    def _bytes(self, document: bytes) -> bytes:
        random, size = self._random, len(document)
        at = random.randint(0, size)
        end = min(size, at + random.choice((1, 2, 8, 64, size)))
        turn = random.randrange(6)
        if turn == 0:
            return document[:at]
        if turn == 1:
            return document[:at] + document[end:]
        if turn == 2:
            return document[:at] + document[at:end] * random.choice((2, 3, 50)) + document[end:]
        if turn == 3 and size:
            place = min(at, size - 1)
            return document[:place] + bytes([random.randrange(256)]) + document[place + 1 :]
        if turn == 4 and self._seeds:
            other = random.choice(self._seeds)
            start = random.randint(0, len(other))
            return document[:at] + other[start : start + random.choice((16, 400, 4000))]
        return document[:at] + random.choice(_BYTES) + document[at:]


def _json(document: bytes) -> Any:  # noqa: ANN401 - JSON
    """What it says; None of what is no JSON."""
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return None


def _dumped(value: Any) -> bytes | None:  # noqa: ANN401 - JSON
    """None of what is nested so deep that it cannot be written."""
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError):
        return None
