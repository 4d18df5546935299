"""Shape: the few fields that are decoded of a raw JSON record, and code that reads them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import indent
from typing import Annotated, Any, Final

import msgspec

from correlators.sigma.values import MISSING, descend

Read = Callable[[Any], Any]  # of a decoded record: a JSON value, None where there is none

# No value is of this type: decoding fails for a record that has such a field.
_NEVER: Final = Annotated[int, msgspec.Meta(gt=0, lt=0)]


@dataclass(slots=True)
class Shape:
    """The fields that are needed of an object; one that is needed for itself is decoded whole."""

    whole: bool = False
    fields: dict[str, "Shape"] = field(default_factory=dict)

    def add(self, path: str) -> None:
        """Take in a dotted path."""
        shape = self
        for key in path.split("."):
            shape = shape.fields.setdefault(key, Shape())
        shape.whole = True

    def struct(self, dotted: Sequence[str] = ()) -> type[msgspec.Struct]:
        """The type to decode. It does not fit a record that has a key of `dotted`, dots and all."""
        fields: list[tuple[str, Any, Any]] = []
        rename: dict[str, str] = {}
        for i, (key, shape) in enumerate(self.fields.items()):
            kind: Any = object if shape.whole else shape.struct() | None
            fields.append((f"f{i}", kind, None))
            rename[f"f{i}"] = key
        for i, path in enumerate(dotted):
            fields.append((f"d{i}", _NEVER, None))
            rename[f"d{i}"] = path
        return msgspec.defstruct("Record", fields, rename=rename, gc=False)

    def code(self, path: str) -> str:
        """Statements that set `v` to the value at `path` of `e`; they may call `below`."""
        lines: list[str] = []
        shape, keys = self, path.split(".")
        for place, key in enumerate(keys):
            if shape.whole:
                lines.append(f"v = below(v, {keys[place:]!r})")
                break
            i = list(shape.fields).index(key)
            lines.append(f"if v is not None: v = v.f{i}" if place else f"v = e.f{i}")
            shape = shape.fields[key]
        return "\n".join(lines)

    def read(self, path: str) -> Read:
        """The same as a function."""
        names: dict[str, Any] = {"below": below}
        exec(f"def read(e):\n{indent(self.code(path), '    ')}\n    return v\n", names)  # noqa: S102 - of a rule it has paths only, quoted
        read: Read = names["read"]
        return read


def below(value: Any, keys: list[str]) -> Any:  # noqa: ANN401 - a JSON value
    """The value behind `keys` of one that is decoded whole."""
    found = descend(value, keys)
    return None if found is MISSING else found
