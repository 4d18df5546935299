"""The records of an example, parsed, and what tests say of an Event."""

from pathlib import Path

from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import outcomes
from streams.source import Parsed, named

FOLDER = Path(__file__).parent / "examples"


def parsed(name: str) -> list[Parsed]:
    """Return what each record of `examples/<name>` says; one that is rejected fails the test."""
    found = []
    for result, _ in outcomes(str(FOLDER / name), Limits(), named(name.partition(".")[0])):
        assert not isinstance(result, Reject), result
        found.append(result)
    return found


def events(name: str) -> list[Event]:
    return [one.event for one in parsed(name)]


def reasons(name: str) -> list[str]:
    """Return why each record of `examples/<name>` is rejected."""
    found = outcomes(str(FOLDER / name), Limits(), named(name.partition(".")[0]))
    return [one.result.reason for one in found if isinstance(one.result, Reject)]


def keys(event: Event) -> list[str]:
    return [one.key for one in event.entities]


def edges(event: Event) -> list[str]:
    """Return the edges as texts: `from relation to`, with `ended` and how sure it is."""
    return [
        f"{one.from_.key} {one.relation} {one.to.key}"
        + (" ended" if one.state == "closed" else "")
        + (f" {one.confidence}" if one.confidence is not None else "")
        for one in event.edges
    ]
