"""Given: what a request says, as the model of its route; a wrong one is told in a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, cast, get_origin

import orjson
from pydantic import ValidationError

from infra.api.route import Route
from schemas.errors import Mistake
from schemas.event import Record

_COMMA: Final = re.compile(r",(?! )")


class Parameters(Protocol):
    """The query of a URL, in which a name may stand more than once."""

    def getall(self, key: str) -> list[str]:
        """All values of a name."""
        ...

    def keys(self) -> Any:  # noqa: ANN401 - a view of names
        """All names."""
        ...


def asked_for(route: Route, parts: Mapping[str, str], parameters: Parameters) -> Record:
    """Of the path and the query: an empty parameter is as good as none.

    Where several values are taken, commas or repetition part them.
    """
    given: dict[str, object] = {}
    for name in dict.fromkeys(parameters.keys()):
        values = [value for value in parameters.getall(name) if value]
        if name in parts:
            raise Mistake(f"{name} stands in the path already; leave it out behind the ?")
        if not values:
            continue
        field = route.given.model_fields.get(name)
        if field is not None and get_origin(field.annotation) is tuple:
            given[name] = [one for value in values for one in _parted(value)]
        elif len(values) > 1:
            raise Mistake(f"{name} is given {len(values)} times; give it once")
        else:
            given[name] = values[0]
    return _judged(route, given | dict(parts), "parameter")


def sent(route: Route, body: bytes) -> Record:
    """Of the body, which is a JSON object."""
    try:
        given = orjson.loads(body)
    except ValueError as error:
        raise Mistake(f"the body is not JSON: {error}; send an object") from None
    if not isinstance(given, dict):
        raise Mistake("the body is not a JSON object; send one")
    return _judged(route, cast("dict[str, object]", given), "field")


def _parted(value: str) -> Sequence[str]:
    # A comma with a space behind it parts nothing: it stands in the name of a layer.
    return [part for part in _COMMA.split(value) if part]


def _judged(route: Route, given: Mapping[str, object], what: str) -> Record:
    try:
        return route.given.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(map(str, first["loc"]))
    known = ", ".join(route.given.model_fields) or "none"
    if first["type"] == "extra_forbidden":
        raise Mistake(f"there is no {what} {name[:80]!r} here; there are {known}")
    if first["type"] == "missing":
        raise Mistake(f"the {what} {name!r} is missing")
    raise Mistake(f"{what} {name}: {first['msg'].removeprefix('Value error, ')}")
