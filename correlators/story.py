"""Story: a convergence as it stands in its file."""

from typing import Any

from pydantic import ValidationError

from correlators.document import Faulty, Part
from correlators.sigma.head import invalid
from correlators.sigma.values import is_object
from schemas.convergence import Convergence


def convergence(part: Part) -> Convergence:
    """The convergence of a document, its references still as written; Faulty otherwise."""
    stated = {**_spans(part.data, "window", "ttl"), "path": part.path}
    stated.setdefault("id", part.stem)
    legs = stated.get("legs")
    if is_object(legs):
        stated["legs"] = {
            name: _spans(leg, "within") if is_object(leg) else leg for name, leg in legs.items()
        }
    try:
        return Convergence.model_validate(stated)
    except ValidationError as error:
        raise Faulty(*invalid(part, error)) from error


def _spans(stated: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Durations as text: `60` has no unit, and inside a plain number is microseconds."""
    return stated | {key: str(stated[key]) for key in keys if stated.get(key) is not None}
