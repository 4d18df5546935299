"""Shape: the few fields that are decoded of a raw JSON record, and the code that reads them."""

from collections.abc import Callable, Collection, Iterable
from typing import Annotated, Any, Final, NamedTuple

import msgspec

UNUSUAL: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

# No value is of this type: decoding fails for a record that has such a field.
NEVER: Final = Annotated[int, msgspec.Meta(gt=0, lt=0)]


class Place(NamedTuple):
    """Where a value lies in a decoded record `e`: the attributes that lead to it."""

    attributes: tuple[str, ...]

    @property
    def way(self) -> str:
        """An expression that is true where there is a way to the value; `value` comes behind it."""
        *outer, _ = self.attributes
        steps = [f"(a := {'a' if i else 'e'}.{name}) is not None" for i, name in enumerate(outer)]
        return " and ".join(steps) or "True"

    @property
    def value(self) -> str:
        """An expression for the value, None where there is none."""
        return f"{'a' if self.attributes[1:] else 'e'}.{self.attributes[-1]}"

    @property
    def read(self) -> Callable[[Any], Any]:
        """What gives the value, None where there is none or no way to it."""
        read: Callable[[Any], Any] = eval(f"lambda e: {self.value} if {self.way} else None")  # noqa: S307 - all names in it are our own
        return read


class Shape:
    """Fields of an object by dotted path: some for their text, some that need only be there.

    A boolean is a text too, but not for those of the texts that are `words`; for `numbers` a whole
    number is one instead.
    A record in which they have other shapes (a number or a list for a text, a text for an object)
    is unusual: `decode` raises one of UNUSUAL, and a full decoding must judge it. So it is where
    one of the paths is a key, dots and all, which for Sigma comes before the path.
    """

    def __init__(
        self,
        texts: Collection[str],
        there: Collection[str] = (),
        words: Collection[str] = (),
        numbers: Collection[str] = (),
    ) -> None:
        self.places: dict[str, Place] = {}
        self._texts = frozenset(texts)
        self._there = frozenset(there)
        self._words = frozenset(words)
        self._numbers = frozenset(numbers)
        kinds = self._kinds("", ())
        dotted = [(path, NEVER) for path in sorted({*texts, *there}) if "." in path]
        self.decode = msgspec.json.Decoder(_struct([*kinds, *dotted])).decode

    def _kinds(self, prefix: str, outer: tuple[str, ...]) -> list[tuple[str, Any]]:
        """The keys below a path, each with the type of its value."""
        paths = self._texts | self._there
        rests = {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}
        keys = sorted({rest.partition(".")[0] for rest in rests})
        return [(key, self._kind(prefix + key, (*outer, f"f{i}"))) for i, key in enumerate(keys)]

    def _kind(self, path: str, attributes: tuple[str, ...]) -> Any:  # noqa: ANN401 - a type
        below = self._kinds(f"{path}.", attributes)
        if path in self._texts | self._there:
            self.places[path] = Place(attributes)
        if path not in self._texts:
            # A union with None would refuse all but null; so null is there too, which names a rule
            # that does not match.
            return _struct(below) | None if below else msgspec.Raw
        for one in list(self.places):  # where the path is a text, nothing lies below it
            if one.startswith(f"{path}."):
                del self.places[one]
        if path in self._numbers:
            return str | int | None
        return str | None if path in self._words else str | bool | None


def _struct(kinds: Iterable[tuple[str, Any]]) -> type[msgspec.Struct]:
    """Fields f0, f1, ... for keys of any spelling."""
    named = {f"f{i}": (key, kind) for i, (key, kind) in enumerate(kinds)}
    fields = [(name, kind, None) for name, (_, kind) in named.items()]
    rename = {name: key for name, (key, _) in named.items()}
    return msgspec.defstruct("Record", fields, rename=rename, gc=False)


def is_utf8(data: bytes) -> bool:
    """What the decoder does not tell of the parts that it passes over."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
