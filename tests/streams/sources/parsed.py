"""The records of an example, parsed, and what tests say of an Event."""

from pathlib import Path

from schemas.config import Limits
from schemas.event import Edge, Event, Reject
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
    return [said(one) for one in event.edges]


def said(edge: Edge) -> str:
    """Return `from relation to`, with `ended` where it is, and how sure it is."""
    text = f"{edge.from_.key} {edge.relation} {edge.to.key}"
    text += " ended" if edge.state == "closed" else ""
    return text if edge.confidence is None else f"{text} {edge.confidence}"
